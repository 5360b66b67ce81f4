"""What a colleague sees who may stop a mail, as plain values: a pure step from the message and from what their copy showed.

Addresses of others stand here only as their own copy showed them in To and Cc.
"""

from __future__ import annotations

from datetime import datetime

from gateway.console import view
from gateway.languages import Words, shown
from gateway.spool.lifecycle import CANCELLABLE, State
from gateway.spool.values import Recipient, Stored
from gateway.transform.preview import Preview, Sight
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class ColleaguePage:
    """`stoppable` recipients outside can still be stopped; `tally` says how it stands for all outside. `leaves` is empty
    where it waits for people, whatever the time."""

    subject: str
    sender: str
    received: str
    zone: str
    person: str
    to: str
    cc: str
    outside: int
    stoppable: int
    leaves: str
    tally: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What the button did."""

    sentences: tuple[str, ...]
    warning: bool = False


def build(message: Stored, index: int, seen: Preview, words: Words) -> ColleaguePage:
    """Return the page for this moment; `seen` is the preview of this recipient's copy."""
    outside = [row for row in message.as_handed_in.recipients if row.external]
    sight = next((group.sight for group in seen.groups), None) or Sight()
    sender = message.envelope.sender
    return ColleaguePage(
        subject=view.subject_of(message, words),
        sender=shown(str(sender), view.ADDRESS) if sender is not None else "",
        received=words.moment(message.received_at),
        zone=words.zone_name(),
        person=shown(str(message.envelope.recipients[index]), view.ADDRESS),
        to=shown(sight.to, view.FIELD),
        cc=shown(sight.cc, view.FIELD),
        outside=len(outside),
        stoppable=sum(row.state in CANCELLABLE for row in outside),
        leaves=_leaves(outside, words),
        tally=_tally(outside, words),
    )


def told(done: int, late: int, words: Words) -> Told:
    """Say what was stopped, and what was not."""
    stopped = words.ngettext("Stopped: %(n)s recipient.", "Stopped: %(n)s recipients.", done)
    gone = words.ngettext(
        "Too late for %(n)s recipient: the mail has left for it, or was stopped before.",
        "Too late for %(n)s recipients: the mail has left for them, or was stopped before.",
        late,
    )
    sentences = [*([stopped] if done else []), *([gone] if late or not done else [])]
    if done:
        sentences.append(words.gettext("The sender is told that you stopped it, and why."))
    return Told(tuple(sentences), warning=not done)


def _leaves(outside: list[Recipient], words: Words) -> str:
    held = [row.due_at for row in outside if row.state is State.HELD]
    moments: list[datetime] = [at for at in held if at is not None]
    return words.moment(min(moments)) if moments and len(moments) == len(held) else ""


def _tally(outside: list[Recipient], words: Words) -> tuple[tuple[str, str, int], ...]:
    names = view.state_names(words)
    counts = {state: sum(row.state is state for row in outside) for state in names}
    return tuple((state.value, names[state], count) for state, count in counts.items() if count)
