"""What a person may look like before the store takes them: login, name, addresses, grants. Pure."""

from __future__ import annotations

from dataclasses import replace

from gateway.message.address import AddressError, parse_path
from gateway.people.contract import Person, PersonRefused
from gateway.people.grants import MAX_GRANTS, in_order

MAX_LOGIN = 256  # characters, as of an account (RFC 5321 4.5.3.1.3)
MAX_NAME = 100  # characters
MAX_ADDRESSES = 50  # mailboxes of one person, shared ones included


def checked(person: Person) -> Person:
    """Return the person with addresses as keys and grants in order; raises PersonRefused."""
    if not _plain(person.login, MAX_LOGIN):
        raise PersonRefused("login")
    if not _plain(person.name, MAX_NAME):
        raise PersonRefused("name")
    grants = in_order(person.grants)
    if not 0 < len(grants) <= MAX_GRANTS:
        raise PersonRefused("grant")
    return replace(person, addresses=_keys(person.addresses), grants=grants)


def _plain(text: str, most: int) -> bool:
    return 0 < len(text) <= most and text.isprintable() and text == text.strip()


def _keys(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if len(addresses) > MAX_ADDRESSES:
        raise PersonRefused("address")
    return tuple(dict.fromkeys(address_key(each) for each in addresses))


def address_key(text: str) -> str:
    """Return an address as mail names it; raises PersonRefused."""
    try:
        address = parse_path(text.strip())
    except AddressError:
        raise PersonRefused("address") from None
    if address.ambiguous:
        raise PersonRefused("address")
    return address.key
