"""The settings of our own mail: who it is from, its templates, its signatures, the letter of the day."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, model_validator

from gateway.config.group import Group
from gateway.config.values import Zone
from gateway.message.address import AddressError, parse_path

_LABELS = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def _name(text: str) -> str:
    lower = text.lower()
    if len(lower) > 200 or not _LABELS.fullmatch(lower):
        raise ValueError(f"not a name in the DNS: {text!r}")
    return lower


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, dict | str) else value


def _time(value: object) -> object:
    if not (isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value)):
        raise ValueError(f'not a time of day: {value!r}; write it in quotes, for example "08:30"')
    return time.fromisoformat(value)


def _mailbox(text: str) -> str:
    try:
        return parse_path(text).key
    except AddressError as error:
        raise ValueError(f"not a mail address: {text!r} ({error})") from None


def _person(text: str) -> str:
    """Take an address, or everybody of a domain: `@example.jp`, `.example.jp`."""
    return (
        _mailbox(text)
        if "@" in text[1:]
        else _name(text.removeprefix("@").removeprefix(".")) and text.lower()
    )


DnsName = Annotated[str, AfterValidator(_name)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Person = Annotated[str, AfterValidator(_person)]
TimeOfDay = Annotated[time, BeforeValidator(_time)]


class Dkim(Group):
    """One key with which our own mail is signed; the DNS has its public part at `selector`._domainkey.`domain`."""

    domain: DnsName
    selector: DnsName
    key_file: Path


class Digest(Group):
    """The letter of the day: when it goes, to whom (all inside without `to`), and who gets the figures."""

    at: TimeOfDay = time(8, 30)
    timezone: Zone | None = None
    working_days: bool = True
    to: Annotated[tuple[Person, ...], BeforeValidator(_one_or_many)] = ()
    admins: Annotated[tuple[Mailbox, ...], BeforeValidator(_one_or_many)] = ()


class Notices(Group):
    """Our own mail. `address` defaults to sekisho@ the host name; without `digest` nobody gets a letter each day."""

    address: str | None = None
    name: str = "Sekisho 関所"
    templates: Path | None = None
    dkim: Annotated[tuple[Dkim, ...], BeforeValidator(_one_or_many)] = ()
    digest: Digest | None = None

    @model_validator(mode="after")
    def _aligned(self) -> Notices:
        """Refuse a signature that says nothing about the address in From (DMARC, RFC 7489 3.1.1)."""
        domain = (self.address or "").rpartition("@")[2].lower()
        for key in self.dkim:
            if domain and domain != key.domain and not domain.endswith(f".{key.domain}"):
                raise ValueError(f"address is not in the domain that signs, {key.domain}")
        return self
