"""The settings of mail out: next hops, how connections to them are secured, and how long it is tried."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.config.group import Group
from gateway.config.values import Fingerprint, RouteName
from gateway.units import Duration


class Smarthost(Group):
    """The MTA that takes everything. The password stands alone in `password_file`."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    tls: Literal["off", "opportunistic", "starttls", "implicit"] = "opportunistic"
    verify: bool = True
    username: str | None = None
    password_file: Path | None = None


class TlsRule(Group):
    """How connections to the hosts of a domain, or to one host, are secured. `.example.jp` is all below that name."""

    match: str
    tls: Literal["off", "opportunistic", "starttls", "verify", "fingerprint", "dane"]
    fingerprints: Annotated[tuple[Fingerprint, ...], Field(max_length=20)] = ()
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.tls == "fingerprint") != bool(self.fingerprints):
            raise ValueError("`tls: fingerprint` and `fingerprints` belong together")
        if self.ca_file is not None and self.tls != "verify":
            raise ValueError("`ca_file` is for `tls: verify`")
        return self


class Delivery(Group):
    """Mail out: the smarthost, or the recipients' MX where none is set."""

    smarthost: Smarthost | None = None
    routes: Annotated[dict[RouteName, Smarthost], Field(max_length=50)] = Field(default_factory=dict)
    connections_per_host: Annotated[int, Field(ge=1, le=100)] = 10
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 50
    recipients_per_transaction: Annotated[int, Field(ge=1, le=1000)] = 100
    give_up_after: Duration = timedelta(days=5)
    delay_notice_after: Duration = timedelta(hours=4)
    connect_timeout: Duration = timedelta(seconds=30)
    command_timeout: Duration = timedelta(minutes=5)
    nameservers: tuple[str, ...] = ()
    dnssec: bool = False
    mta_sts: bool = True
    tls_policy: tuple[TlsRule, ...] = ()

    @model_validator(mode="after")
    def _dane_needs_dnssec(self) -> Self:
        if not self.dnssec and any(rule.tls == "dane" for rule in self.tls_policy):
            raise ValueError("`tls: dane` needs `dnssec: true` and resolvers that validate")
        return self
