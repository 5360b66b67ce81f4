"""Tokens of the API: implements `gateway.people.contract.Tokens`. The store holds SHA-256 of a token, never the token.

256 random bits need no slow hash. A look costs one read by primary key; that a token is used is written down once a day.

That somebody has left the OpenID provider is told to nobody: such a person just does not sign in any more. So their tokens
count for nothing once it has not let them in for `provided_for` (docs/decisions/0082-openid-connect.md).
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select

from gateway.people.contract import (
    ApiToken,
    Bearer,
    PersonRefused,
    TokenScope,
    UnknownPerson,
)
from gateway.people.rows import PERSON_COLUMNS, happened, login_key, person_of, read_person
from gateway.people.session_rows import SECRET_BYTES, digest
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import Kind
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Actor
from gateway.store.database import Database
from gateway.store.events import storable
from gateway.store.people_tables import api_tokens, people
from gateway.store.tx import Prepared, Tx

PREFIX = "sek_"  # by which people, and programs that look for secrets in files, know one
MAX_TOKEN = 100  # characters of what a request brings
MAX_TOKENS = 50  # of one person
MAX_NAME = 100  # characters
LONGEST = timedelta(days=366)  # a token that nobody renews is one that nobody remembers
_EPOCH = date(1970, 1, 1)

_T = api_tokens.c
_OF = _T.login == bindparam("b_login")
_LINE = (_T.number, people.c.written, _T.name, _T.scopes, _T.made_at, _T.expires_at, _T.used_on)
_JOINED = api_tokens.join(people, people.c.login == _T.login)
_LIST = Prepared(select(*_LINE).select_from(_JOINED).where(_OF).order_by(_T.made_at.desc(), _T.number))
_COUNT = Prepared(select(func.count()).select_from(api_tokens).where(_OF))
_INSERT = Prepared(api_tokens.insert().values({each.name: bindparam(f"b_{each.name}") for each in _T}))
_REVOKE = Prepared(api_tokens.delete().where(_OF, _T.number == bindparam("b_number")))
_READ = Prepared(
    select(_T.number, _T.scopes, _T.expires_at, _T.used_on, _T.made_at, people.c.provided_at, *PERSON_COLUMNS)
    .select_from(_JOINED)
    .where(_T.hash == bindparam("b_hash"))
)
_USED = Prepared(api_tokens.update().where(_T.hash == bindparam("b_hash")).values(used_on=bindparam("b_day")))


class SqlTokens:
    """Implements `Tokens`. `stopped` tells whether the accounts file suspends a login."""

    def __init__(self, database: Database, stopped: Callable[[str], bool], provided_for: timedelta) -> None:
        self._db = database
        self._stopped = stopped
        self._provided_for = provided_for

    async def make(
        self,
        login: str,
        name: str,
        scopes: Collection[TokenScope],
        expires_at: datetime,
        by: Actor,
        now: datetime,
    ) -> tuple[ApiToken, str]:
        if not 0 < len(name.strip()) <= MAX_NAME or not name.isprintable():
            raise PersonRefused("name")
        if not scopes:
            raise PersonRefused("grant")
        if not now < expires_at <= now + LONGEST:
            raise PersonRefused("expires")
        text, number = PREFIX + secrets.token_urlsafe(SECRET_BYTES), secrets.token_hex(4)
        token = ApiToken(number, login, name.strip(), frozenset(scopes), now, expires_at)
        return await self._db.committer.run(_make(token, digest(text), by)), text

    async def of(self, login: str) -> Sequence[ApiToken]:
        wanted = {"b_login": login_key(login)}
        return await self._db.readers.run(
            lambda queries: [_token(row) for row in queries.rows(_LIST, wanted)]
        )

    async def revoke(self, login: str, number: str, by: Actor, now: datetime) -> bool:
        def job(tx: Tx) -> bool:
            if not tx.run(_REVOKE, {"b_login": login_key(login), "b_number": storable(number)}):
                return False
            tx.event(happened(Kind.API_TOKEN, login, by, to_us(now), what="revoked", number=number))
            return True

        return await self._db.committer.run(job)

    async def authenticate(self, token: str, now: datetime) -> Bearer | None:
        if not token.startswith(PREFIX) or len(token) > MAX_TOKEN:
            return None
        hashed = digest(token)
        row = await self._db.readers.run(lambda queries: queries.row(_READ, {"b_hash": hashed}))
        if row is None or row[2] <= to_us(now):
            return None
        person, subject = person_of(row[6:])
        if person.suspended or self._stopped(person.login):
            return None
        if subject is not None and not self._lately(row[4], row[5], now):
            return None
        await self._note_use(hashed, row[3], now)
        return Bearer(person, _scopes(row[1]), row[0])

    def _lately(self, made_at: int, provided_at: int | None, now: datetime) -> bool:
        """Tell whether the provider let somebody in not long ago, or the token is that young itself."""
        return to_us(now - self._provided_for) < max(made_at, provided_at or 0)

    async def _note_use(self, hashed: str, used_on: int | None, now: datetime) -> None:
        today = (now.astimezone(UTC).date() - _EPOCH).days
        if used_on is not None and used_on >= today:
            return
        with contextlib.suppress(StoreUnavailable):  # reading goes on where nothing can be written
            await self._db.committer.run(lambda tx: tx.run(_USED, {"b_hash": hashed, "b_day": today}))


def _make(token: ApiToken, hashed: str, by: Actor) -> Callable[[Tx], ApiToken]:
    at = to_us(token.made_at)
    row = {
        "b_hash": hashed,
        "b_number": token.number,
        "b_login": login_key(token.login),
        "b_name": storable(token.name),
        "b_scopes": " ".join(sorted(token.scopes)),
        "b_made_at": at,
        "b_expires_at": to_us(token.expires_at),
        "b_used_on": None,
    }
    said = {"number": token.number, "name": token.name, "scopes": sorted(token.scopes)}

    def job(tx: Tx) -> ApiToken:
        if read_person(tx, token.login) is None:
            raise UnknownPerson(token.login)
        if tx.row(_COUNT, {"b_login": login_key(token.login)})[0] >= MAX_TOKENS:
            raise PersonRefused("many")
        tx.run(_INSERT, row)
        until = token.expires_at.isoformat()
        tx.event(happened(Kind.API_TOKEN, token.login, by, at, what="made", expires=until, **said))
        return token

    return job


def _token(row: Any) -> ApiToken:
    number, login, name, scopes, made_at, expires_at, used_on = row
    used = None if used_on is None else _EPOCH + timedelta(days=used_on)
    return ApiToken(number, login, name, _scopes(scopes), from_us(made_at), from_us(expires_at), used)


def _scopes(text: str) -> frozenset[TokenScope]:
    """Read scopes; one that this version does not know allows nothing."""
    known = {scope.value for scope in TokenScope}
    return frozenset(TokenScope(word) for word in text.split() if word in known)
