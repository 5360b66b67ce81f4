"""What happened to the files behind links, line by line, as the event log has it: a pure step to the template.

Whatever a stranger chose passes `shown`. Recipients that the sender does not know of are in no line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.console import view
from gateway.languages import Words, shown
from gateway.spool.lifecycle import Kind
from gateway.spool.share_contract import Happened
from gateway.spool.values import Stored
from gateway.values import dataclass

LINES = 500  # the last ones; one recipient can cause some dozens a day
NAMED = 3  # recipients named in a line
CLIENT = 64  # characters of a network address


@dataclass(frozen=True, slots=True)
class Line:
    """One event: when, who (of those whom the sender knows), what, and from which address of the network."""

    at: str
    who: str
    what: str
    client: str


@dataclass(frozen=True, slots=True)
class History:
    """The last events, oldest first; `before` is how many earlier ones are not listed."""

    lines: tuple[Line, ...]
    before: int


NOTHING = History((), 0)


def history(message: Stored, happened: Sequence[Happened], words: Words) -> History:
    """Return the lines."""
    addresses = {row.index: shown(str(row.address), view.ADDRESS) for row in message.recipients}
    known = [each for each in happened if any(index in addresses for index in each.recipients)]
    cut = known[-LINES:]
    return History(tuple([_line(each, addresses, words) for each in cut]), len(known) - len(cut))


def _line(each: Happened, addresses: Mapping[int, str], words: Words) -> Line:
    named = [addresses[index] for index in each.recipients if index in addresses]
    return Line(
        at=words.moment(each.at),
        who=", ".join(named[:NAMED]) + (", …" if len(named) > NAMED else ""),
        what=what(each, words),
        client=shown(each.client, CLIENT),
    )


def what(each: Happened, words: Words) -> str:
    """Say what happened."""
    _ = words.gettext
    if each.kind is Kind.SHARE_FETCHED:
        return _("fetched %(name)s") % {"name": shown(each.name, view.FILE_NAME) or _("(no name)")}
    return {
        Kind.SHARE_CODE: _("asked for a code to be mailed"),
        Kind.SHARE_OPENED: _("entered the code and opened the page"),
        Kind.SHARE_DENIED: _("entered a wrong code or key"),
        Kind.SHARE_LOCKED: _("was locked"),
        Kind.SHARE_UNLOCKED: _("was unlocked"),
        Kind.SHARE_EXTENDED: _("was extended"),
        Kind.SHARE_ENDED: _("was closed"),
    }.get(each.kind, each.kind.value)
