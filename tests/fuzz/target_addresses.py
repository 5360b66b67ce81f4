"""Address lists: the scan misses nobody, the short cut says what the full reading says, and an address is one spelling."""

from __future__ import annotations

from gateway.message.address import Address, AddressError, normalise_domain, parse_path
from gateway.message.address_list import distinct, parse_mailboxes, scan
from gateway.message.address_plain import certain_addresses
from gateway.message.address_scan import lenient, may_hold_address

PLANTED = "planted@victim.example"


def check(octets: bytes) -> None:
    strict = parse_mailboxes(octets)
    full = distinct([*(item.address for item in strict.items), *lenient(octets)])
    found = scan(octets)
    assert _keys(found) == _keys(full)
    assert len({address.key for address in found}) == len(found)
    assert may_hold_address(octets) or not full
    plain = certain_addresses(octets)
    if plain is not None:
        assert strict.confident
        assert _keys(plain) == _keys(full)
    for item in strict.items:
        again = parse_path(str(item.address))
        assert again.key == item.address.key
        assert again.domain.startswith("[") or normalise_domain(again.domain) == again.domain
    assert PLANTED in _keys(scan(octets + b" <%b> " % PLANTED.encode()))
    _path(octets.decode("utf-8", "surrogateescape"))


def _keys(addresses: tuple[Address, ...]) -> set[str]:
    return {address.key for address in addresses}


def _path(text: str) -> None:
    try:
        address = parse_path(text)
    except AddressError:
        return
    written = str(address)
    assert not {"\r", "\n", "\0", "<", ">"} & set(address.domain)
    assert not {"\r", "\n", "\0"} & set(written)
    assert parse_path(written).key == address.key
