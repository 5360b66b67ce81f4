"""A verb for many mails, before and after: what would happen to each, and what did, as plain values. Pure.

Says nothing kinder than the truth: what cannot be done is named with why, and afterwards each mail tells its own result.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.acting.each import Undone
from gateway.acting.wish import Verb, Wish
from gateway.console import view
from gateway.console.mail.list_view import SUBJECT
from gateway.console.mail.many_words import names, noted, question, short_names, stay_held, summary, why_not
from gateway.console.undone import undone
from gateway.languages import Words, shown
from gateway.people.contract import Person
from gateway.people.sight import Act, roles_for
from gateway.spool.lifecycle import CANCELLABLE, State
from gateway.spool.values import Change, Stored
from gateway.values import dataclass

VERBS = (Verb.CANCEL, Verb.FREEZE, Verb.THAW, Verb.RELEASE)
"""What the list offers; approving many has a page of its own."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One chosen mail: None where it is not there for this person; `acts` is what they may do with it."""

    queue_id: str
    message: Stored | None
    acts: frozenset[Act] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """One mail in the preview or the answer; `count` is how many recipients it is about, `note` why not, or what else."""

    queue_id: str
    subject: str
    sender: str
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen: `can` mails with so many recipients, and those with which nothing can be done."""

    verb: str
    title: str
    question: str
    button: str
    can: tuple[Item, ...]
    cannot: tuple[Item, ...]
    recipients: int
    needs_reason: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What happened: mails it was done to, and those it was not, or not wholly."""

    title: str
    summary: str
    done: tuple[Item, ...]
    left: tuple[Item, ...]


def verbs_for(person: Person, words: Words) -> list[tuple[str, str]]:
    """Return the verbs that this person's roles may do to some mail at all."""
    known = short_names(words)
    return [(verb.value, known[verb]) for verb in VERBS if person.roles & roles_for(Wish(verb).act)]


def preview(verb: Verb, chosen: Sequence[Candidate], words: Words) -> Preview:
    """Say what would happen to each of the chosen mails."""
    can: list[Item] = []
    cannot: list[Item] = []
    for each in chosen:
        item, possible = _foreseen(verb, each, words)
        (can if possible else cannot).append(item)
    recipients = sum(item.count for item in can)
    return Preview(
        verb=verb.value,
        title=names(words)[verb],
        question=question(verb, len(can), recipients, words),
        button=names(words)[verb],
        can=tuple(can),
        cannot=tuple(cannot),
        recipients=recipients,
        needs_reason=verb is Verb.RELEASE and any(_reasoned(each) for each in chosen),
    )


def result(verb: Verb, outcomes: Sequence[tuple[Candidate, Change | Undone]], words: Words) -> Result:
    """Say what was done to each mail, or why nothing was."""
    done: list[Item] = []
    left: list[Item] = []
    for each, change in outcomes:
        whole = isinstance(change, Change) and change.done and not _late(change)
        (done if whole else left).append(_became(each, change, words))
    return Result(
        title=names(words)[verb],
        summary=summary(verb, len(done), sum(item.count for item in (*done, *left)), words),
        done=tuple(done),
        left=tuple(left),
    )


def _foreseen(verb: Verb, each: Candidate, words: Words) -> tuple[Item, bool]:
    message = each.message
    if message is None:
        return Item(
            shown(each.queue_id, SUBJECT), "", "", 0, words.gettext("It is not there any more.")
        ), False
    if Wish(verb).act not in each.acts:
        return _item(message, 0, words.gettext("Your account may not do this with it."), words), False
    count, waiting = _reach(verb, message)
    if count:
        return _item(message, count, stay_held(waiting, words) if waiting else "", words), True
    return _item(message, 0, why_not(verb, message.frozen is not None, waiting, words), words), False


def _reach(verb: Verb, message: Stored) -> tuple[int, int]:
    """Return whom a verb would change, and who stays held because people are waited for."""
    frozen = message.frozen is not None
    if verb is Verb.CANCEL or (verb is Verb.FREEZE and not frozen):
        return sum(row.state in CANCELLABLE for row in message.recipients), 0
    if verb is not Verb.RELEASE and not (verb is Verb.THAW and frozen):
        return 0, 0
    held = [row for row in message.recipients if row.state is State.HELD]
    if verb is Verb.THAW:
        return len(held), 0
    return sum(row.due_at is not None for row in held), sum(row.due_at is None for row in held)


def _reasoned(each: Candidate) -> bool:
    message = each.message
    return message is not None and any(
        message.decision.of(row.index).demands.reasoned
        for row in message.recipients
        if row.state is State.HELD
    )


def _late(change: Change) -> int:
    """Count those to whom it came too late; who is done with is not late."""
    return sum(state not in (State.CANCELLED, State.DELIVERED, State.BOUNCED) for _, state in change.not_done)


def _became(each: Candidate, change: Change | Undone, words: Words) -> Item:
    if each.message is None or isinstance(change, Undone):
        note = undone(change if isinstance(change, Undone) else Undone.GONE, words)
        name = shown(each.queue_id, SUBJECT) if each.message is None else _subject(each.message, words)
        return Item(shown(each.queue_id, SUBJECT), name, "", 0, note)
    return _item(each.message, len(change.done), noted(change, words), words)


def _item(message: Stored, count: int, note: str, words: Words) -> Item:
    sender = shown(str(message.envelope.sender or "<>"), view.ADDRESS)
    return Item(message.queue_id, _subject(message, words), sender, count, note)


def _subject(message: Stored, words: Words) -> str:
    return shown(message.subject, SUBJECT) or words.gettext("(no subject)")
