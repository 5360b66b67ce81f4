"""What a report tells of a mailing whose fate is known, as plain values: pure, between the spool's rows and the template.

When it came and when it left, who sent it, to how many, under which policy and rules, who approved it, what became of every
recipient, and what went wrong, or that nothing did. Copies that a rule asked for (`bcc_to`) are told of to nobody, so they
are not counted here. Everything a stranger chose passes `shown`. The body's text is not in these values at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from gateway.languages import Words, shown
from gateway.notices.summary import ADDRESS, REASON, SUBJECT
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.spool.lifecycle import State
from gateway.spool.second_look import Consent
from gateway.spool.values import Recipient, Stored
from gateway.values import dataclass
from gateway.waiting import said_by

SHOWN_RECIPIENTS = 200  # in one report; the counts tell of all of them
REPLY = 200  # characters shown of a next hop's reply
SHOWN_APPROVALS = 20  # words of approvers in one report
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
    """One mailing as its report tells of it: `counts` by outcome, `more` recipients are not listed.

    `left` is when the first recipient got it; empty where nobody did. `policy` is the digest of the policy that decided.
    `approved` are the words of those who approved. `troubles` is what went wrong, empty where nothing did; `incident` says
    since when somebody has reported that it went to the wrong people.
    """

    queue_id: str
    subject: str
    sender: str
    account: str
    received: str
    left: str
    finished: str
    zone: str
    total: int
    outside: int
    counts: tuple[tuple[str, int], ...]
    rules: tuple[tuple[str, str], ...]
    policy: str
    approved: tuple[str, ...]
    fates: tuple[Fate, ...]
    more: int
    troubles: tuple[str, ...] = ()
    incident: str = ""


def report_of(
    message: Stored, words: Words, shown_recipients: int = SHOWN_RECIPIENTS, incident: datetime | None = None
) -> Report:
    """Tell of a mailing what its rows say now; `incident` is when somebody reported one."""
    rows = message.as_handed_in.recipients
    names = outcome_names(words)
    counts = Counter(row.state for row in rows)
    # What went wrong is what a reader looks for; it must not be what the bound cuts off.
    listed = sorted(rows, key=lambda row: (row.state is State.DELIVERED, row.index))[:shown_recipients]
    return Report(
        queue_id=message.queue_id,
        subject=shown(message.subject, SUBJECT) or words.gettext("(no subject)"),
        sender=shown(str(message.envelope.sender or "<>"), ADDRESS),
        account=shown(message.envelope.client.account or "", ADDRESS),
        received=words.moment(message.received_at),
        left=_moment((row.changed_at for row in rows if row.state is State.DELIVERED), words, min),
        finished=_moment((row.changed_at for row in rows), words, max),
        zone=words.zone_name(),
        total=len(rows),
        outside=sum(row.external for row in rows),
        counts=tuple((names.get(state, state.value), counts[state]) for state in _ordered(counts)),
        rules=_rules(message.decision, words),
        policy=message.decision.digest,
        approved=_approved(message, words),
        fates=tuple(fate(row, names, words) for row in listed),
        more=len(rows) - len(listed),
        troubles=_troubles(counts, sum(row.perhaps for row in rows if row.state is State.CANCELLED), words),
        incident=words.moment(incident) if incident is not None else "",
    )


def outcome_names(words: Words) -> dict[State, str]:
    _ = words.gettext
    return {
        State.DELIVERED: _("Sent"),
        State.BOUNCED: _("Not delivered"),
        State.CANCELLED: _("Cancelled (not sent)"),
    }


def _ordered(counts: Counter[State]) -> list[State]:
    return sorted(counts, key=lambda state: _ORDER.index(state) if state in _ORDER else len(_ORDER))


def _moment(
    moments: Iterable[datetime | None], words: Words, choose: Callable[[list[datetime]], datetime]
) -> str:
    known = [moment for moment in moments if moment is not None]
    return words.moment(choose(known)) if known else ""


def _approved(message: Stored, words: Words) -> tuple[str, ...]:
    consents: list[Consent] = [each for look in message.looks for each in look.consents]
    said = [said_by(each, words, words.gettext("%(who)s approved at %(at)s")) for each in consents]
    return tuple(dict.fromkeys(said))[:SHOWN_APPROVALS]


def _troubles(counts: Counter[State], doubtful: int, words: Words) -> tuple[str, ...]:
    """Say what a reader has to look at; whoever cancels in time has prevented something, and it is no trouble."""
    said = []
    if failed := counts[State.BOUNCED]:
        said.append(
            words.ngettext("It did not reach %(n)s recipient.", "It did not reach %(n)s recipients.", failed)
        )
    if doubtful:
        said.append(
            words.ngettext(
                "It was cancelled for %(n)s recipient who may have it already.",
                "It was cancelled for %(n)s recipients who may have it already.",
                doubtful,
            )
        )
    return tuple(said)


def _rules(decision: Decision, words: Words) -> tuple[tuple[str, str], ...]:
    language = Language(words.language)
    return tuple((reason.rule, shown(reason.text.in_(language), REASON)) for reason in decision.reasons)


def fate(row: Recipient, names: dict[State, str], words: Words) -> Fate:
    """Tell what became of one recipient; `names` are the words for the states."""
    return Fate(
        address=shown(str(row.address), ADDRESS),
        external=row.external,
        state=names.get(row.state, row.state.value),
        when=words.moment(row.changed_at) if row.changed_at is not None else "",
        reply="" if row.state is State.DELIVERED else shown(row.reply, REPLY),
    )
