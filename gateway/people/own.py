"""Passwords, second factors and recovery codes of one person: set, replaced, taken away. Every verb is one transaction.

Setting any of them ends the sessions elsewhere: who came in with what was known before is out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.config.sign_in_settings import SignIn
from gateway.people import credentials, failures, one_time, password_rules, session_rows
from gateway.people.contract import Person, PersonRefused, UnknownPerson
from gateway.people.credentials import TEMPORARY_VALID, Credentials
from gateway.people.passwords import Hashing
from gateway.people.rows import happened, read_person
from gateway.spool.lifecycle import Kind
from gateway.spool.times import to_us
from gateway.spool.values import Actor
from gateway.store.database import Database
from gateway.store.tx import Queries, Tx


class OwnCredentials:
    """The verbs; `failures_key` hashes the names of failures."""

    def __init__(
        self, database: Database, hashing: Hashing, settings: SignIn, failures_key: Callable[[], bytes]
    ) -> None:
        self._db = database
        self._hashing = hashing
        self._settings = settings
        self._failures_key = failures_key

    async def of(self, login: str) -> Credentials:
        """Return what a person can prove with, for pages to tell what is set up."""
        return await self._db.readers.run(lambda queries: credentials.of(queries, login))

    async def codes_left(self, login: str) -> int:
        """Return how many recovery codes are good yet."""
        return await self._db.readers.run(lambda queries: credentials.recovery_codes_left(queries, login))

    def check(self, person: Person, password: str) -> None:
        """Raise PersonRefused (short, long, common) where this can be no password of the person's."""
        password_rules.check(password, person, self._settings.password_minimum)

    async def set_password(self, login: str, password: str, by: Actor, now: datetime, here: str = "") -> None:
        """Set a password that the person chose; the session of the cookie `here` goes on.

        Raises PersonRefused (short, long, common, used), UnknownPerson, Overloaded.
        """
        person, had = await self._db.readers.run(lambda queries: _known(queries, login))
        self.check(person, password)
        before = [] if had.password is None else [had.password]  # which is refused whatever the settings say
        if await self._hashing.is_one_of([*before, *had.before[: self._settings.password_history]], password):
            raise PersonRefused("used")
        hashed, at = await self._hashing.hash(password), to_us(now)

        def job(tx: Tx) -> None:
            _known(tx, login)
            self._store_password(tx, login, hashed, at, temporary=False)
            session_rows.end_all(tx, login, here)
            tx.event(happened(Kind.PERSON, login, by, at, what="password"))

        await self._db.committer.run(job)

    async def temporary_password(self, login: str, by: Actor, now: datetime) -> str:
        """Make a password that is to be replaced at the first sign-in, and is good for a week; nobody sees it again."""
        password = password_rules.temporary()
        hashed, at = await self._hashing.hash(password), to_us(now)

        def job(tx: Tx) -> None:
            _known(tx, login)
            self._store_password(tx, login, hashed, at, temporary=True)
            session_rows.end_all(tx, login)
            failures.forget_login(tx, self._failures_key(), login)
            tx.event(happened(Kind.PERSON, login, by, at, what="temporary-password"))

        await self._db.committer.run(job)
        return password

    async def set_totp(
        self, login: str, secret: str, typed: str, by: Actor, now: datetime, here: str = ""
    ) -> Sequence[str] | None:
        """Set up one-time passwords where this code proves the secret; return new recovery codes, None where it does not."""
        step = one_time.step_of(secret, typed, now, 0)
        if step is None:
            return None
        codes, master, at = one_time.new_recovery_codes(), self._db.master, to_us(now)
        wrapped = credentials.wrap_secret(master, login, secret)

        def job(tx: Tx) -> None:
            _known(tx, login)
            credentials.set_totp(tx, login, wrapped, master, at, step)
            credentials.set_recovery_codes(tx, login, codes)
            session_rows.end_all(tx, login, here)
            tx.event(happened(Kind.PERSON, login, by, at, what="second-factor-set"))

        await self._db.committer.run(job)
        return codes

    async def drop_totp(self, login: str, by: Actor, now: datetime, here: str = "") -> bool:
        """Forget the second factor and its recovery codes; tell whether there was one."""
        at = to_us(now)

        def job(tx: Tx) -> bool:
            _known(tx, login)
            if not credentials.drop_totp(tx, login):
                return False
            session_rows.end_all(tx, login, here)
            tx.event(happened(Kind.PERSON, login, by, at, what="second-factor-removed"))
            return True

        return await self._db.committer.run(job)

    async def new_recovery_codes(self, login: str, by: Actor, now: datetime) -> Sequence[str]:
        """Replace the recovery codes; those before are good for nothing. Raises PersonRefused without a second factor."""
        codes, at = one_time.new_recovery_codes(), to_us(now)

        def job(tx: Tx) -> None:
            if _known(tx, login)[1].totp_at is None:
                raise PersonRefused("no-factor")
            credentials.set_recovery_codes(tx, login, codes)
            tx.event(happened(Kind.PERSON, login, by, at, what="recovery-codes"))

        await self._db.committer.run(job)
        return codes

    def _store_password(self, tx: Tx, login: str, hashed: str, at: int, *, temporary: bool) -> None:
        keep = self._settings.password_history
        credentials.set_password(tx, login, hashed, at, keep, TEMPORARY_VALID if temporary else None)


def _known(queries: Queries, login: str) -> tuple[Person, Credentials]:
    row = read_person(queries, login)
    if row is None:
        raise UnknownPerson(login)
    return row.person, credentials.of(queries, login)
