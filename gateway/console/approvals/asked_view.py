"""What somebody who approves sees of the mails that ask for it: a pure step from mails as they may be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway.acting.acting import Seen
from gateway.acting.approving import Answer
from gateway.acting.each import Undone
from gateway.console import view
from gateway.console.approval_view import asked_of
from gateway.console.undone import undone
from gateway.deadline_words import Outlook, outlook
from gateway.languages import Words, shown, size
from gateway.people.contract import Person
from gateway.policy.demands import Approval
from gateway.spool.second_look import Look, Said
from gateway.spool.values import Stored
from gateway.values import dataclass
from gateway.waiting import Need, needs, open_looks

MAX_FILES = 5  # names of files shown of one mail in a list of many
MAX_RULES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """One mail. `mine`: this person's word is waited for now; `standing` says so, or what else is waited for.

    `files` is None where nobody recorded them; `next` is when something happens to it next, by which the list
    is sorted, `until` when the first of its approvals ends.
    """

    queue_id: str
    subject: str
    sender: str
    received: str
    outside: int
    total: int
    files: tuple[str, ...] | None
    more_files: int
    rules: tuple[str, ...]
    next: str
    until: str
    needs: tuple[Need, ...]
    outlook: Outlook
    mine: bool
    standing: str


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one mail of many: `good` where this person's word counted."""

    subject: str
    sender: str
    sentence: str
    good: bool


def asked(seen: Seen, person: Person, words: Words, now: datetime) -> Asked:
    """Return one mail as it stands for this person."""
    message = seen.message
    approvals = [look for look in open_looks(message) if isinstance(look.demand, Approval)]
    mine = bool(asked_of(message, person.addresses, now))
    files = None if seen.facts is None else [each for each in seen.facts.attachments if not each.inline]
    return Asked(
        queue_id=message.queue_id,
        subject=view.subject_of(message, words),
        sender=shown(str(message.envelope.sender or ""), view.ADDRESS),
        received=words.moment(message.received_at),
        outside=sum(row.external for row in message.as_handed_in.recipients),
        total=len(message.as_handed_in.recipients),
        files=None
        if files is None
        else tuple(
            [f"{shown(each.name, view.FILE_NAME)} ({size(each.size_bytes)})" for each in files[:MAX_FILES]]
        ),
        more_files=max(0, len(files or ()) - MAX_FILES),
        rules=_rules(message, words),
        next=words.moment(min(dues)) if (dues := [look.due_at for look in approvals if look.due_at]) else "",
        until=words.moment(min(look.deadline for look in approvals)) if approvals else "",
        needs=needs(message, words, approvals),
        outlook=outlook(message, words, now),
        mine=mine,
        standing=_standing(approvals, seen, person, words, mine=mine),
    )


def done(
    answers: Iterable[Answer], mails: Sequence[Asked], words: Words, *, agrees: bool
) -> tuple[Done, ...]:
    """Say of each mail what became of it."""
    known = {each.queue_id: each for each in mails}
    return tuple([_done(answer, known.get(answer.queue_id), words, agrees=agrees) for answer in answers])


def _done(answer: Answer, mail: Asked | None, words: Words, *, agrees: bool) -> Done:
    sentence, good = _sentence(answer, words, agrees=agrees), answer.said is Said.COUNTED
    subject, sender = (mail.subject, mail.sender) if mail is not None else (answer.queue_id, "")
    return Done(subject, sender, sentence, good)


def _sentence(answer: Answer, words: Words, *, agrees: bool) -> str:
    _ = words.gettext
    if answer.said is Undone.GONE:
        return _("Not done: there is no such mail that you may decide on.")
    if isinstance(answer.said, Undone):
        return undone(answer.said, words)
    if answer.said is Said.COUNTED and not agrees:
        return _("Rejected. It is not sent, and the sender is told.")
    if answer.said is Said.COUNTED and answer.missing:
        rest = words.ngettext(
            "%(n)s more approval is needed.", "%(n)s more approvals are needed.", answer.missing
        )
        return _("Approved.") + ("" if words.language == "ja" else " ") + rest
    return {
        Said.COUNTED: _("Approved."),
        Said.AGAIN: _("You approved this mail before. Each person counts once."),
        Said.OVER: _("Too late: nothing waits for your decision any more."),
        Said.NOT_ASKED: _("You are not among those who may decide now."),
        Said.OWN_MAIL: _("This is your own mail. Nobody approves a mail of their own."),
    }[answer.said]


def _standing(approvals: Sequence[Look], seen: Seen, person: Person, words: Words, *, mine: bool) -> str:
    _ = words.gettext
    if mine:
        return _("Waits for you")
    if seen.own:
        return _("Your own mail: others decide")
    if any(_has_said(look, person) for look in approvals):
        return _("Approved by you: others are waited for")
    return _("Not your turn") if approvals else _("Decided")


def _has_said(look: Look, person: Person) -> bool:
    return any(each.person in person.addresses for each in look.consents)


def _rules(message: Stored, words: Words) -> tuple[str, ...]:
    """Return why it is asked for, in the words of the rules that ask."""
    asking = {look.demand.rule for look in open_looks(message) if isinstance(look.demand, Approval)}
    texts = {each.rule: each.text for each in message.decision.reasons}
    language = message.language.__class__(words.language)
    return tuple(
        [
            shown(texts[rule].in_(language) if rule in texts else rule, view.REASON)
            for rule in sorted(asking)[:MAX_RULES]
        ]
    )
