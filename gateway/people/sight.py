"""What a person may see and do, as pure functions of the person and of whose mail it is. The console and the API ask here.

Least privilege: what stands nowhere in this file is not allowed. Lists get a `Scope`, which the store turns into a condition;
single mails get an answer for the same reason, from the same grants, and a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.people.contract import Person, Role
from gateway.spool.list_contract import Scope, Whose

_ALL = Scope(everything=True)
_NOTHING = Scope()


class Act(StrEnum):
    """What somebody may want to do with one mail, or with the records about it."""

    SEE = "see"  # envelope, subject, states, demands, names of files: the message page without the text
    READ = "read"  # the text and the files, as a preview
    READ_FOR_REASON = "read-for-reason"  # the same, after writing down why
    STOP = "stop"  # cancel, freeze, extend, take back, correct a recipient
    SEND = "send"  # let it go now, confirm
    APPROVE = "approve"  # approve, reject
    REPORT = "report"  # tell that it went to the wrong people
    HANDLE = (
        "handle"  # decide on an incident: correct what was told, note that reports were handed in, close it
    )
    LOG = "log"  # events about it, with addresses
    FIGURES = "figures"  # counts


def scope_of(person: Person, act: Act) -> Scope:
    """Return whose mail this person may do this with."""
    scope = _NOTHING
    for role in _ROLES[act] & person.roles:
        scope |= _scope_as(person, role)
    return scope


def may(person: Person, act: Act, whose: Whose) -> bool:
    """Tell whether this person may do this with that mail."""
    return scope_of(person, act).holds(whose)


def roles_for(act: Act) -> frozenset[Role]:
    """Return the roles that may do this with some mail: whom a page for it admits at all."""
    return _ROLES[act]


def sees_subjects(person: Person, for_ordering: bool) -> bool:
    """Tell whether this person reads subjects in the log; `for_ordering` is the setting `audit.ordering_sees_subjects`."""
    return for_ordering or bool(person.roles & {Role.ADMIN, Role.AUDITOR})


def reads_log_of(person: Person, group: str) -> bool:
    """Tell whether this person reads all that the log has about a group; the empty name is the whole organisation."""
    scope = scope_of(person, Act.LOG)
    return scope.everything or group in scope.groups


def _scope_as(person: Person, role: Role) -> Scope:
    groups = person.groups_as(role)
    if role is Role.APPROVER:
        return Scope(asked=frozenset(person.addresses))
    own = role is Role.SENDER
    if "" in groups and not own:
        return _ALL
    return Scope(
        addresses=frozenset(person.addresses) if own else frozenset(),
        logins=frozenset({person.login.casefold()}) if own else frozenset(),
        groups=groups - {""},
    )


_ROLES: dict[Act, frozenset[Role]] = {
    Act.SEE: frozenset({Role.SENDER, Role.APPROVER, Role.ADMIN}),
    Act.READ: frozenset({Role.SENDER, Role.APPROVER}),
    Act.READ_FOR_REASON: frozenset({Role.ADMIN, Role.AUDITOR}),
    Act.STOP: frozenset({Role.SENDER, Role.ADMIN}),
    Act.SEND: frozenset({Role.SENDER}),
    Act.APPROVE: frozenset({Role.APPROVER}),
    Act.REPORT: frozenset({Role.SENDER, Role.ADMIN, Role.ORDERING}),
    Act.HANDLE: frozenset({Role.ADMIN, Role.ORDERING}),
    Act.LOG: frozenset({Role.ADMIN, Role.AUDITOR, Role.ORDERING}),
    Act.FIGURES: frozenset({Role.ADMIN, Role.AUDITOR, Role.ORDERING}),
}
