"""The printable statement of what became of files behind links, as plain values: a pure step from what the log proves.

"Nobody opened it" is said only where the whole log was walked, found whole and sealed, and goes back to the acceptance of the
mail. Where that is not so the statement says that it proves nothing. Whatever a stranger chose passes `shown`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.console import view
from gateway.console.share_history import CLIENT
from gateway.languages import Words, shown
from gateway.spool.share_contract import Happened
from gateway.spool.testimony import Proof, Testimony, Witness
from gateway.spool.values import Stored
from gateway.values import dataclass

EVENTS = 100  # of one recipient, listed
PEOPLE = 500  # recipients on one statement


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient: whether nobody opened or fetched, what happened, how much of it is not listed, and when it was closed."""

    address: str
    untouched: bool
    lines: tuple[tuple[str, str, str], ...]
    more: int
    denied: int
    ended: str


@dataclass(frozen=True, slots=True)
class Statement:
    """`verdict` is one of nobody, some, unproved, nothing: what the statement may claim."""

    queue_id: str
    subject: str
    sender: str
    accepted: str
    taken_back: str
    verdict: str
    people: tuple[Told, ...]
    more: int
    checked: str
    events: int
    problem: bool
    sealed: bool
    last: tuple[tuple[str, int, str], ...]


def statement(message: Stored, made: Testimony, words: Words) -> Statement:
    """Return the statement about those recipients whom the sender knows of."""
    known = {row.index for row in message.recipients}
    made = replace(made, witnesses=tuple([each for each in made.witnesses if each.recipient in known]))
    listed = made.witnesses[:PEOPLE]
    return Statement(
        queue_id=message.queue_id,
        subject=view.subject_of(message, words),
        sender=shown(str(message.envelope.sender or "<>"), view.ADDRESS),
        accepted=exact(made.accepted_at, words),
        taken_back=exact(made.taken_back_at, words),
        verdict=_verdict(made),
        people=tuple([_told(each, words) for each in listed]),
        more=len(made.witnesses) - len(listed),
        checked=exact(made.proof.checked_at, words),
        events=made.proof.events,
        problem=not made.proof.intact,
        sealed=made.proof.sealed,
        last=_last(made.proof),
    )


def _verdict(made: Testimony) -> str:
    if not made.witnesses:
        return "nothing"
    if not made.complete or not made.proof.sealed:
        return "unproved"
    return "nobody" if made.nobody_opened else "some"


def _told(each: Witness, words: Words) -> Told:
    told = sorted((*each.opened, *each.fetched), key=lambda event: event.at)
    return Told(
        address=shown(each.address, view.ADDRESS),
        untouched=each.untouched,
        lines=tuple([_line(event, words) for event in told[:EVENTS]]),
        more=max(0, len(told) - EVENTS),
        denied=each.denied,
        ended=exact(each.ended_at, words),
    )


def _line(event: Happened, words: Words) -> tuple[str, str, str]:
    name = shown(event.name, view.FILE_NAME)
    what = words.gettext("fetched %(name)s") % {"name": name} if name else words.gettext("opened the page")
    return exact(event.at, words), what, shown(event.client, CLIENT)


def _last(proof: Proof) -> tuple[tuple[str, int, str], ...]:
    """Return the newest event of each chain: what anybody may compare with the log later."""
    return tuple([(shown(node, view.ADDRESS), number, hash_) for node, number, hash_ in proof.last])


def exact(at: datetime | None, words: Words) -> str:
    """Write a moment with its year, second and offset, as a paper wants it; empty for none."""
    if at is None:
        return ""
    return at.astimezone(words.zone).isoformat(sep=" ", timespec="seconds")
