"""The form by which a sender says how keys get to recipients, as plain values. Pure.

One form for each set of ways that the rules allow. A key itself is never in these values.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.console import view
from gateway.console.files_view import missing_ways
from gateway.file_fates import way_name
from gateway.languages import Words, shown
from gateway.policy.protection import WITHIN, Way
from gateway.spool.key_contract import KeyStatus, Stage
from gateway.spool.values import Recipient, Stored
from gateway.values import dataclass

NUMBERS_AT_ONCE = 200
"""Recipients in one form: each may have a number, and each number is a transaction. The next form has the next."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One recipient whose key has no way."""

    index: int
    address: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One way that may be chosen; `hint` says what follows from it."""

    way: str
    name: str
    hint: str


@dataclass(frozen=True, slots=True)
class Supply:
    """One form: who waits, what may be chosen, whether numbers are asked for, and when the mail is cancelled by itself.

    `failed`: the mail is there, and its key did not get there.
    """

    waiting: tuple[Waiting, ...]
    more: int
    choices: tuple[Choice, ...]
    numbers: bool
    until: str
    failed: bool


def supplies(
    message: Stored, statuses: Sequence[KeyStatus], words: Words, usable: frozenset[Way] = frozenset(Way)
) -> tuple[Supply, ...]:
    """Return the forms for this moment; none where nobody's key lacks a way, or where no way is allowed and usable."""
    by_ways: dict[tuple[bool, tuple[Way, ...]], list[Recipient]] = {}
    for row, status in missing_ways(message, statuses):
        handling = message.decision.of(row.index).handling
        failed = status.stage is Stage.FAILED
        ways = () if handling is None else handling.ways
        usable -= {Way.CODE_PAGE}  # it opens links that have no key
        # A mail that is there was sealed with its key: one agreed on would be another.
        ways = tuple([way for way in ways if way in usable and not (failed and way is Way.PREAGREED)])
        if ways:
            by_ways.setdefault((failed, ways), []).append(row)
    by_need = sorted(by_ways.items(), key=lambda each: each[0][0])  # what a mail waits for comes first
    return tuple([_supply(message, failed, ways, rows, words) for (failed, ways), rows in by_need])


def _supply(
    message: Stored, failed: bool, ways: tuple[Way, ...], rows: Sequence[Recipient], words: Words
) -> Supply:
    listed = rows[:NUMBERS_AT_ONCE]
    return Supply(
        waiting=tuple([Waiting(row.index, shown(str(row.address), view.ADDRESS)) for row in listed]),
        more=len(rows) - len(listed),
        choices=tuple([Choice(way.value, way_name(way, words), hint(way, words)) for way in ways]),
        numbers=Way.SMS in ways,
        until="" if failed else words.moment(min(_ends(message, row.index) for row in rows)),
        failed=failed,
    )


def _ends(message: Stored, index: int) -> datetime:
    handling = message.decision.of(index).handling
    return message.received_at + (handling.within if handling is not None else WITHIN)


def hint(way: Way, words: Words) -> str:
    """Say what choosing a way means for the sender."""
    _ = words.gettext
    return {
        Way.SENDER: _("You get the key and a script for the call once the mail has left."),
        Way.SMS: _("Write the number of each recipient's mobile telephone below."),
        Way.PREAGREED: _("The files are sealed with the key that you and the recipient agreed on."),
        Way.SECOND_MAIL: _("Weak: who reads the one mail can read the other."),
    }[way]
