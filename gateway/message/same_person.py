"""Who counts as the sender of a mail, where somebody other than its sender has to look at it. Pure.

In doubt two names are one person: an approver too few is found by `policy check` and by the deadline, while a sender who
approves their own mail is found by nobody. A subaddress (`name+tag@`, RFC 5233) ends in the same mailbox; an account may be
named by an address, in any spelling of its domain, or by what stands before the @.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.message.address import Address, AddressError, parse_path
from gateway.message.envelope import Envelope


def senders_of(envelope: Envelope, authors: Iterable[Address | None] = ()) -> frozenset[str]:
    """Return the names of whoever sent a mail: by its envelope, by From (`authors`), and by the account that handed it in."""
    keys = [address.key for address in (envelope.sender, *authors) if address is not None]
    return frozenset([*map(_mailbox, keys), *_account(envelope.client.account or "")])


def is_among(person: str, senders: frozenset[str]) -> bool:
    """Tell whether a person (the key of an address) is one of those that `senders_of` names."""
    mailbox = _mailbox(person)
    return mailbox in senders or mailbox.rpartition("@")[0] in senders


def _mailbox(key: str) -> str:
    """Return a key without its subaddress."""
    local, at, domain = key.rpartition("@")
    return _name(local) + at + domain


def _account(account: str) -> list[str]:
    if not account:
        return []
    try:
        return [_mailbox(parse_path(account).key)]
    except AddressError:  # a name, as most accounts have
        return [_name(account.casefold())]


def _name(text: str) -> str:
    return text.partition("+")[0] or text
