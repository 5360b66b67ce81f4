"""The list of held mail as plain values: a pure step from the lines that the store gives to the template.

Whatever a stranger chose passes `shown` here. What a mail waits for is said in words, most pressing first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.console import view
from gateway.console.mail.asked import Asked
from gateway.languages import Words, shown
from gateway.spool.list_contract import HeldLine, HeldPage, Waits
from gateway.values import dataclass

SUBJECT = 120  # characters of a subject in a list; the page of the mail has more


@dataclass(frozen=True, slots=True)
class Line:
    """One mail. `due` is when the first of its recipients leaves by time, empty where all wait for people."""

    queue_id: str
    subject: str
    sender: str
    received: str
    held: int
    total: int
    outside: int
    due: str
    left: str
    left_s: int
    waits: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page; `next` and `first` are ends of addresses, empty where there is none."""

    lines: tuple[Line, ...]
    found: int
    at_least: bool
    next: str
    first: str
    counting: bool


def build(page: HeldPage, asked: Asked, words: Words, now: datetime) -> ListPage:
    """Return the page for this moment."""
    lines = tuple([_line(line, words, now) for line in page.lines])
    return ListPage(
        lines=lines,
        found=page.found,
        at_least=page.at_least,
        next=asked.query(page.after) if page.after else "",
        first=(asked.query() or "?") if asked.after else "",
        counting=any(line.left_s for line in lines),
    )


def waits_names(words: Words) -> dict[Waits, str]:
    """Return the words for what a mail waits for."""
    _ = words.gettext
    return {
        Waits.FROZEN: _("Frozen"),
        Waits.APPROVAL: _("Approval"),
        Waits.CONFIRMATION: _("The sender's confirmation"),
        Waits.KEY_WAY: _("A way for the key"),
        Waits.TIME: _("Time only"),
    }


def options(words: Words) -> dict[str, list[tuple[str, str]]]:
    """Return what the form offers to choose from."""
    _ = words.gettext
    return {
        "waits": [("", _("Anything")), *[(each.value, name) for each, name in waits_names(words).items()]],
        "order": [
            ("", _("Newest first")),
            ("oldest", _("Oldest first")),
            ("due", _("What leaves next first")),
            ("sender", _("By sender")),
        ],
    }


def _line(line: HeldLine, words: Words, now: datetime) -> Line:
    due = None if Waits.FROZEN in line.waits else line.due_at
    return Line(
        queue_id=line.queue_id,
        subject=shown(line.subject, SUBJECT) or words.gettext("(no subject)"),
        sender=shown(line.sender, view.ADDRESS) or "<>",
        received=words.moment(line.received_at),
        held=line.held,
        total=line.total,
        outside=line.outside,
        due=words.moment(due) if due else "",
        left=words.duration(due - now) if due and due > now else "",
        left_s=max(0, int((due - now).total_seconds())) if due else 0,
        waits=tuple(_told(line.waits, words)),
    )


def _told(waits: Iterable[Waits], words: Words) -> list[tuple[str, str]]:
    """Return what is waited for; that time runs is said where nothing else is waited for."""
    people = [(each.value, name) for each, name in waits_names(words).items() if each in waits]
    return [each for each in people if each[0] != Waits.TIME.value] or people
