"""May this person do this with that mail, and as what? Asked anew for every act, of the mail as it is then.

A mail that somebody may not see is unknown to them: the answer is that of a queue id that does not exist. What they may see
but not do is refused by name. People act as the least that allows it: the sender of a mail who is an administrator, too,
cancels it as its sender.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.message.same_person import is_among, senders_of
from gateway.people.contract import Person, Role
from gateway.people.sight import Act, may
from gateway.spool.contract import Spool, UnknownMessage
from gateway.spool.lifecycle import Reason
from gateway.spool.list_contract import Whose
from gateway.spool.values import Actor, Stored
from gateway.values import dataclass

_LEAST_FIRST = (Role.SENDER, Role.APPROVER, Role.ORDERING, Role.AUDITOR, Role.ADMIN)
_WHO_KNOWS = (Act.SEE, Act.LOG)  # whoever may do one of these knows that the mail exists
_REASONS = {
    Role.ADMIN: Reason.BY_ADMIN,
    Role.APPROVER: Reason.BY_APPROVER,
    Role.AUDITOR: Reason.BY_AUDITOR,
    Role.ORDERING: Reason.BY_ORDERING,
}
COLLEAGUE = "colleague"  # the kind of actor who acts on the mail of their team, not on their own


class NotAllowed(Exception):
    """This person may see that mail, or knows of it, but not do that. What they may not even know of is UnknownMessage."""

    def __init__(self, act: Act) -> None:
        super().__init__(act.value)
        self.act = act


class ReasonMissing(Exception):
    """It is done only with words of why: a text is opened by this person, or a mail is rejected."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A mail, and what somebody is to it who may do what they asked for. `message` is what they may be shown of it."""

    message: Stored
    whose: Whose
    role: Role
    own: bool
    actor: Actor
    reason: Reason


async def allowed(spool: Spool, person: Person, act: Act, queue_id: str) -> Allowed:
    """Return the mail and as what this person may do that; raises UnknownMessage, NotAllowed."""
    whose = await spool.lists.whose(queue_id)
    role = role_for(person, act, whose)
    if role is None:
        if any(may(person, known, whose) for known in _WHO_KNOWS):
            raise NotAllowed(act)
        raise UnknownMessage(f"no message {queue_id}")
    message = await spool.get(queue_id)
    own = is_own(person, whose, message)
    return Allowed(
        message=message if sees_copies(role) else message.as_handed_in,
        whose=whose,
        role=role,
        own=own,
        actor=Actor(COLLEAGUE if role is Role.SENDER and not own else role.value, person.login),
        reason=_REASONS.get(role, Reason.BY_SENDER if own else Reason.BY_COLLEAGUE),
    )


def role_for(person: Person, act: Act, whose: Whose) -> Role | None:
    """Return the least of this person's roles that allows it; None where none does."""
    return next((role for role in _LEAST_FIRST if may(_only(person, role), act, whose)), None)


def acts_on(person: Person, whose: Whose) -> frozenset[Act]:
    """Return everything that this person may do with a mail."""
    return frozenset(act for act in Act if may(person, act, whose))


def is_own(person: Person, whose: Whose, message: Stored) -> bool:
    """Tell whether this person sent the mail; in doubt two names are one person (message/same_person.py)."""
    names = senders_of(message.envelope)
    own = any(is_among(each, names) for each in (*person.addresses, person.login))
    return own or bool(whose.senders.intersection(person.addresses))


def sees_copies(role: Role) -> bool:
    """Tell whether a role may hear of copies that a rule asked for (`bcc_to`): only who reads the log does (0054)."""
    return role in (Role.ADMIN, Role.AUDITOR)


def _only(person: Person, role: Role) -> Person:
    return replace(person, grants=tuple([grant for grant in person.grants if grant.role is role]))


def reader_of_log(person: Person) -> Actor:
    """Return who this person is to the event log."""
    for role, kind in ((Role.AUDITOR, "auditor"), (Role.ADMIN, "admin")):
        if role in person.roles:
            return Actor(kind, person.login)
    return Actor("ordering-body", person.login)
