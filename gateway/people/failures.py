"""Wrong entries at sign-in: counted, and when nothing more is looked at. Jobs' parts.

Who guesses is stopped, and cannot stop anybody else (docs/decisions/0080-lock-out.md). What is counted together:

- a browser in which this person has signed in before, by its cookie: nobody else's failures count there;
- a login, in all browsers that are new to it, whether it exists or not;
- a network, in all of those: NETWORK_FACTOR times as many, for an office stands behind one address.

After `lock_after` failures nothing is looked at until `lock_for` has passed since the last that was. Names are kept as keyed
hashes: people type passwords into the wrong box.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from ipaddress import ip_address, ip_network

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.people.rows import login_key
from gateway.people.session_rows import Origin
from gateway.spool.times import span_us
from gateway.store.people_tables import sign_in_failures
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

NETWORK_FACTOR = 4
IPV6_LINE = 64  # bits of an IPv6 address that its provider gave; the rest is the client's to choose

_F = sign_in_failures.c
_READ = Prepared(select(_F.count, _F.failed_at).where(_F.who == bindparam("b_who")))
_COUNT = Prepared(
    sa.text(
        "INSERT INTO sign_in_failures (who, count, failed_at) VALUES (:b_who, 1, :b_at)"
        " ON CONFLICT (who) DO UPDATE SET failed_at = excluded.failed_at, count = CASE"
        " WHEN sign_in_failures.failed_at <= :b_over THEN 1 ELSE sign_in_failures.count + 1 END"
    )
)
_FORGET = Prepared(sign_in_failures.delete().where(_F.who == bindparam("b_who")))
_SWEEP = Prepared(sign_in_failures.delete().where(_F.failed_at <= bindparam("b_over")))


@dataclass(frozen=True, slots=True)
class Lock:
    """When sign-in is closed, and for how long."""

    after: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Counted:
    """What one attempt counts on: name and how many failures close it."""

    names: tuple[tuple[str, int], ...]
    home: bool


def counted(key: bytes, login: str, origin: Origin, lock: Lock, *, home: bool) -> Counted:
    """Return what an attempt counts on; `home` is whether this person has signed in there before."""
    who = _keyed(key, login_key(login))
    if home:
        return Counted(((f"browser {who} {_keyed(key, origin.browser)}", lock.after),), home)
    network = _keyed(key, network_of(origin.client))
    return Counted(((f"login {who}", lock.after), (f"network {network}", lock.after * NETWORK_FACTOR)), home)


def is_closed(queries: Queries, on: Counted, lock: Lock, now: int) -> bool:
    """Tell whether nothing is looked at now."""
    return any(_count(queries, name, lock, now) >= most for name, most in on.names)


def count(tx: Tx, on: Counted, lock: Lock, now: int) -> tuple[int, bool]:
    """Count a failure; return how many it makes on the first name, and whether it closes anything."""
    over = now - span_us(lock.span)
    tx.run(_SWEEP, {"b_over": over})
    for name, _ in on.names:
        tx.run(_COUNT, {"b_who": name, "b_at": now, "b_over": over})
    made = [(_count(tx, name, lock, now), most) for name, most in on.names]
    return made[0][0], any(have == most for have, most in made)


def forget(tx: Tx, on: Counted) -> None:
    """Begin anew for a login or a browser: its owner was there. A network's count stays: it has other people too."""
    for name, _ in on.names:
        if not name.startswith("network "):
            tx.run(_FORGET, {"b_who": name})


def forget_login(tx: Tx, key: bytes, login: str) -> None:
    """Open a login again in browsers that are new to it: an administrator says so."""
    tx.run(_FORGET, {"b_who": f"login {_keyed(key, login_key(login))}"})


def network_of(client: str) -> str:
    """Return what counts as one place: an IPv4 address, the network of an IPv6 one."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return str(address if address.version == 4 else ip_network((address, IPV6_LINE), strict=False))


def _count(queries: Queries, name: str, lock: Lock, now: int) -> int:
    row = queries.row(_READ, {"b_who": name})
    return row[0] if row is not None and row[1] > now - span_us(lock.span) else 0


def _keyed(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)[:16].hex()
