"""Whether an account may send this mail as this sender: the reverse-path, and From and Sender in the header. Pure.

An account owns exact addresses and whole domains. The null reverse-path is open to an account only for what
comes back from a mail client, that is receipts and notices (RFC 8098), and only where an owned From says
whose they are.
"""

from __future__ import annotations

from gateway.message.address import Address
from gateway.message.address_list import parse_mailboxes, scan
from gateway.message.header import HeaderSection
from gateway.receive.account import Account
from gateway.receive.reply import Reply, printable

AUTHOR_FIELDS = ("from", "sender", "resent-from", "resent-sender")

MAX_AUTHOR_OCTETS = 8 << 10
"""Octets of all these fields of a mail together that are read: some 30 ms for the worst, and a hundred authors."""

_TOO_LONG = Reply(550, "5.7.1", "the fields From, Sender and Resent-From are too long to be read", "sender")


def sender_reply(account: Account, sender: Address | None) -> Reply | None:
    """Return the refusal of MAIL FROM, if any; the null reverse-path is judged with the header."""
    if sender is None or account.owns(sender):
        return None
    return _not_yours("", sender)


def header_reply(account: Account, sender: Address | None, header: HeaderSection) -> Reply | None:
    """Return the refusal of a mail whose header names an author that the account is not."""
    if sum([len(field.raw) for field in header.fields if field.name in AUTHOR_FIELDS]) > MAX_AUTHOR_OCTETS:
        return _TOO_LONG
    for name in AUTHOR_FIELDS:
        for field in header.all(name):
            refusal = _field_reply(account, name.title(), field.value)
            if refusal is not None:
                return refusal
    if sender is None and header.first("from") is None:
        return Reply(550, "5.7.1", "a mail with the null reverse-path needs a From that is yours", "sender")
    return None


def _field_reply(account: Account, name: str, value: bytes) -> Reply | None:
    mailboxes = parse_mailboxes(value)
    authors = [mailbox.address for mailbox in mailboxes.items]
    if not mailboxes.confident:
        authors += scan(value)
    if not authors:
        return Reply(550, "5.7.1", f"the {name} field cannot be read", "sender")
    stranger = next((author for author in authors if not account.owns(author)), None)
    return _not_yours(f"{name}: ", stranger) if stranger is not None else None


def _not_yours(where: str, address: Address) -> Reply:
    text = f"{where}your account may not send as <{printable(str(address))}>"
    return Reply(550, "5.7.1", text, "sender")
