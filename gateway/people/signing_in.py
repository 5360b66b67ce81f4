"""Signing in: a password and then perhaps a code, or the word of an OpenID provider; and what is written down of it.

The same work for a login that is unknown, wrong, suspended or without a password: one look, one argon2id, one transaction.
The lock is looked at before the password and again in the transaction, where failures are counted one after another: many
guesses at once get no more looks than one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from datetime import datetime

from gateway.config.sign_in_settings import SignIn
from gateway.people import credentials, failures, session_rows
from gateway.people.failures import Counted, Lock
from gateway.people.oidc.arriving import arrive
from gateway.people.oidc.claims import Identity
from gateway.people.passwords import Hashing, Overloaded
from gateway.people.rows import happened, oneself, read_person
from gateway.people.session_rows import SECOND_STEP, NewRow, Origin, fresh
from gateway.spool.lifecycle import Kind
from gateway.spool.times import to_us
from gateway.spool.values import SYSTEM
from gateway.store.database import Database
from gateway.store.tx import Queries, Tx
from gateway.values import dataclass

Stopped = Callable[[str], bool]


class SignInRefused(Exception):
    """Nobody is signed in; `why`: wrong, locked, busy, step, or what the OpenID provider's word lacks.

    What a page says about `wrong` holds for unknown, suspended and mistyped alike.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody is signed in, or (`asks_code`) has to give a code first; `browser` is what tells the browser again."""

    cookie: str
    browser: str = ""
    asks_code: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, with the secrets of the session that it may begin: a job may run twice, and makes none itself."""

    login: str
    origin: Origin
    when: datetime
    new: NewRow = field(default_factory=fresh)
    new_browser: str = field(default_factory=lambda: fresh().cookie)

    @property
    def at(self) -> int:
        return to_us(self.when)


class SigningIn:
    """Tries passwords and codes. `stopped` tells whether the accounts file suspends a login."""

    def __init__(self, database: Database, hashing: Hashing, settings: SignIn, stopped: Stopped) -> None:
        self._db = database
        self._hashing = hashing
        self._settings = settings
        self._stopped = stopped
        self._lock = Lock(settings.lock_after, settings.lock_for)

    @property
    def failures_key(self) -> bytes:
        """Return what the names of failures are hashed with."""
        return self._db.master.derive("sign-in failures")

    async def with_password(self, login: str, password: str, origin: Origin, now: datetime) -> Admitted:
        """Try a password; raises SignInRefused, StoreUnavailable."""
        attempt = Attempt(login, origin, now)
        stored, on, closed = await self._db.readers.run(lambda queries: self._look(queries, attempt))
        if closed:
            raise SignInRefused("locked")
        try:
            right = await self._hashing.verify(stored, password, first=on.home)
        except Overloaded:
            raise SignInRefused("busy") from None
        proved = stored if right and not self._stopped(login) else None
        return _admitted(await self._db.committer.run(lambda tx: self._after_password(tx, attempt, proved)))

    async def with_code(self, cookie: str, typed: str, origin: Origin, now: datetime) -> Admitted:
        """Try a one-time password or a recovery code in the second step; raises SignInRefused, StoreUnavailable."""
        login = await self.second_step(cookie, now)
        if login is None or self._stopped(login):
            raise SignInRefused("step")
        attempt = Attempt(login, origin, now)
        return _admitted(
            await self._db.committer.run(lambda tx: self._after_code(tx, attempt, cookie, typed))
        )

    async def with_provider(self, identity: Identity, origin: Origin, now: datetime) -> Admitted:
        """Let in whom the OpenID provider names; raises SignInRefused (taken, suspended, no-role), StoreUnavailable."""
        attempt = Attempt(identity.login, origin, now)
        arrived = arrive(identity, attempt.at, self._stopped)

        def job(tx: Tx) -> Admitted | str:
            login, why = arrived(tx)
            return why or self.begin(tx, replace(attempt, login=login), "openid")

        return _admitted(await self._db.committer.run(job))

    async def confirm(self, login: str, password: str, origin: Origin, now: datetime) -> None:
        """Ask a person who is signed in for the password again; raises SignInRefused. Counts as a sign-in does."""
        attempt = Attempt(login, origin, now)
        stored, _, closed = await self._db.readers.run(lambda queries: self._look(queries, attempt))
        if closed:
            raise SignInRefused("locked")
        try:
            right = await self._hashing.verify(stored, password, first=True)
        except Overloaded:
            raise SignInRefused("busy") from None
        if why := await self._db.committer.run(lambda tx: self._confirmed(tx, attempt, right=right)):
            raise SignInRefused(why)

    async def second_step(self, cookie: str, now: datetime) -> str | None:
        """Return the login whose second step this cookie stands for, while there is time."""
        row = await self._db.readers.run(lambda queries: session_rows.read(queries, cookie, "code"))
        return None if row is None or row.expires_at <= to_us(now) else row.login

    def begin(self, tx: Tx, attempt: Attempt, how: str, **detail: object) -> Admitted:
        """Open a session for a person who has proved everything."""
        origin, login = attempt.origin, attempt.login
        session_rows.insert(
            tx, attempt.new, login, "in", how, origin, attempt.at, self._settings.session_length
        )
        browser = session_rows.note_browser(tx, login, origin.browser, attempt.new_browser, attempt.at)
        said = {"how": how, "client": origin.client, **detail}
        tx.event(happened(Kind.SIGNED_IN, login, oneself(login), attempt.at, **said))
        return Admitted(attempt.new.cookie, browser)

    def _look(self, queries: Queries, attempt: Attempt) -> tuple[str | None, Counted, bool]:
        """Return the hash of a usable password, what a failure counts on, and whether nothing is looked at now."""
        on = self._counts(queries, attempt)
        row = read_person(queries, attempt.login)
        had = credentials.of(queries, attempt.login)
        usable = row is not None and not row.person.suspended and not had.is_over(attempt.at)
        closed = failures.is_closed(queries, on, self._lock, attempt.at)
        return had.password if usable else None, on, closed

    def _after_password(self, tx: Tx, attempt: Attempt, proved: str | None) -> Admitted | str:
        stored, on, closed = self._look(tx, attempt)
        if closed:
            return "locked"
        if proved is None or proved != stored:  # two hashes of ours, and the password was right for one
            return self._failed(tx, attempt, on, "wrong")
        if credentials.of(tx, attempt.login).totp_at is None:
            failures.forget(tx, on)
            return self.begin(tx, attempt, "password")
        session_rows.insert(
            tx, attempt.new, attempt.login, "code", "password", attempt.origin, attempt.at, SECOND_STEP
        )
        return Admitted(attempt.new.cookie, asks_code=True)

    def _after_code(self, tx: Tx, attempt: Attempt, cookie: str, typed: str) -> Admitted | str:
        on = self._counts(tx, attempt)
        if failures.is_closed(tx, on, self._lock, attempt.at):
            session_rows.end(tx, cookie, "code")
            return "locked"
        if session_rows.read(tx, cookie, "code") is None:
            return "step"
        how = credentials.use_code(tx, attempt.login, typed, self._db.master, attempt.when)
        if not how:
            return self._failed(tx, attempt, on, "code")
        session_rows.end(tx, cookie, "code")
        failures.forget(tx, on)
        if how == "totp":
            return self.begin(tx, attempt, how)
        return self.begin(tx, attempt, how, codes_left=credentials.recovery_codes_left(tx, attempt.login))

    def _confirmed(self, tx: Tx, attempt: Attempt, *, right: bool) -> str:
        """Return why a password that was asked for again is not taken; nor is a right one while nothing is looked at."""
        on = self._counts(tx, attempt)
        if failures.is_closed(tx, on, self._lock, attempt.at):
            return "locked"
        return "" if right else self._failed(tx, attempt, on, "wrong")

    def _counts(self, queries: Queries, attempt: Attempt) -> Counted:
        home = session_rows.knows_browser(queries, attempt.login, attempt.origin.browser)
        return failures.counted(self.failures_key, attempt.login, attempt.origin, self._lock, home=home)

    def _failed(self, tx: Tx, attempt: Attempt, on: Counted, why: str) -> str:
        """Count a failure. Two events at most for a series: its first, and what closed it, with how many there were."""
        number, closes = failures.count(tx, on, self._lock, attempt.at)
        row = read_person(tx, attempt.login)
        # People type passwords into the wrong box: only the login of somebody who is there is written down.
        known = row.person.login if row is not None else ""
        said = {"client": attempt.origin.client, "what": why, "own_browser": on.home}
        if closes:
            tx.event(happened(Kind.SIGN_IN_LOCKED, known, SYSTEM, attempt.at, failures=number, **said))
        elif number == 1 and known:
            tx.event(happened(Kind.SIGN_IN_FAILED, known, SYSTEM, attempt.at, **said))
        return why


def _admitted(answer: Admitted | str) -> Admitted:
    if isinstance(answer, str):
        raise SignInRefused(answer)
    return answer
