"""People on SQL: implements `gateway.people.contract.People`. Every verb is one job of the committer.

`stopped` tells whether the accounts file suspends a login: then there is no session, no token and no sign-in. `changed` is
awaited when somebody was suspended, resumed or removed here: before the verb returns, mail in has heard of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

from gateway.config.sign_in_settings import SignIn
from gateway.people import credentials, registry, session_rows
from gateway.people.checking import checked
from gateway.people.contract import Duty, Person, Session
from gateway.people.own import OwnCredentials
from gateway.people.passwords import Hashing
from gateway.people.rows import happened
from gateway.people.session_rows import TOUCHED, SessionLine, SessionRow
from gateway.people.signing_in import SigningIn
from gateway.people.tokens import SqlTokens
from gateway.policy.demands import Language
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import Kind
from gateway.spool.times import from_us, span_us, to_us
from gateway.spool.values import Actor
from gateway.spool.voices import voice_of
from gateway.store.database import Database
from gateway.store.tx import Tx

MAX_FOUND = 1_000  # people in one answer


def nobody(login: str) -> bool:
    """Return False: where there is no accounts file, it suspends nobody."""
    return False


async def nothing() -> None:
    """Tell nobody."""


class SqlPeople:
    """Implements `People`; `signing_in` and `own` are its parts for sign-in and for credentials."""

    def __init__(
        self,
        database: Database,
        hashing: Hashing,
        settings: SignIn,
        stopped: Callable[[str], bool] = nobody,
        changed: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        self._db = database
        self._settings = settings
        self._stopped = stopped
        self._changed = changed
        self.tokens = SqlTokens(database, stopped, settings.provided_for)
        self.signing_in = SigningIn(database, hashing, settings, stopped)
        self.own = OwnCredentials(database, hashing, settings, lambda: self.signing_in.failures_key)

    async def session(self, cookie: str, now: datetime) -> Session | None:
        row = await self._db.readers.run(lambda queries: session_rows.read(queries, cookie, "in"))
        at = to_us(now)
        if row is None or row.person.suspended or self._ends_at(row) <= at:
            return None
        if self._stopped(row.person.login):
            await self._db.committer.run(lambda tx: session_rows.end_all(tx, row.login))
            return None
        if at - row.seen_at >= span_us(TOUCHED):
            with contextlib.suppress(StoreUnavailable):  # reading goes on where nothing can be written
                await self._db.committer.run(lambda tx: session_rows.touch(tx, cookie, at))
        begun, over = from_us(row.begun_at), from_us(self._ends_at(row))
        return Session(row.person, row.form_key, begun, over, self._duty(row, now))

    async def sessions(self, login: str, here: str = "") -> Sequence[SessionLine]:
        """Return a person's open sessions, the last used first; `here` is the cookie of the one that asks."""
        return await self._db.readers.run(lambda queries: session_rows.listed(queries, login, here))

    async def sign_out(self, cookie: str, now: datetime) -> None:
        await self._db.committer.run(lambda tx: session_rows.end(tx, cookie))

    async def sign_out_everywhere(self, login: str, by: Actor, now: datetime) -> int:
        def job(tx: Tx) -> int:
            registry.get(login)(tx)
            ended = session_rows.end_all(tx, login)
            tx.event(happened(Kind.SIGNED_OUT, login, by, to_us(now), sessions=ended))
            return ended

        return await self._db.committer.run(job)

    async def get(self, login: str) -> Person:
        return await self._db.readers.run(registry.get(login))

    async def find(self, words: str, limit: int, after: str = "") -> Sequence[Person]:
        return await self._db.readers.run(registry.find(words, min(limit, MAX_FOUND), after))

    async def suspended(self) -> frozenset[str]:
        """Return the logins, in small letters, of all who are suspended here."""
        return await self._db.readers.run(registry.suspended)

    async def addresses_of_suspended(self) -> frozenset[str]:
        """Return the mailboxes (keys) of all who are suspended here."""
        return await self._db.readers.run(registry.addresses_of_suspended)

    async def languages(self) -> dict[str, Language]:
        """Return the languages that people chose here, by their mailboxes (keys)."""
        return await self._db.readers.run(registry.languages)

    async def silenced(self, address: str) -> bool:
        """Tell whether everybody whose mailbox (a key) this is was suspended, here or in the accounts file."""
        voice = await self._db.readers.run(lambda queries: voice_of(queries, address))
        return voice.active is not None and all(self._stopped(login) for login in voice.active)

    async def end_of_account(self, logins: Collection[str]) -> None:
        """End the sessions of those of these logins that the accounts file suspends now."""
        stopped = [login for login in logins if self._stopped(login)]
        if stopped:
            await self._db.committer.run(lambda tx: [session_rows.end_all(tx, login) for login in stopped])

    async def add(self, person: Person, by: Actor, now: datetime) -> None:
        await self._db.committer.run(registry.add(checked(person), by, to_us(now)))

    async def change(self, person: Person, by: Actor, now: datetime) -> None:
        await self._db.committer.run(registry.change(checked(person), by, to_us(now)))

    async def speak(self, login: str, language: Language, by: Actor, now: datetime) -> None:
        """Set the language that a person reads."""
        await self._db.committer.run(registry.speak(login, language, by, to_us(now)))

    async def suspend(self, login: str, by: Actor, now: datetime) -> None:
        await self._db.committer.run(registry.suspend(login, by, to_us(now)))
        await self._changed()

    async def resume(self, login: str, by: Actor, now: datetime) -> None:
        await self._db.committer.run(registry.resume(login, by, to_us(now)))
        await self._changed()

    async def remove(self, login: str, by: Actor, now: datetime) -> None:
        await self._db.committer.run(registry.remove(login, by, to_us(now)))
        await self._changed()

    def _ends_at(self, row: SessionRow) -> int:
        return min(row.expires_at, row.seen_at + span_us(self._settings.session_idle))

    def _duty(self, row: SessionRow, now: datetime) -> Duty | None:
        """Return what the person has to do first; who signs in at a provider has neither password nor code here."""
        if row.how == "openid":
            return None
        if credentials.password_due(row.had, now, self._settings.password_age):
            return Duty.PASSWORD
        needs = not row.person.roles.isdisjoint(self._settings.totp_required)
        return Duty.CODE if needs and row.had.totp_at is None else None
