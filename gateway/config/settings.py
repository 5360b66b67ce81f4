"""The settings: one frozen tree. docs/settings.md lists every key; a test compares.

Paths are relative to the settings file. Secrets come from files or the environment, never from this tree.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.config.values import (
    CountryCode,
    Fingerprint,
    FrontNetwork,
    Network,
    OutgoingUrl,
    ProxyUrl,
    Rate,
    RouteName,
    StoreUrl,
    TextSender,
    Zone,
)
from gateway.units import Duration, Size


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(_Group):
    """An address to listen on: `127.0.0.1:2525`, `[::1]:2525`."""

    host: str
    port: Annotated[int, Field(ge=0, le=65535)]

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        host, colon, port = value.rpartition(":")
        if not colon or not port.isdigit():
            raise ValueError(
                f"not an address to listen on: {value!r}; write host:port, for example 127.0.0.1:2525"
            )
        return {"host": host.strip("[]"), "port": int(port)}


class Tls(_Group):
    certificate: Path
    key: Path


class Smtp(_Group):
    """Mail in."""

    listen: tuple[Listen, ...] = (Listen(host="127.0.0.1", port=2525),)
    implicit_tls_listen: tuple[Listen, ...] = ()
    tls: Tls | None = None
    auth_requires_tls: bool = True
    trusted_networks: tuple[Network, ...] = ()
    proxy_networks: tuple[FrontNetwork, ...] = ()
    xclient_networks: tuple[FrontNetwork, ...] = ()


class Limits(_Group):
    """Bounds on what peers control. The defaults are those of the MTAs named in docs/operations.md."""

    message: Size = 35 << 20
    line: Size = 2048
    recipients: Annotated[int, Field(ge=1, le=100_000)] = 1000
    connections: Annotated[int, Field(ge=1)] = 1000
    connections_per_address: Annotated[int, Field(ge=1)] = 50
    commands: Annotated[int, Field(ge=10)] = 5000
    errors: Annotated[int, Field(ge=1)] = 20
    auth_failures: Annotated[int, Field(ge=1)] = 5
    received_fields: Annotated[int, Field(ge=5)] = 50
    bytes_in_flight: Size = 512 << 20
    idle: Duration = timedelta(minutes=5)
    session: Duration = timedelta(hours=1)
    data: Duration = timedelta(minutes=10)
    data_rate: Annotated[int, Field(ge=0)] = 500
    mails_per_hour: Rate = 6_000
    recipients_per_hour: Rate = 10_000
    recipients_per_day: Rate = 30_000
    network_mails_per_hour: Rate = 20_000
    network_recipients_per_hour: Rate = 50_000
    connections_per_minute: Rate = 1_200
    relay_mails_per_hour: Rate = None
    relay_recipients_per_hour: Rate = None


class Smarthost(_Group):
    """The MTA that takes everything. The password stands alone in `password_file`."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    tls: Literal["off", "opportunistic", "starttls", "implicit"] = "opportunistic"
    verify: bool = True
    username: str | None = None
    password_file: Path | None = None


class TlsRule(_Group):
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


class Delivery(_Group):
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


class Web(_Group):
    """The page behind the links, health and metrics. `public_url` is what stands in notices."""

    listen: Listen = Listen(host="127.0.0.1", port=8025)
    public_url: str = "http://127.0.0.1:8025"
    metrics_listen: Listen | None = None
    link_valid: Duration = timedelta(days=7)


class Notices(_Group):
    """Who our own mail is from; `address` defaults to sekisho@ the host name."""

    address: str | None = None
    name: str = "Sekisho 関所"


class Retention(_Group):
    """How long finished mail is kept: the body until its key is destroyed, the record until its row goes."""

    bodies: Duration = timedelta(days=7)
    records: Duration = timedelta(days=366)


class Content(_Group):
    """Reading what mails and attachments hold, where a policy asks for it: how many processes, and how much of one mail."""

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    time: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=5))] = timedelta(seconds=10)
    wait: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=30)
    memory: Annotated[Size, Field(ge=128 << 20)] = 512 << 20
    characters: Annotated[int, Field(ge=10_000, le=10_000_000)] = 1_000_000
    members: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    depth: Annotated[int, Field(ge=1, le=20)] = 5
    unpacked: Annotated[Size, Field(ge=1 << 20)] = 256 << 20


class Sealing(_Group):
    """Protecting attachments, where a policy asks for it: how many processes, how long a mail waits for one, their memory."""

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    wait: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=30)
    memory: Annotated[Size, Field(ge=256 << 20)] = 1 << 30


class Knowledge(_Group):
    """What rules may ask about earlier mail and the DNS: how long it is kept, how long a mail waits for it."""

    acquaintances: Annotated[Duration, Field(ge=timedelta(days=1))] = timedelta(days=730)
    patience: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(seconds=30))] = (
        timedelta(seconds=2)
    )


class Webhook(_Group):
    """Text messages through a server of one's own: signed JSON (docs/channels.md). The secret stands alone in its file."""

    url: OutgoingUrl
    secret_file: Path


class Twilio(_Group):
    """Text messages through Twilio's Messages API. `token_file` holds the account's auth token and nothing else.

    With `api_key` messages are sent with that key and its secret; the token then only proves receipts.
    """

    account: Annotated[str, Field(pattern=r"^AC[0-9a-f]{32}$")]
    token_file: Path
    api_key: Annotated[str, Field(pattern=r"^SK[0-9a-f]{32}$")] | None = None
    api_secret_file: Path | None = None
    sender: TextSender
    url: OutgoingUrl = "https://api.twilio.com"

    @model_validator(mode="after")
    def _key_and_secret(self) -> Self:
        if (self.api_key is None) is not (self.api_secret_file is None):
            raise ValueError("`api_key` and `api_secret_file` belong together")
        return self


class Sms(_Group):
    """Keys as text messages: who carries them, and which number belongs to whom."""

    webhook: Webhook | None = None
    twilio: Twilio | None = None
    directory: Path | None = None
    countries: Annotated[tuple[CountryCode, ...], Field(max_length=50)] = ("+81",)
    timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=1))] = timedelta(
        seconds=15
    )
    concurrency: Annotated[int, Field(ge=1, le=50)] = 4
    receipts: bool = False
    proxy: ProxyUrl | None = None

    @model_validator(mode="after")
    def _one_carrier(self) -> Self:
        if self.webhook is not None and self.twilio is not None:
            raise ValueError("`webhook` or `twilio`: one of them carries text messages")
        return self


class Channels(_Group):
    """How keys of attachments reach their recipients (docs/channels.md)."""

    sms: Sms = Sms()


class Log(_Group):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class Store(_Group):
    """The database: SQLite in `state` without a URL, a PostgreSQL that several gateways share with one."""

    url: StoreUrl | None = None
    password_file: Path | None = None
    node_timeout: Annotated[Duration, Field(ge=timedelta(seconds=2), le=timedelta(minutes=5))] = timedelta(
        seconds=20
    )


class Settings(_Group):
    """Everything `sekisho serve` needs to know."""

    hostname: str
    timezone: Zone = "Asia/Tokyo"
    state: Path = Path("var")
    policies: Path = Path("policies")
    accounts: Path | None = None
    master_key_file: Path | None = None
    minimum_free_space: Size = 256 << 20
    run_as: str | None = None
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")] | None = None
    store: Store = Store()
    smtp: Smtp = Smtp()
    limits: Limits = Limits()
    delivery: Delivery = Delivery()
    web: Web = Web()
    notices: Notices = Notices()
    retention: Retention = Retention()
    content: Content = Content()
    sealing: Sealing = Sealing()
    knowledge: Knowledge = Knowledge()
    channels: Channels = Channels()
    log: Log = Log()

    def of_one_worker(self) -> Settings:
        """Return the settings of one of several workers: what the gateway as a whole may take is divided among them."""
        if self.workers == 1:
            return self

        def part(whole: int) -> int:
            return -(-whole // self.workers)

        limits, out = self.limits, self.delivery
        return self.model_copy(
            update={
                "limits": limits.model_copy(
                    update={
                        "connections": part(limits.connections),
                        "bytes_in_flight": max(part(limits.bytes_in_flight), limits.message),
                    }
                ),
                "delivery": out.model_copy(
                    update={
                        "concurrency": part(out.concurrency),
                        "connections_per_host": part(out.connections_per_host),
                    }
                ),
                "content": self.content.model_copy(update={"workers": part(self.content.workers)}),
                "sealing": self.sealing.model_copy(update={"workers": part(self.sealing.workers)}),
            }
        )
