"""One account: who may submit, with which sender addresses; and what one version of the accounts changes against another.

Passwords are kept as argon2id hashes (RFC 9106) only; this module never sees a plain one. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.message.address import Address, AddressError, normalise_domain, parse_path
from gateway.policy.demands import Language

MAX_LOGIN = 256  # characters of a login name, the length of a path (RFC 5321 4.5.3.1.3)

Changes = dict[str, list[str]]


class Account(BaseModel):
    """One account; `addresses` are what it may send from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    login: Annotated[str, Field(min_length=1, max_length=MAX_LOGIN)]
    password: str
    addresses: Annotated[tuple[str, ...], Field(min_length=1)]
    suspended: bool = False
    language: Language | None = None

    @field_validator("login")
    @classmethod
    def _plain_login(cls, value: str) -> str:
        if not value.isprintable() or value != value.strip():
            raise ValueError("a login has no control characters and no space around it")
        return value

    @field_validator("password")
    @classmethod
    def _is_hash(cls, value: str) -> str:
        if not value.startswith("$argon2id$"):
            raise ValueError("not an argon2id hash; set the password with `sekisho account passwd`")
        return value

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            _owned_key(entry)
        return value

    def owns(self, address: Address) -> bool:
        """Tell whether the account may send as `address`; one that can be read in two ways is nobody's."""
        if address.ambiguous:
            return False
        return address.key in self._owned or f"@{address.domain}" in self._owned

    @cached_property
    def _owned(self) -> frozenset[str]:
        return frozenset(_owned_key(entry) for entry in self.addresses)


def _owned_key(entry: str) -> str:
    """Return the key of an `addresses` entry: `local@domain`, or `@domain`; raises ValueError."""
    try:
        return "@" + normalise_domain(entry[1:]) if entry.startswith("@") else _exact_key(entry)
    except AddressError as error:
        raise ValueError(f"not an address: {entry!r} ({error})") from None


def _exact_key(entry: str) -> str:
    address = parse_path(entry)
    if address.ambiguous:
        raise ValueError(f"the address {entry!r} can be read in two ways")
    return address.key


def account_changes(before: Mapping[str, Account], after: Mapping[str, Account]) -> Changes:
    """Return what was done to whom, by login: `added`, `removed`, or the names of what changed. Never a hash."""
    changes: Changes = {}
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            changes[(old or new or after[key]).login] = ["removed" if new is None else "added"]
        elif old != new:
            changes[new.login] = [
                name for name in Account.model_fields if getattr(old, name) != getattr(new, name)
            ]
    return changes
