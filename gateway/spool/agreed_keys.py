"""Keys that the organisation and a receiver agreed on, by address or by domain. Kept wrapped; shown to nobody.

The key of the address goes before that of its domain; a domain is exactly that one, not those below it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.message.address import AddressError, parse_path
from gateway.spool.key_contract import NoKey
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.times import from_us
from gateway.spool.values import Actor
from gateway.store.attachment_tables import agreed_keys
from gateway.store.events import Event, storable
from gateway.store.keys import MasterKey
from gateway.store.tx import Prepared, Queries, Tx
from gateway.store.wrapping import bound
from gateway.values import dataclass

MIN_KEY = 12
"""Characters: somebody chose it, and an archive is tried offline."""

MAX_KEY = 127
"""Octets: what a PDF takes (ISO 32000-2 7.6.4.3.3), and more than anybody types."""

AT_ONCE = 50  # names in one statement

_A = agreed_keys.c
_ONE = _A.who == bindparam("b_who")
_LIST = Prepared(select(_A.who, _A.set_at, _A.set_by, _A.key_id).order_by(_A.who))
_READ = Prepared(select(_A.key_id, _A.wrapped, _A.set_at).where(_ONE))
_AMONG = Prepared(
    select(_A.who).where(_A.who.in_([bindparam(f"b_{place}", None) for place in range(AT_ONCE)]))
)
_REMOVE = Prepared(agreed_keys.delete().where(_ONE))
_SET = Prepared(
    sa.text(
        "INSERT INTO agreed_keys (who, key_id, wrapped, set_at, set_by)"
        " VALUES (:b_who, :b_key_id, :b_wrapped, :b_set_at, :b_set_by) ON CONFLICT (who) DO UPDATE SET"
        " key_id = excluded.key_id, wrapped = excluded.wrapped, set_at = excluded.set_at, set_by = excluded.set_by"
    )
)


@dataclass(frozen=True, slots=True)
class Agreed:
    """Whom a key was agreed on with, and when and by whom it was set last."""

    who: str
    set_at: datetime
    set_by: str
    master: str


def who_of(text: str) -> str:
    """Return the name under which a key is kept: the address's key, or `@domain`; raises ValueError."""
    domain = text.startswith("@")
    try:
        address = parse_path(f"x{text}" if domain else text)
    except AddressError as error:
        raise ValueError(f"not an address and not @domain: {error}") from None
    if address.ambiguous:
        raise ValueError("an address that can be read in two ways")
    return f"@{address.domain}" if domain else address.key


def checked(text: str) -> str:
    """Return a key that every program writes alike; raises ValueError, which does not quote it."""
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("a key is of printable ASCII characters, without spaces around it")
    if not MIN_KEY <= len(text) <= MAX_KEY:
        raise ValueError(f"a key has {MIN_KEY} to {MAX_KEY} characters")
    return text


def put(who: str, text: str, master: MasterKey, actor: Actor, now: int) -> Callable[[Tx], None]:
    """Set or replace a key."""
    wrapped = master.wrap(text.encode("ascii"), bound(agreed_keys.name, who))

    def job(tx: Tx) -> None:
        row = {"b_key_id": master.key_id, "b_wrapped": wrapped, "b_set_at": now}
        tx.run(_SET, {"b_who": who, "b_set_by": storable(actor.name)} | row)
        tx.under(master.key_id)
        tx.event(_event(who, "set", actor, now))

    return job


def remove(who: str, actor: Actor, now: int) -> Callable[[Tx], bool]:
    """Remove a key; tell whether there was one."""

    def job(tx: Tx) -> bool:
        if not tx.run(_REMOVE, {"b_who": who}):
            return False
        tx.event(_event(who, "removed", actor, now))
        return True

    return job


def listed(queries: Queries) -> list[Agreed]:
    """Return all that have one."""
    return [Agreed(who, from_us(at), by, master) for who, at, by, master in queries.rows(_LIST)]


def among(addresses: Collection[str]) -> Callable[[Queries], frozenset[str]]:
    """Return those of these addresses (keys) that have one, of their own or of their domain."""
    names = sorted({name for address in addresses for name in _names(address)})

    def read(queries: Queries) -> frozenset[str]:
        there = set[str]()
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            padded = *some, *[some[0]] * (AT_ONCE - len(some))
            rows = queries.rows(_AMONG, {f"b_{place}": name for place, name in enumerate(padded)})
            there.update(row[0] for row in rows)
        return frozenset(address for address in addresses if there.intersection(_names(address)))

    return read


def agreed_with(queries: Queries, address: str, master: MasterKey) -> tuple[str, str]:
    """Return which key is agreed on with an address, and its text; raises NoKey, MasterKeyError."""
    for name in _names(address):
        row = queries.row(_READ, {"b_who": name})
        if row is not None:
            holder = master.holding(row[0]) or master
            text = holder.unwrap(bytes(row[1]), bound(agreed_keys.name, name))
            return f"agreed:{name}:{row[2]}", text.decode("ascii")
    raise NoKey("none")


def _names(address: str) -> Iterable[str]:
    return address, f"@{address.rpartition('@')[2]}"


def _event(who: str, what: str, actor: Actor, now: int) -> Event:
    detail = {"who": who, "what": what}
    return Event(now, None, Kind.AGREED_KEY, Reason.BY_ADMIN, actor.kind, actor.name, detail=detail)
