"""What a report tells of a mailing whose fate is known, as plain values: pure, between the spool's rows and the template.

Copies that a rule asked for (`bcc_to`) are told of to nobody, so they are not counted here. Everything a stranger chose passes
`shown`. The body's text is not in these values at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.languages import Words, shown
from gateway.notices.summary import ADDRESS, REASON, SUBJECT
from gateway.policy.decision import Decision
from gateway.spool.contract import Recipient, Stored
from gateway.spool.lifecycle import State

SHOWN_RECIPIENTS = 200  # in one report; the counts tell of all of them
REPLY = 200  # characters shown of a next hop's reply
_ORDER = (State.DELIVERED, State.BOUNCED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient; `reply` only where it was not delivered."""

    address: str
    external: bool
    state: str
    when: str
    reply: str


@dataclass(frozen=True, slots=True)
class Report:
    """One mailing as its report tells of it: `counts` by outcome, `more` recipients are not listed."""

    queue_id: str
    subject: str
    sender: str
    received: str
    finished: str
    zone: str
    total: int
    counts: tuple[tuple[str, int], ...]
    rules: tuple[tuple[str, str], ...]
    policy: str
    fates: tuple[Fate, ...]
    more: int


def report_of(message: Stored, words: Words) -> Report:
    """Tell of a mailing what its rows say now."""
    rows = message.as_handed_in.recipients
    names = _names(words)
    counts = Counter(row.state for row in rows)
    # What went wrong is what a reader looks for; it must not be what the bound cuts off.
    listed = sorted(rows, key=lambda row: (row.state is State.DELIVERED, row.index))[:SHOWN_RECIPIENTS]
    return Report(
        queue_id=message.queue_id,
        subject=shown(message.subject, SUBJECT) or words.gettext("(no subject)"),
        sender=shown(str(message.envelope.sender or "<>"), ADDRESS),
        received=words.moment(message.received_at),
        finished=_finished(rows, words),
        zone=words.zone_name(),
        total=len(rows),
        counts=tuple((names.get(state, state.value), counts[state]) for state in _ordered(counts)),
        rules=_rules(message.decision, words),
        policy=message.decision.digest[:12],
        fates=tuple(_fate(row, names, words) for row in listed),
        more=len(rows) - len(listed),
    )


def _names(words: Words) -> dict[State, str]:
    _ = words.gettext
    return {
        State.DELIVERED: _("Sent"),
        State.BOUNCED: _("Not delivered"),
        State.CANCELLED: _("Cancelled (not sent)"),
    }


def _ordered(counts: Counter[State]) -> list[State]:
    return sorted(counts, key=lambda state: _ORDER.index(state) if state in _ORDER else len(_ORDER))


def _finished(rows: Sequence[Recipient], words: Words) -> str:
    moments: list[datetime] = [row.changed_at for row in rows if row.changed_at is not None]
    return words.moment(max(moments)) if moments else ""


def _rules(decision: Decision, words: Words) -> tuple[tuple[str, str], ...]:
    return tuple(
        (reason.rule, shown(reason.text.ja if words.language == "ja" else reason.text.en, REASON))
        for reason in decision.reasons
    )


def _fate(row: Recipient, names: dict[State, str], words: Words) -> Fate:
    return Fate(
        address=shown(str(row.address), ADDRESS),
        external=row.external,
        state=names.get(row.state, row.state.value),
        when=words.moment(row.changed_at) if row.changed_at is not None else "",
        reply="" if row.state is State.DELIVERED else shown(row.reply, REPLY),
    )
