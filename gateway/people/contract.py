"""Who works with the console and the API: people, what they may do, and the sessions in which they do it.

A person signs in with a login of their own; mail clients keep the passwords of the accounts file. The login ties both
together: who is suspended in one place is suspended in both (docs/decisions/0077-people-and-accounts.md). Values only; the
verbs are in `People`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.policy.demands import Language


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


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in here. `key` is a secret that its cookie does not hold: forms are sealed to it."""

    person: Person
    key: str
    signed_in_at: datetime
    expires_at: datetime


class Sessions(Protocol):
    """What the console's gate needs of `People`."""

    async def session(self, cookie: str, now: datetime) -> Session | None:
        """Return the session of a cookie; None where there is none, it is over, or its person is suspended or gone."""
