"""What the page shows, as plain values: a pure step from the spool's rows and the preview to the template.

States are told as they are now, for every recipient. Everything a stranger chose passes `shown` here; the
body's text is not in these values at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.languages import Words, shown, size
from gateway.policy.demands import FORM_WORDS, Language
from gateway.spool.lifecycle import CANCELLABLE, State
from gateway.spool.values import Recipient, Stored
from gateway.transform.preview import Group, Preview
from gateway.values import dataclass

SHOWN_RECIPIENTS = 2000  # rows on one page; a phone still scrolls them, and "all" reaches the rest
OPEN_GROUP = 30  # rows up to which a group stands open
SHOWN_ATTACHMENTS = 100
SUBJECT, ADDRESS, FIELD, FILE_NAME, REASON = 300, 320, 400, 255, 400  # characters shown of each

# The order in which a summary names the states: what can still be stopped comes first.
_ORDER = (
    State.HELD, State.QUEUED, State.DEFERRED, State.ACTIVE, State.DELIVERED, State.CANCELLED, State.BOUNCED
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One recipient. `stoppable` gets a tick box; `when` is when it leaves, or when it came to this state."""

    index: int
    address: str
    state: str
    state_name: str
    when: str
    stoppable: bool


@dataclass(frozen=True, slots=True)
class Block:
    """One group of recipients; `more` of them are not listed. `until` is when all its holds end, if that is
    one moment."""

    count: int
    external: bool
    until: str
    form: str
    sight: str | None
    to: str
    cc: str
    rows: tuple[Row, ...]
    more: int
    open: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One message as its sender sees it now."""

    queue_id: str
    subject: str
    sender: str
    received: str
    zone: str
    status: str
    tally: tuple[tuple[str, str, int], ...]
    due: str
    left: str
    left_s: int
    perhaps: int
    blocks: tuple[Block, ...]
    total: int
    attachments: tuple[tuple[str, str], ...] | None
    more_attachments: int
    reasons: tuple[str, ...]
    stoppable: int
    waivable: int
    firm_until: str
    reasoned: bool
    unreadable: bool


def subject_of(message: Stored, words: Words) -> str:
    """Return the subject as a page may show it."""
    return shown(message.subject, SUBJECT) or words.gettext("(no subject)")


def state_names(words: Words) -> dict[State, str]:
    """Return the words for each state."""
    _ = words.gettext
    return {
        State.HELD: _("Held"),
        State.QUEUED: _("Waiting to be sent"),
        State.ACTIVE: _("Being sent (cannot be stopped)"),
        State.DEFERRED: _("Waiting to be sent again"),
        State.DELIVERED: _("Sent"),
        State.BOUNCED: _("Not delivered"),
        State.CANCELLED: _("Cancelled (not sent)"),
    }


def fate(row: Recipient, names: Mapping[State, str], words: Words) -> str:
    """Return the words for one recipient's state; where an earlier attempt may have delivered it, they say so."""
    if not row.perhaps or row.state in (State.DELIVERED, State.ACTIVE):
        return names[row.state]
    if row.state is State.CANCELLED:
        return words.gettext("Cancelled, but may have arrived already")
    return words.gettext("%(state)s (may have arrived already)") % {"state": names[row.state]}


def firm_until(message: Stored, row: Recipient) -> datetime:
    """Return the moment before which the sender cannot let this recipient's copy go."""
    return message.received_at + message.decision.of(row.index).demands.firm


def waivable(message: Stored, row: Recipient, now: datetime) -> bool:
    """Tell whether the sender may shorten the hold of this recipient."""
    if row.state is not State.HELD:
        return False
    ends = row.due_at if row.due_at is not None else message.window_ends(row.index, now)
    return ends > max(firm_until(message, row), now)


def build(message: Stored, seen: Preview, words: Words, now: datetime) -> Page:
    """Return the page for this moment."""
    rows = {row.index: row for row in message.recipients}
    states = Counter(row.state for row in message.recipients)
    held = [row for row in message.recipients if row.state is State.HELD]
    due = min((row.due_at for row in held if row.due_at is not None), default=None)
    firm = max((firm_until(message, row) for row in held), default=now)
    names = state_names(words)
    attachments, language = seen.attachments, Language(words.language)
    return Page(
        queue_id=message.queue_id,
        subject=subject_of(message, words),
        sender=shown(str(message.envelope.sender or "<>"), ADDRESS),
        received=words.moment(message.received_at),
        zone=words.zone_name(),
        status=_status(states),
        tally=_tally(message.recipients, names, words),
        due=words.moment(due) if due else "",
        left=words.duration(due - now) if due and due > now else "",
        perhaps=sum(row.perhaps and row.state is State.CANCELLED for row in message.recipients),
        left_s=max(0, int((due - now).total_seconds())) if due else 0,
        blocks=_blocks(seen.groups, rows, names, words),
        total=len(message.recipients),
        attachments=None
        if attachments is None
        else tuple(
            (shown(item.name, FILE_NAME) or words.gettext("(no name)"), size(item.size_bytes))
            for item in attachments[:SHOWN_ATTACHMENTS]
        ),
        more_attachments=max(0, len(attachments or ()) - SHOWN_ATTACHMENTS),
        reasons=tuple(shown(reason.text.in_(language), REASON) for reason in seen.reasons),
        stoppable=sum(states[state] for state in CANCELLABLE),
        waivable=sum(waivable(message, row, now) for row in held),
        firm_until=words.moment(firm) if firm > now else "",
        reasoned=any(message.decision.of(row.index).demands.reasoned for row in held),
        unreadable=message.unreadable,
    )


def _tally(
    rows: Sequence[Recipient], names: Mapping[State, str], words: Words
) -> tuple[tuple[str, str, int], ...]:
    counts = Counter((row.state, fate(row, names, words)) for row in rows)
    told = sorted(counts, key=lambda entry: (_ORDER.index(entry[0]), entry[1] != names[entry[0]]))
    return tuple((state.value, name, counts[state, name]) for state, name in told)


def _status(states: Counter[State]) -> str:
    """Return the first of these that is true; the page's heading says it."""
    if states[State.HELD]:
        return "held"
    if states[State.QUEUED] or states[State.ACTIVE] or states[State.DEFERRED]:
        return "leaving"
    if not states[State.DELIVERED] and not states[State.BOUNCED]:
        return "cancelled"
    return "failed" if states[State.BOUNCED] else "partly" if states[State.CANCELLED] else "sent"


def _blocks(
    groups: Sequence[Group], rows: dict[int, Recipient], names: Mapping[State, str], words: Words
) -> tuple[Block, ...]:
    left, blocks = SHOWN_RECIPIENTS, []
    for group in groups:
        members = [rows[index] for index in group.recipients]
        ends = {row.due_at for row in members if row.state is State.HELD}
        until = ends.pop() if len(ends) == 1 else None
        listed = tuple(_row(row, until, names, words) for row in members[:left])
        left -= len(listed)
        blocks.append(_block(group, words.moment(until) if until else "", listed))
    return tuple(blocks)


def _block(group: Group, until: str, listed: tuple[Row, ...]) -> Block:
    sight, count = group.sight, len(group.recipients)
    return Block(
        count=count,
        external=group.external,
        until=until,
        form=FORM_WORDS[group.form],
        sight=None if sight is None else "alone" if sight.alone else "fields",
        to=shown(sight.to, FIELD) if sight else "",
        cc=shown(sight.cc, FIELD) if sight else "",
        rows=listed,
        more=count - len(listed),
        open=count <= OPEN_GROUP,
    )


def _row(row: Recipient, until: datetime | None, names: Mapping[State, str], words: Words) -> Row:
    return Row(
        index=row.index,
        address=shown(str(row.address), ADDRESS),
        state=row.state.value,
        state_name=fate(row, names, words),
        when=_when(row, until, words),
        stoppable=row.state in CANCELLABLE,
    )


def _when(row: Recipient, until: datetime | None, words: Words) -> str:
    if row.state is State.HELD and row.due_at:
        if row.due_at == until:
            return ""  # the group says it, once
        return words.gettext("until %(at)s") % {"at": words.moment(row.due_at)}
    if row.state is State.DEFERRED and row.due_at:
        return words.gettext("next try at %(at)s") % {"at": words.moment(row.due_at)}
    return words.moment(row.changed_at) if row.changed_at else ""
