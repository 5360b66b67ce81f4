"""The settings of our own mail: who it is from, its templates, its signatures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, model_validator

from gateway.config.group import Group

_LABELS = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def _name(text: str) -> str:
    lower = text.lower()
    if len(lower) > 200 or not _LABELS.fullmatch(lower):
        raise ValueError(f"not a name in the DNS: {text!r}")
    return lower


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, dict | str) else value


DnsName = Annotated[str, AfterValidator(_name)]


class Dkim(Group):
    """One key with which our own mail is signed; the DNS has its public part at `selector`._domainkey.`domain`."""

    domain: DnsName
    selector: DnsName
    key_file: Path


class Notices(Group):
    """Our own mail. `address` defaults to sekisho@ the host name."""

    address: str | None = None
    name: str = "Sekisho 関所"
    templates: Path | None = None
    dkim: Annotated[tuple[Dkim, ...], BeforeValidator(_one_or_many)] = ()

    @model_validator(mode="after")
    def _aligned(self) -> Notices:
        """Refuse a signature that says nothing about the address in From (DMARC, RFC 7489 3.1.1)."""
        domain = (self.address or "").rpartition("@")[2].lower()
        for key in self.dkim:
            if domain and domain != key.domain and not domain.endswith(f".{key.domain}"):
                raise ValueError(f"address is not in the domain that signs, {key.domain}")
        return self
