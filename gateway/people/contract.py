"""Who works with the console and the API: people, what they may do, and the sessions in which they do it.

A person signs in with a login of their own; mail clients keep the passwords of the accounts file. The login ties both
together: who is suspended in one place is suspended in both (docs/decisions/0077-people-and-accounts.md). Values only; the
verbs are in `People`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from gateway.policy.demands import Language
from gateway.spool.values import Actor
from gateway.values import dataclass


class Role(StrEnum):
    """What a person is to the gateway. Each may do its own things only; a person may have several."""

    SENDER = "sender"  # own mail, and that of the groups the grant names
    APPROVER = "approver"  # mail that asks for this person's approval
    ADMIN = "admin"  # holds, people, settings that the console has; reads no body without a reason
    AUDITOR = "auditor"  # reads the log; opens a body only with a reason, which is logged
    ORDERING = "ordering-body"  # its contractors' log and figures, never bodies


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One role, for mail whose sender is in one group of the policy; `group` is empty for the whole organisation.

    Of a SENDER without a group: own mail alone.
    """

    role: Role
    group: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. `addresses` are keys (`Address.key`) of the mailboxes that are theirs."""

    login: str
    name: str
    addresses: tuple[str, ...]
    grants: tuple[Grant, ...]
    language: Language | None = None
    suspended: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def groups_as(self, role: Role) -> frozenset[str]:
        """Return the groups for which this person has the role; the empty name stands for the whole organisation."""
        return frozenset(grant.group for grant in self.grants if grant.role is role)


class Duty(StrEnum):
    """What a person has to do before anything else; the gate leads there. The value is the page, below /me."""

    PASSWORD = "password"  # noqa: S105 - a word: the password is over its age, or somebody else made it
    CODE = "code"  # a role of theirs needs a second factor, and none is set up


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in here. `key` is a secret that its cookie does not hold: forms are sealed to it."""

    person: Person
    key: str
    signed_in_at: datetime
    expires_at: datetime
    duty: Duty | None = None


class TokenScope(StrEnum):
    """What a token of the API may be used for; never more than its person may do."""

    HELD_READ = "held:read"  # lists and single mails, without text
    HELD_ACT = "held:act"  # cancel, send, freeze, extend, confirm
    BODY_READ = "body:read"  # previews and attachments
    APPROVE = "approve"
    LOG_READ = "log:read"
    FIGURES_READ = "figures:read"
    INCIDENT = "incident"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as lists show it; the token itself is shown once, when it is made. `used_on` is a day in UTC."""

    number: str
    login: str
    name: str
    scopes: frozenset[TokenScope]
    made_at: datetime
    expires_at: datetime
    used_on: date | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token stands for, and for what."""

    person: Person
    scopes: frozenset[TokenScope]
    number: str


class Sessions(Protocol):
    """What the console's gate needs of `People`."""

    async def session(self, cookie: str, now: datetime) -> Session | None:
        """Return the session of a cookie; None where there is none, it is over, or its person is suspended or gone."""

    async def silenced(self, address: str) -> bool:
        """Tell whether everybody whose mailbox (a key) this is was suspended: their links act no more."""


class PersonRefused(Exception):
    """What was asked for cannot be; `why` is one of: exists, login, name, address, grant, last-admin, short, common, used."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class UnknownPerson(Exception):
    """No person with this login."""


class Tokens(Protocol):
    """Tokens of the API. A token is `sek_` and 43 random characters; the store holds its SHA-256 alone."""

    async def make(
        self,
        login: str,
        name: str,
        scopes: Collection[TokenScope],
        expires_at: datetime,
        by: Actor,
        now: datetime,
    ) -> tuple[ApiToken, str]:
        """Make a token; return it and its text, which nobody sees again. Raises UnknownPerson, PersonRefused."""

    async def of(self, login: str) -> Sequence[ApiToken]:
        """Return a person's tokens, the newest first, those that are over among them."""

    async def revoke(self, login: str, number: str, by: Actor, now: datetime) -> bool:
        """End a token at once; tell whether there was one."""

    async def authenticate(self, token: str, now: datetime) -> Bearer | None:
        """Return whom a token stands for; None where there is none, it is over, or its person is suspended or gone."""


class People(Sessions, Protocol):
    """Who may sign in, on the store: every verb is on disk, with its event, when it returns.

    Verbs about one person raise UnknownPerson; a login is the same in large and small letters.
    """

    @property
    def tokens(self) -> Tokens: ...

    async def get(self, login: str) -> Person:
        """Return a person, suspended or not."""

    async def find(self, words: str, limit: int, after: str = "") -> Sequence[Person]:
        """Return people whose login or name holds the words, in the order of logins (small letters), behind `after`."""

    async def add(self, person: Person, by: Actor, now: datetime) -> None:
        """Add a person without a password; raises PersonRefused."""

    async def change(self, person: Person, by: Actor, now: datetime) -> None:
        """Set name, addresses, grants and language; raises PersonRefused."""

    async def suspend(self, login: str, by: Actor, now: datetime) -> None:
        """End everything this person does here, and mail from the account of the same login, at once."""

    async def resume(self, login: str, by: Actor, now: datetime) -> None:
        """Let a person sign in again; sessions do not come back."""

    async def remove(self, login: str, by: Actor, now: datetime) -> None:
        """Forget a person, their credentials, sessions and tokens; the log keeps what they did."""

    async def sign_out(self, cookie: str, now: datetime) -> None:
        """End one session."""

    async def sign_out_everywhere(self, login: str, by: Actor, now: datetime) -> int:
        """End all sessions of a person; return how many."""
