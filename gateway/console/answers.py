"""What a button did, in a sentence that is true: from the spool's `Change` to words, by way of a sealed query parameter.

The redirect after a POST leads to the page that shows the state of things; the answer rides along sealed to
the link, so that nobody can make the page say "cancelled" of a mail that was not.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from gateway.languages import Words
from gateway.spool.lifecycle import State
from gateway.spool.values import Change, Stored
from gateway.values import dataclass

ACTS = frozenset({"cancel", "confirm", "release"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Sentences to show, and whether somebody should be worried."""

    sentences: tuple[str, ...]
    warning: bool = False


def pack(act: str, change: Change | None, at_once: Counter[str] | None = None) -> dict[str, Any]:
    """Return the answer in the form that is sealed: counts only. No change at all means that nothing was
    ticked. `at_once` are those of the late ones that nothing was to hold (see `unheld`)."""
    if change is None:
        return {"act": act, "none": 1}
    late = Counter(state.value for _, state in change.not_done)
    late.subtract({State.DELIVERED.value: 0, State.ACTIVE.value: 0})
    once = Counter(at_once or ())
    late[State.DELIVERED.value] -= once["inside"] + once["outside"]
    late[State.ACTIVE.value] -= once["leaving"]
    return {
        "act": act,
        "done": len(change.done) - len(change.perhaps),
        "perhaps": len(change.perhaps),
        "late": dict(+late),
        "once": dict(+once),
    }


def kept(message: Stored, change: Change, because: str) -> dict[str, Any]:
    """Return why recipients that were to go now stay held, for the sealed answer: people are waited for, or a reason is."""
    rows = {row.index: row for row in message.recipients}
    held = [rows[index] for index, state in change.not_done if state is State.HELD and index in rows]
    people = [row for row in held if row.due_at is None]
    reasoned = [] if because else [row for row in held if message.decision.of(row.index).demands.reasoned]
    return {"people": len(people), "reason": len(reasoned)}


def unheld(message: Stored, change: Change) -> Counter[str]:
    """Count who got the mail at once because no rule held it: that is no failure of a cancel for all.

    Keys: `inside` and `outside` (sent), `leaving` (being sent).
    """
    counts: Counter[str] = Counter()
    for index, state in change.not_done:
        outcome = message.decision.of(index)
        if outcome.waits:
            continue
        if state is State.ACTIVE:
            counts["leaving"] += 1
        elif state is State.DELIVERED:
            counts["outside" if outcome.external else "inside"] += 1
    return counts


def unpack(value: dict[str, Any], words: Words) -> Answer:
    """Return the sentences for a sealed answer."""
    if "none" in value:
        return Answer((words.gettext("No recipient is ticked. Nothing was changed."),), warning=True)
    late = {State(name): int(count) for name, count in value.get("late", {}).items()}
    if value["act"] == "cancel":
        once = {name: int(count) for name, count in value.get("once", {}).items()}
        return _cancelled(int(value["done"]), int(value.get("perhaps", 0)), late, once, words)
    if value["act"] == "confirm":
        return _confirmed(int(value["done"]), int(value["left"]), int(value["files"]), words)
    return _released(
        int(value["done"]), late, words, int(value.get("people", 0)), int(value.get("reason", 0))
    )


def _cancelled(done: int, perhaps: int, late: dict[State, int], once: dict[str, int], words: Words) -> Answer:
    gone = late.get(State.ACTIVE, 0) + late.get(State.DELIVERED, 0)
    sentences = [
        words.ngettext("Cancelled for %(n)s recipient.", "Cancelled for %(n)s recipients.", done)
        if done
        else "",
        words.ngettext(
            "Cancelled for %(n)s recipient, but the mail may have arrived there already.",
            "Cancelled for %(n)s recipients, but the mail may have arrived there already.",
            perhaps,
        )
        if perhaps
        else "",
        _too_late(late, words),
        _at_once(once, words),
        _already_cancelled(late, words),
        _not_delivered(late, words),
    ]
    return _answer(sentences, gone + perhaps > 0, words)


def _confirmed(done: int, left: int, files: int, words: Words) -> Answer:
    sentences = [
        words.ngettext("Confirmed for %(n)s recipient.", "Confirmed for %(n)s recipients.", done)
        if done
        else "",
        words.ngettext("%(n)s attachment is not ticked.", "%(n)s attachments are not ticked.", files)
        if files
        else "",
        words.ngettext("%(n)s recipient waits for a tick.", "%(n)s recipients wait for a tick.", left)
        if left
        else "",
    ]
    return _answer(sentences, left > 0, words)


def _released(done: int, late: dict[State, int], words: Words, people: int = 0, reason: int = 0) -> Answer:
    moving = sum(
        late.get(state, 0) for state in (State.QUEUED, State.ACTIVE, State.DEFERRED, State.DELIVERED)
    )
    sentences = [
        words.ngettext("Released for %(n)s recipient.", "Released for %(n)s recipients.", done)
        if done
        else "",
        words.ngettext("%(n)s was on its way already.", "%(n)s were on their way already.", moving)
        if moving
        else "",
        _already_cancelled(late, words),
        _not_delivered(late, words),
    ]
    if people:
        sentences.append(
            words.ngettext(
                "%(n)s still waits for people: what they have to do cannot be left out.",
                "%(n)s still wait for people: what they have to do cannot be left out.",
                people,
            )
        )
    if reason:
        sentences.append(words.gettext("To send it before its time, write a reason."))
    stays = late.get(State.HELD, 0) - people - reason
    if stays > 0:
        sentences.append(
            words.ngettext(
                "%(n)s stays held: a rule says that it may not leave earlier.",
                "%(n)s stay held: a rule says that they may not leave earlier.",
                stays,
            )
        )
    return _answer(sentences, False, words)


def _too_late(late: dict[State, int], words: Words) -> str:
    leaving, left = late.get(State.ACTIVE, 0), late.get(State.DELIVERED, 0)
    parts = [
        words.ngettext("Too late for %(n)s: it was sent.", "Too late for %(n)s: they were sent.", left)
        if left
        else "",
        words.ngettext(
            "Too late for %(n)s: it is being sent now.",
            "Too late for %(n)s: they are being sent now.",
            leaving,
        )
        if leaving
        else "",
    ]
    return _joined(parts, words)


def _at_once(once: dict[str, int], words: Words) -> str:
    inside, outside, leaving = (once.get(name, 0) for name in ("inside", "outside", "leaving"))
    parts = [
        words.ngettext(
            "%(n)s recipient inside got it at once, as intended.",
            "%(n)s recipients inside got it at once, as intended.",
            inside,
        )
        if inside
        else "",
        words.ngettext(
            "%(n)s recipient outside got it at once: no rule holds such mail.",
            "%(n)s recipients outside got it at once: no rule holds such mail.",
            outside,
        )
        if outside
        else "",
        words.ngettext(
            "It is being sent to %(n)s recipient whom no rule lets wait.",
            "It is being sent to %(n)s recipients whom no rule lets wait.",
            leaving,
        )
        if leaving
        else "",
    ]
    return _joined(parts, words)


def _already_cancelled(late: dict[State, int], words: Words) -> str:
    n = late.get(State.CANCELLED, 0)
    return words.ngettext("%(n)s was cancelled before.", "%(n)s were cancelled before.", n) if n else ""


def _not_delivered(late: dict[State, int], words: Words) -> str:
    n = late.get(State.BOUNCED, 0)
    return words.ngettext("%(n)s could not be delivered.", "%(n)s could not be delivered.", n) if n else ""


def _joined(parts: list[str], words: Words) -> str:
    return ("" if words.language == "ja" else " ").join(part for part in parts if part)


def _answer(sentences: list[str], warning: bool, words: Words) -> Answer:
    told = tuple(sentence for sentence in sentences if sentence)
    return Answer(told or (words.gettext("There was nothing left to change."),), warning)
