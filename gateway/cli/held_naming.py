"""Recipients named by their addresses, as an administrator types them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gateway.cli.printable import printable
from gateway.spool.values import Stored


def indexes_of(message: Stored, addresses: Sequence[str]) -> list[int]:
    """Return the indexes of recipients by address; ends the command where the mail has no such recipient."""
    by_key = {recipient.address.key: recipient.index for recipient in message.recipients}
    unknown = [address for address in addresses if _key(address) not in by_key]
    if unknown:
        raise click.UsageError(printable(f"{message.queue_id} has no recipient {', '.join(unknown)}"))
    return [by_key[_key(address)] for address in addresses]


def _key(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{domain.casefold()}"
