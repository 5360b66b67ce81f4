"""What becomes of a mail's files, for whom, and how each key gets there, as plain values: a pure step to the template.

Recipients with one handling stand together. A key itself is never in these values. Whatever a stranger chose passes `shown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway.console import key_words, view
from gateway.file_fates import Obstacle, fate, obstacle, way_name, why_not_sent
from gateway.languages import Words, shown, size
from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How, Way
from gateway.spool.key_contract import KeyStatus, Stage
from gateway.spool.lifecycle import State
from gateway.spool.values import Recipient, Stored
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file: `how` is a word for its look (sealed, link, block, plain, stuck), `fate` says what becomes of it."""

    name: str
    size: str
    how: str
    fate: str


@dataclass(frozen=True, slots=True)
class KeyRow:
    """How one recipient's key stands; `tone` is the state whose look it has."""

    address: str
    way: str
    to: str
    stage: str
    tone: str
    when: str
    detail: str


@dataclass(frozen=True, slots=True)
class Handled:
    """Recipients with one handling; `more` rows are not listed. `until`: when the mail is cancelled for its `obstacle`.

    `expires` is when the key ends, empty where there is none or where a share says it.
    """

    outside: bool
    count: int
    names: str
    files: tuple[FileLine, ...]
    more_files: int
    hidden_names: bool
    way: str
    obstacle: Obstacle | None
    until: str
    expires: str
    rows: tuple[KeyRow, ...]
    more: int
    open: bool


@dataclass(frozen=True, slots=True)
class Files:
    """The whole section. `plain` is how many recipients get the files as they are; `telling` says that there is a key for
    the sender to tell now, `later` that there will be one. `stoppable` keys go soon, by themselves."""

    groups: tuple[Handled, ...]
    plain: int
    telling: bool
    later: bool
    stoppable: int = 0


NO_FILES = Files((), 0, False, False)
NAMED = 3  # recipients named in the head of a group


def files(message: Stored, statuses: Sequence[KeyStatus], words: Words) -> Files:
    """Return what becomes of the files at this moment; nothing where no rule asks for anything."""
    by_handling: dict[tuple[bool, Handling], list[Recipient]] = {}
    plain = 0
    for row in message.recipients:
        outcome = message.decision.of(row.index)
        if outcome.handling is None:
            plain += 1
        else:
            by_handling.setdefault((outcome.external, outcome.handling), []).append(row)
    if not by_handling:
        return NO_FILES
    theirs = {row.index for row in message.recipients}
    known = {each.recipient: each for each in statuses if each.recipient in theirs}
    left, groups = view.SHOWN_RECIPIENTS, []
    for (outside, handling), rows in by_handling.items():
        group = _group(message, handling, outside, rows, known, words, left)
        left -= len(group.rows)
        groups.append(group)
    telling = [each.stage for each in known.values() if each.way is Way.SENDER]
    return Files(
        groups=tuple(groups),
        plain=plain,
        telling=any(stage in key_words.TOLD_IN for stage in telling),
        later=Stage.WAITING in telling,
        stoppable=len(going_soon(message, statuses)),
    )


def _group(
    message: Stored,
    handling: Handling,
    outside: bool,
    rows: Sequence[Recipient],
    known: Mapping[int, KeyStatus],
    words: Words,
    left: int,
) -> Handled:
    keyed = [(row, known[row.index]) for row in rows if row.index in known]
    listed = tuple([_key_row(row, status, words) for row, status in keyed[:left]])
    waits = bool(handling.obstacle) and any(row.state is State.HELD for row in rows)
    ends = handling.needs_key and not handling.shares  # a share tells its own end: it may have been extended
    lines = _lines(message.decision.files, handling, words)
    return Handled(
        outside=outside,
        count=len(rows),
        names=_names(rows),
        files=tuple(lines[: view.SHOWN_ATTACHMENTS]),
        more_files=max(0, len(lines) - view.SHOWN_ATTACHMENTS),
        hidden_names=handling.hide_names,
        way="" if handling.way is None else way_name(handling.way, words),
        obstacle=obstacle(handling.obstacle, words) if handling.obstacle else None,
        until=words.moment(message.received_at + handling.within) if waits else "",
        expires=words.moment(message.received_at + handling.expires) if ends else "",
        rows=listed,
        more=len(keyed) - len(listed),
        open=len(keyed) <= view.OPEN_GROUP,
    )


def _names(rows: Sequence[Recipient]) -> str:
    named = ", ".join([shown(str(row.address), view.ADDRESS) for row in rows[:NAMED]])
    return named + (", …" if len(rows) > NAMED else "")


def _lines(attached: Iterable[Attached], handling: Handling, words: Words) -> list[FileLine]:
    """Return a line for each file; where nothing can be done they say nothing of what was asked for."""
    forms = {} if handling.obstacle else dict(handling.forms)
    return [_line(file, forms.get(file.place), bool(handling.obstacle), words) for file in attached]


def _line(file: Attached, how: How | None, stuck: bool, words: Words) -> FileLine:
    return FileLine(
        name=shown(file.name, view.FILE_NAME) or words.gettext("(no name)"),
        size=size(file.size_bytes),
        how="stuck" if stuck else {None: "plain", How.LINK: "link", How.BLOCK: "block"}.get(how, "sealed"),
        fate=words.gettext("not decided: it does not leave") if stuck else fate(file, how, words),
    )


def _key_row(row: Recipient, status: KeyStatus, words: Words) -> KeyRow:
    return KeyRow(
        address=shown(str(row.address), view.ADDRESS),
        way=key_words.way(status, words),
        to=shown(status.to, view.ADDRESS),
        stage=key_words.stage(status, words),
        tone=key_words.TONES[status.stage],
        when=_when(status, words),
        detail=why_not_sent(status.detail, words),
    )


def _when(status: KeyStatus, words: Words) -> str:
    moving = status.stage in (Stage.SENT, Stage.ARRIVED, Stage.FAILED, Stage.STOPPED)
    return words.moment(status.changed_at) if moving else ""


def missing_ways(message: Stored, statuses: Sequence[KeyStatus]) -> list[tuple[Recipient, KeyStatus]]:
    """Return the recipients for whom somebody has to say (again) how their key gets there."""
    rows = {row.index: row for row in message.recipients}
    found = [(rows[each.recipient], each) for each in statuses if each.recipient in rows]
    return [(row, each) for row, each in found if _waits_for_way(row, each)]


def _waits_for_way(row: Recipient, status: KeyStatus) -> bool:
    if status.stage is Stage.FAILED:
        return row.state is State.DELIVERED
    return status.way is None and status.stage is Stage.WAITING and row.state is State.HELD


def going_soon(message: Stored, statuses: Sequence[KeyStatus]) -> frozenset[int]:
    """Return the recipients whose mail has left and whose key follows by itself, unless somebody stops it."""
    theirs = {row.index for row in message.recipients}
    soon = (each for each in statuses if each.stage is Stage.READY and each.way in (Way.SMS, Way.SECOND_MAIL))
    return frozenset(each.recipient for each in soon if each.recipient in theirs)
