"""What somebody asks of the list, read from the address and written back into it. Pure.

An address may be typed, bookmarked and sent on: what cannot be read of it is left out, never an error. Every part is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from gateway.people.contract import Person
from gateway.spool.list_contract import HeldQuestion, Order, Scope, Waits
from gateway.values import dataclass

LONGEST = 200  # characters of one field
AFTER = 2_000  # characters of a place in a list, which holds a sort key
A_PAGE = 50  # mails

_E = TypeVar("_E", bound=StrEnum)
_TEXTS = ("words", "sender", "recipient", "group", "rule")
_ORDERS = {
    "": (Order.RECEIVED, True),
    "oldest": (Order.RECEIVED, False),
    "due": (Order.DUE, False),
    "sender": (Order.SENDER, False),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form as text; `mine` asks for one's own mail among that which one may see."""

    words: str = ""
    sender: str = ""
    recipient: str = ""
    group: str = ""
    rule: str = ""
    waits: str = ""
    since: str = ""
    until: str = ""
    order: str = ""
    mine: str = ""
    after: str = ""

    @property
    def narrowed(self) -> bool:
        """Tell whether anything behind the summary is asked for."""
        return any(
            (self.sender, self.recipient, self.group, self.rule, self.waits, self.since, self.until)
        ) or bool(self.order or self.mine)

    def query(self, after: str = "") -> str:
        """Return the end of an address that asks the same, from a place on."""
        names = (*_TEXTS, "waits", "since", "until", "order", "mine")
        given = {name: getattr(self, name) for name in names if getattr(self, name)}
        if after:
            given["after"] = after
        return f"?{urlencode(given)}" if given else ""


def read(query: Mapping[str, str]) -> Asked:
    """Read an address; what is not one of the words that the form offers is left out."""
    texts = {name: query.get(name, "").strip()[:LONGEST] for name in _TEXTS}
    since, until = _day(query.get("since", "")), _day(query.get("until", ""))
    return Asked(
        **texts,
        waits=_one_of(Waits, query.get("waits", "")),
        since=since.isoformat() if since else "",
        until=until.isoformat() if until else "",
        order=query.get("order", "") if query.get("order", "") in _ORDERS else "",
        mine="1" if query.get("mine") == "1" else "",
        after=query.get("after", "") if len(query.get("after", "")) <= AFTER else "",
    )


def question(asked: Asked, person: Person, scope: Scope, zone: ZoneInfo, limit: int = A_PAGE) -> HeldQuestion:
    """Return the question for what somebody may see. Days are those of the reader, and the last one counts whole."""
    order, descending = _ORDERS[asked.order]
    since, until = _day(asked.since), _day(asked.until)
    return HeldQuestion(
        scope=scope,
        words=asked.words,
        sender=asked.sender,
        recipient=asked.recipient,
        group=asked.group,
        rule=asked.rule,
        waits=Waits(asked.waits) if asked.waits else None,
        since=_midnight(since, zone) if since else None,
        until=_midnight(until + timedelta(days=1), zone) if until else None,
        order=order,
        descending=descending,
        after=asked.after,
        limit=limit,
        within=own(person) if asked.mine else None,
    )


def own(person: Person) -> Scope:
    """Return the mail that somebody sent."""
    return Scope(addresses=frozenset(person.addresses), logins=frozenset({person.login.casefold()}))


def _one_of(kind: type[_E], value: str) -> str:
    return value if value in {each.value for each in kind} else ""


def _day(text: str) -> date | None:
    """Read a day as browsers write it, up to one that has a day after it."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return day if 1970 <= day.year < 3000 else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
