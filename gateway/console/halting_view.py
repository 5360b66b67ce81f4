"""What can be done to a mail that must not leave as it is and is not cancelled, as plain values, and what became of it.

Pure.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from gateway.console import view
from gateway.console.answers import Answer
from gateway.languages import Words, shown
from gateway.spool.halt_contract import LONGEST
from gateway.spool.lifecycle import CANCELLABLE, State
from gateway.spool.values import Actor, Change, Stored
from gateway.values import dataclass

ACTS = frozenset({"freeze", "thaw", "longer", "correct"})
HOURS = (1, 4, 24, 72, 168)
"""From now, for how many hours a mail may be made to wait."""

CORRECTABLE = 200  # recipients that the form offers; of more the address is looked for and typed


@dataclass(frozen=True, slots=True)
class Halting:
    """`frozen` are sentences about who stopped the timer, empty where nobody did; `thaws` tells whether this person may
    start it again. `recipients` are those who can be corrected."""

    frozen: tuple[str, ...]
    thaws: bool
    freezes: bool
    hours: tuple[tuple[str, str], ...]
    recipients: tuple[tuple[str, str], ...]


def halting(message: Stored, actor: Actor, words: Words, now: datetime) -> Halting:
    """Return what there is for this moment."""
    states = Counter(row.state for row in message.recipients)
    open_ = sum(states[state] for state in CANCELLABLE)
    frozen = message.frozen
    last = message.received_at + LONGEST
    spans = [hours for hours in HOURS if now + timedelta(hours=hours) < last]
    extends = states[State.HELD] > 0 and frozen is None and not message.unreadable
    stoppable = [row for row in message.recipients if row.state in CANCELLABLE][:CORRECTABLE]
    return Halting(
        frozen=() if frozen is None else _frozen(message, words),
        thaws=frozen is not None and (frozen.kind != "admin" or actor.kind == "admin"),
        freezes=bool(open_) and frozen is None and not message.unreadable,
        hours=tuple([(str(hours), words.duration(timedelta(hours=hours))) for hours in spans])
        if extends
        else (),
        recipients=()
        if message.unreadable
        else tuple([(str(row.index), shown(str(row.address), view.ADDRESS)) for row in stoppable]),
    )


def _frozen(message: Stored, words: Words) -> tuple[str, ...]:
    frozen = message.frozen
    if frozen is None:
        return ()
    told = {"at": words.moment(frozen.at), "who": shown(frozen.name, view.ADDRESS)}
    by = (
        words.gettext("%(who)s froze it at %(at)s.")
        if frozen.name
        else words.gettext("It was frozen at %(at)s.")
    )
    said = [by % told]
    if frozen.because:
        said.append(words.gettext("Reason: %(why)s") % {"why": shown(frozen.because, view.REASON)})
    until = {"until": words.moment(frozen.until)}
    said.append(
        words.gettext("Nothing of it leaves. If nobody thaws it by %(until)s, it is cancelled.") % until
    )
    return tuple(said)


def pack(act: str, change: Change, until: datetime | None = None) -> dict[str, Any]:
    """Return the answer in the form that is sealed: counts and a moment."""
    late = Counter(state.value for _, state in change.not_done)
    value: dict[str, Any] = {"act": act, "done": len(change.done), "late": dict(late)}
    if change.perhaps:
        value["perhaps"] = len(change.perhaps)
    return value if until is None else value | {"until": until.timestamp()}


def unpack(value: dict[str, Any], words: Words) -> Answer:
    """Return the sentences for a sealed answer."""
    _ = words.gettext
    if "missing" in value:
        sentence = {
            "whom": _("No recipient is chosen. Nothing was changed."),
            "address": _("This is no mail address. Nothing was changed."),
        }[str(value["missing"])]
        return Answer((sentence,), warning=True)
    act, done = str(value["act"]), int(value["done"])
    late = Counter({State(name): int(count) for name, count in value.get("late", {}).items()})
    if not done:
        return Answer((_nothing(act, words), *_gone(late, words)), warning=True)
    sentences = [_done(act, done, value, words)]
    if value.get("perhaps"):
        sentences.append(_("It may have arrived there already."))
    return Answer((*sentences, *_gone(late, words)), warning=bool(value.get("perhaps")))


def _done(act: str, done: int, value: dict[str, Any], words: Words) -> str:
    if act == "freeze":
        return words.ngettext(
            "Frozen for %(n)s recipient: nothing leaves before it is thawed.",
            "Frozen for %(n)s recipients: nothing leaves before it is thawed.",
            done,
        )
    if act == "thaw":
        return words.ngettext(
            "Thawed for %(n)s recipient: the rest of the time runs on.",
            "Thawed for %(n)s recipients: the rest of the time runs on.",
            done,
        )
    if act == "longer":
        at = datetime.fromtimestamp(float(value["until"]), tz=words.zone)
        sentence = words.ngettext(
            "%(n)s recipient waits until %%(at)s now.", "%(n)s recipients wait until %%(at)s now.", done
        )
        return sentence % {"at": words.moment(at)}
    return words.gettext(
        "It is not sent to this recipient. A letter with the address that was meant tells how to send it again."
    )


def _nothing(act: str, words: Words) -> str:
    _ = words.gettext
    return {
        "freeze": _("There is nothing left to freeze."),
        "thaw": _("It could not be thawed: it is not frozen, or an administrator froze it."),
        "longer": _("Nobody waits longer: what is held waits as long already, or longer than is allowed."),
        "correct": _("This recipient could not be corrected: it is too late."),
    }[act]


def _gone(late: Counter[State], words: Words) -> list[str]:
    """Say who cannot be stopped any more."""
    sent, leaving = late[State.DELIVERED], late[State.ACTIVE]
    return [
        sentence
        for count, sentence in (
            (
                sent,
                words.ngettext(
                    "Too late for %(n)s: it was sent.", "Too late for %(n)s: they were sent.", sent
                ),
            ),
            (
                leaving,
                words.ngettext(
                    "Too late for %(n)s: it is being sent now.",
                    "Too late for %(n)s: they are being sent now.",
                    leaving,
                ),
            ),
        )
        if count
    ]
