"""Roles as people write them: `admin`, `sender@sports-centre`. In settings, on the command line and in forms. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.people.contract import Grant, Role

MAX_GROUP = 100  # characters of a group's name
MAX_GRANTS = 100  # of one person
NEVER_OF_A_GROUP = frozenset({Role.APPROVER})
"""Whom a mail asks for approval is its rule's to say; a group with the role would promise what nothing keeps."""


def grant_of(text: str) -> Grant:
    """Read `role` or `role@group`; raises ValueError, which says what there is."""
    word, at, group = text.strip().partition("@")
    try:
        role = Role(word)
    except ValueError:
        roles = ", ".join(role.value for role in Role)
        raise ValueError(f"no role {word!r}; the roles are {roles}, each also as role@group") from None
    if at and not group:
        raise ValueError(f"{text!r} names no group behind the @")
    if group and role in NEVER_OF_A_GROUP:
        raise ValueError(f"{role} has no group: rules say who is asked, by address")
    if not group.isprintable() or len(group) > MAX_GROUP:
        raise ValueError(f"{text!r}: a group has at most {MAX_GROUP} characters")
    return Grant(role, group)


def written(grant: Grant) -> str:
    """Write a grant as `grant_of` reads it."""
    return f"{grant.role}@{grant.group}" if grant.group else grant.role.value


def in_order(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return each grant once, in one order."""
    return tuple(sorted(set(grants)))
