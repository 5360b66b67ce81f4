"""What the sender has to tick, as plain values: a pure step from what is asked to the boxes of a form."""

from __future__ import annotations

from gateway.console import view
from gateway.languages import Words, shown, size
from gateway.policy.demands import Confirmation
from gateway.spool.second_look import Look
from gateway.spool.values import Stored
from gateway.transform.preview import Preview
from gateway.values import dataclass
from gateway.waiting import open_looks


@dataclass(frozen=True, slots=True)
class Tick:
    """One box: its number in the form, what it stands for, and whether it was ticked before."""

    number: int
    name: str
    detail: str
    done: bool


@dataclass(frozen=True, slots=True)
class Ticks:
    """What is left to tick; `more` recipients are not listed. Both empty: nothing."""

    recipients: tuple[Tick, ...]
    more: int
    files: tuple[Tick, ...]
    needed: bool


def ticks(message: Stored, seen: Preview, words: Words) -> Ticks:
    """Return the boxes for this moment."""
    looks = confirmations(message)
    rows = {row.index: row for row in message.recipients}
    wanted = sorted(
        {index for look in looks if _of_recipients(look) for index in look.shown if index in rows}
    )
    done = {index for index in wanted if all(index in look.ticked for look in looks if _of_recipients(look))}
    listed = wanted[: view.SHOWN_RECIPIENTS]
    files = [
        Tick(
            number,
            shown(item.name, view.FILE_NAME) or words.gettext("(no name)"),
            size(item.size_bytes),
            False,
        )
        for number, item in enumerate(seen.attachments or ())
    ]
    return Ticks(
        recipients=tuple([_recipient(index, message, rows[index].address, done) for index in listed]),
        more=len(wanted) - len(listed),
        files=tuple(files) if any(of_attachments(look) for look in looks) else (),
        needed=bool(looks),
    )


def _recipient(index: int, message: Stored, address: object, done: set[int]) -> Tick:
    outside = message.decision.of(index).external
    return Tick(index, shown(str(address), view.ADDRESS), "outside" if outside else "inside", index in done)


def confirmations(message: Stored) -> list[Look]:
    """Return the confirmations that somebody waits for."""
    return [look for look in open_looks(message) if isinstance(look.demand, Confirmation)]


def _of_recipients(look: Look) -> bool:
    return isinstance(look.demand, Confirmation) and look.demand.of_recipients


def of_attachments(look: Look) -> bool:
    """Tell whether attachments are still to be ticked."""
    return isinstance(look.demand, Confirmation) and look.demand.of_attachments and not look.attachments
