"""What a notice tells about a mail, as plain values: a pure step between the spool's rows and the templates.

Everything a stranger chose passes `shown` here, so a template cannot forget it. The body's text is not in
these values at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway.languages import Words, shown, size
from gateway.message.facts import Attachment
from gateway.policy.demands import FORM_WORDS, Language
from gateway.spool.lifecycle import State
from gateway.spool.values import Recipient, Stored
from gateway.transform.preview import Group, preview
from gateway.values import dataclass

# Addresses in one notice: more than fit on a screen help nobody, and the page shows them all.
SHOWN_RECIPIENTS = 50
SHOWN_GROUPS = 10  # kinds of copies; a policy rarely makes more than three
SHOWN_ATTACHMENTS = 30  # file names in one notice
SUBJECT, ADDRESS, FIELD, FILE_NAME, REASON = 200, 320, 400, 200, 400  # characters shown of each


@dataclass(frozen=True, slots=True)
class Line:
    address: str
    external: bool
    perhaps: bool = False


@dataclass(frozen=True, slots=True)
class Copies:
    """Recipients who get the same; `leaves` is empty where they are not held; `more` of them are not
    listed."""

    count: int
    external: bool
    form: str
    leaves: str
    sight: str | None
    to: str
    cc: str
    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Summary:
    """One mail as a notice shows it. `readable` is False where the original cannot be read any more."""

    queue_id: str
    subject: str
    sender: str
    received: str
    size: str
    zone: str
    readable: bool
    copies: tuple[Copies, ...]
    more_copies: int
    attachments: tuple[str, ...]
    more_attachments: int
    reasons: tuple[str, ...]
    deadline: str
    changed: str
    total: int
    perhaps: int = 0


def summarise(
    message: Stored, raw: bytes | None, indexes: Sequence[int], words: Words, hostname: str
) -> Summary:
    """Tell of these recipients (indexes), and of what each of them will see."""
    rows = {row.index: row for row in message.recipients}
    seen = preview(
        raw, message.envelope, message.decision, message.queue_id, message.received_at, hostname, indexes
    )
    attachments, language = seen.attachments or (), Language(words.language)
    told = [rows[index] for index in indexes]
    return Summary(
        queue_id=message.queue_id,
        subject=shown(message.subject, SUBJECT) or words.gettext("(no subject)"),
        sender=shown(str(message.envelope.sender or "<>"), ADDRESS),
        received=words.moment(message.received_at),
        size=size(message.size_bytes),
        zone=words.zone_name(),
        readable=raw is not None,
        copies=_copies_of(seen.groups, rows, words),
        more_copies=sum(len(group.recipients) for group in seen.groups[SHOWN_GROUPS:]),
        attachments=tuple(_attachment(item, words) for item in attachments[:SHOWN_ATTACHMENTS]),
        more_attachments=max(0, len(attachments) - SHOWN_ATTACHMENTS),
        reasons=tuple(shown(reason.text.in_(language), REASON) for reason in seen.reasons),
        deadline=_earliest((row.due_at for row in told if row.state is State.HELD), words),
        changed=_latest((row.changed_at for row in told), words),
        total=len(told),
        perhaps=sum(map(_doubtful, told)),
    )


def shares(counts: Sequence[int], bound: int) -> tuple[int, ...]:
    """Share a bound on listed lines out: evenly first, so that no long group pushes out another; the rest
    in order."""
    out = [min(count, bound // len(counts)) for count in counts]
    for index, count in enumerate(counts):
        out[index] += min(bound - sum(out), count - out[index])
    return tuple(out)


def _copies_of(groups: Sequence[Group], rows: dict[int, Recipient], words: Words) -> tuple[Copies, ...]:
    told = groups[:SHOWN_GROUPS]
    listed = shares([len(group.recipients) for group in told], SHOWN_RECIPIENTS)
    return tuple(
        _copies(group, [rows[index] for index in group.recipients], lines, words)
        for group, lines in zip(told, listed, strict=True)
    )


def _copies(group: Group, rows: list[Recipient], listed: int, words: Words) -> Copies:
    sight = group.sight
    return Copies(
        count=len(rows),
        external=group.external,
        form=FORM_WORDS[group.form],
        leaves=_earliest((row.due_at for row in rows if row.state is State.HELD), words),
        sight=None if sight is None else "alone" if sight.alone else "fields",
        to=shown(sight.to, FIELD) if sight else "",
        cc=shown(sight.cc, FIELD) if sight else "",
        lines=tuple(
            Line(shown(str(row.address), ADDRESS), row.external, _doubtful(row)) for row in rows[:listed]
        ),
        more=len(rows) - listed,
    )


def _doubtful(row: Recipient) -> bool:
    return row.perhaps and row.state is State.CANCELLED


def _attachment(item: Attachment, words: Words) -> str:
    name = shown(item.name, FILE_NAME) or words.gettext("(no name)")
    return f"{name} ({size(item.size_bytes)})"


def _earliest(moments: Iterable[datetime | None], words: Words) -> str:
    known = [moment for moment in moments if moment is not None]
    return words.moment(min(known)) if known else ""


def _latest(moments: Iterable[datetime | None], words: Words) -> str:
    known = [moment for moment in moments if moment is not None]
    return words.moment(max(known)) if known else ""
