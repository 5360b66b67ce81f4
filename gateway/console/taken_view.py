"""What taking back can do, and what it did, by recipient and in words: a pure step to the template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from gateway.console import view
from gateway.console.prospects import KINDER, Fates, Prospect
from gateway.languages import Words, shown
from gateway.spool.share_contract import TakenBack
from gateway.spool.values import Stored
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    """Recipients with one fate; `more` are not listed. `good`: nothing of it can be read, or not any more."""

    title: str
    good: bool
    people: tuple[str, ...]
    more: int


def listed(found: Fates, words: Words) -> tuple[Listed, ...]:
    """Say what taking back would do."""
    titles = _before(words)
    return tuple(
        [
            _listed(titles[prospect], prospect in KINDER, [str(row.address) for row in rows])
            for prospect, rows in found.by_prospect
        ]
    )


def told(message: Stored, taken: TakenBack, words: Words) -> tuple[Listed, ...]:
    """Say what taking back did, to those whom the sender knows of."""
    _ = words.gettext
    addresses = {row.index: str(row.address) for row in message.recipients}
    groups: Sequence[tuple[str, bool, list[str]]] = (
        (_("Not sent, and never will be"), True, _named(taken.stopped, addresses)),
        (_("Has the mail, but never opened the link; the files are closed now"), True, _named(taken.locked, addresses)),
        (
            _("Has the mail, but never got the key; it is not sent any more"),
            True,
            _named(taken.unkeyed, addresses),
        ),
        (
            _("Had opened the link before; the files are closed now, what was fetched is gone"),
            False,
            _opened(taken.opened, addresses, words),
        ),
        (_("Has all of it: this cannot be undone"), False, _named(taken.gone, addresses)),
    )  # fmt: skip
    return tuple([_listed(*group) for group in groups if group[2]])


def _before(words: Words) -> dict[Prospect, str]:
    _ = words.gettext
    return {
        Prospect.STOPPED: _("Has not left: it will not be sent"),
        Prospect.PERHAPS: _("Will not be sent again, but may have arrived already"),
        Prospect.LEAVING: _("Is being sent at this moment: too late to stop, what has not gone of its key will not go"),
        Prospect.LOCKED: _("Has the mail, but has not opened the link: the files can be closed"),
        Prospect.UNKEYED: _("Has the mail, but not the key: the key will not be sent"),
        Prospect.OPENED: _("Has opened the link: the files can be closed, what was fetched is gone"),
        Prospect.CLOSED: _("Has the mail; the link was never opened and is over"),
        Prospect.FAILED: _("Has the mail; the key could not be sent, and will not be"),
        Prospect.MAILED: _("Has the mail; the second mail with the key is stopped if it has not left yet"),
        Prospect.HALTED: _("Has the mail; its key was stopped before, and never goes"),
        Prospect.SEEN: _("Had opened the link, which is over; what was fetched is gone"),
        Prospect.GONE: _("Has all of it: nothing can be taken back"),
        Prospect.OVER: _("Was cancelled before, or never arrived"),
    }  # fmt: skip


def _named(indexes: Iterable[int], addresses: Mapping[int, str]) -> list[str]:
    return [addresses[index] for index in indexes if index in addresses]


def _opened(opened: Iterable[tuple[int, datetime]], addresses: Mapping[int, str], words: Words) -> list[str]:
    known = [(addresses[index], at) for index, at in opened if index in addresses]
    return [
        words.gettext("%(who)s (opened %(at)s)") % {"who": who, "at": words.moment(at)} for who, at in known
    ]


def _listed(title: str, good: bool, people: Sequence[str]) -> Listed:
    cut = people[: view.SHOWN_RECIPIENTS]
    return Listed(title, good, tuple([shown(each, view.ADDRESS) for each in cut]), len(people) - len(cut))
