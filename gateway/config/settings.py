"""The settings: one frozen tree. docs/settings.md lists every key; a test compares.

Paths are relative to the settings file. Secrets come from files or the environment, never from this tree.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.config.channel_settings import Channels
from gateway.config.delivery_settings import Delivery
from gateway.config.group import Group
from gateway.config.incident_settings import Incidents
from gateway.config.notice_settings import Notices
from gateway.config.sign_in_settings import SignIn
from gateway.config.values import FrontNetwork, Network, Rate, StoreUrl, Zone
from gateway.config.webhook_settings import MAX_WEBHOOKS, Webhook
from gateway.units import Duration, Size


class Listen(Group):
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


class Tls(Group):
    certificate: Path
    key: Path


class Smtp(Group):
    """Mail in."""

    listen: tuple[Listen, ...] = (Listen(host="127.0.0.1", port=2525),)
    implicit_tls_listen: tuple[Listen, ...] = ()
    tls: Tls | None = None
    auth_requires_tls: bool = True
    trusted_networks: tuple[Network, ...] = ()
    proxy_networks: tuple[FrontNetwork, ...] = ()
    xclient_networks: tuple[FrontNetwork, ...] = ()
    bare_lf_networks: tuple[FrontNetwork, ...] = ()


class Limits(Group):
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


class Web(Group):
    """The page behind the links, health and metrics. `public_url` is what stands in notices."""

    listen: Listen = Listen(host="127.0.0.1", port=8025)
    public_url: str = "http://127.0.0.1:8025"
    metrics_listen: Listen | None = None
    link_valid: Duration = timedelta(days=7)


class Retention(Group):
    """How long finished mail is kept: the body until its key is destroyed, the record until its row goes; how long events are;
    and frozen mail, until it is cancelled."""

    bodies: Duration = timedelta(days=7)
    records: Duration = timedelta(days=366)
    events: Annotated[Duration, Field(ge=timedelta(days=366))] | None = None
    frozen: Annotated[Duration, Field(ge=timedelta(hours=1), le=timedelta(days=90))] = timedelta(days=10)


class Audit(Group):
    """How often the ends of the event log's chains are signed, a file that gets every signed checkpoint as a line, and whether
    ordering bodies see the subjects of their contractors' mail."""

    checkpoint_every: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(hours=1)
    checkpoint_file: Path | None = None
    ordering_sees_subjects: bool = True


class Content(Group):
    """Reading what mails and attachments hold, where a policy asks for it: how many processes, and how much of one mail."""

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    time: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=5))] = timedelta(seconds=10)
    wait: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=30)
    memory: Annotated[Size, Field(ge=128 << 20)] = 512 << 20
    characters: Annotated[int, Field(ge=10_000, le=10_000_000)] = 1_000_000
    members: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    depth: Annotated[int, Field(ge=1, le=20)] = 5
    unpacked: Annotated[Size, Field(ge=1 << 20)] = 256 << 20


class Sealing(Group):
    """Protecting attachments, where a policy asks for it: how many processes, how long a mail waits for one, their memory."""

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    wait: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=30)
    memory: Annotated[Size, Field(ge=256 << 20)] = 1 << 30


class Knowledge(Group):
    """What rules may ask about earlier mail and the DNS: how long it is kept, how long a mail waits for it."""

    acquaintances: Annotated[Duration, Field(ge=timedelta(days=1))] = timedelta(days=730)
    patience: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(seconds=30))] = (
        timedelta(seconds=2)
    )


class Log(Group):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class Store(Group):
    """The database: SQLite in `state` without a URL, a PostgreSQL that several gateways share with one."""

    url: StoreUrl | None = None
    password_file: Path | None = None
    node_timeout: Annotated[Duration, Field(ge=timedelta(seconds=2), le=timedelta(minutes=5))] = timedelta(
        seconds=20
    )


class Settings(Group):
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
    audit: Audit = Audit()
    content: Content = Content()
    sealing: Sealing = Sealing()
    knowledge: Knowledge = Knowledge()
    incidents: Incidents = Incidents()
    channels: Channels = Channels()
    webhooks: Annotated[tuple[Webhook, ...], Field(max_length=MAX_WEBHOOKS)] = ()
    sign_in: SignIn = SignIn()
    log: Log = Log()

    @model_validator(mode="after")
    def _webhooks_differ(self) -> Self:
        names = [each.name for each in self.webhooks]
        if len(names) != len(set(names)):
            raise ValueError("two webhooks have the same name")
        return self

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
