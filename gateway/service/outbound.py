"""The way out, from what is due to the next hop: scheduler, dispatcher, courier and pool, as the settings want them."""

from __future__ import annotations

import random
from collections.abc import Callable

from gateway.clock import utc_now
from gateway.config.delivery_settings import Delivery, Smarthost
from gateway.config.settings import Settings
from gateway.delivery.assurance import Assurance
from gateway.delivery.courier import Courier
from gateway.delivery.pool import Pool
from gateway.delivery.route import Router, smarthost_hop
from gateway.delivery.session import Opener, tls_context
from gateway.delivery.sts import Sts, fetcher
from gateway.delivery.timeouts import Timeouts
from gateway.evidence.resolver import DnsResolver
from gateway.release.dispatch import Dispatcher
from gateway.release.housekeeping import Housekeeping
from gateway.release.scheduler import Scheduler
from gateway.release.variants import Variants
from gateway.service.errors import CannotStart
from gateway.spool.sql import SqlSpool
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Outbound:
    """What runs (`scheduler`) and what has to be closed after it (`pool`)."""

    scheduler: Scheduler
    pool: Pool


def outbound(settings: Settings, spool: SqlSpool, ring: Callable[[], None], variants: Variants) -> Outbound:
    """Build the way out; `ring` is called when a notice may have been put into the outbox. Raises CannotStart."""
    out = settings.delivery
    timeouts = Timeouts.bounded(out.connect_timeout, out.command_timeout)
    pool = Pool(Opener(settings.hostname, timeouts), out.connections_per_host, out.concurrency)
    router = _router(settings.hostname, out)
    dispatcher = Dispatcher(
        spool,
        router,
        Courier(pool, router, timeouts),
        hostname=settings.hostname,
        recipients_per_transaction=out.recipients_per_transaction,
        clock=utc_now,
        jitter=lambda: random.uniform(-1, 1),  # noqa: S311 - it spreads retries, it keeps no secret
        ring=ring,
        variants=variants,
    )
    housekeeping = Housekeeping(
        spool,
        give_up_after=out.give_up_after,
        delay_notice_after=out.delay_notice_after,
        bodies_after=settings.retention.bodies,
        records_after=settings.retention.records,
        ring=ring,
    )
    scheduler = Scheduler(spool, dispatcher.run, utc_now, housekeeping, concurrency=out.concurrency)
    return Outbound(scheduler, pool)


def _router(hostname: str, out: Delivery) -> Router:
    resolver = DnsResolver(out.nameservers, dnssec=out.dnssec)
    hop = smarthost_hop(out.smarthost, _password(out.smarthost)) if out.smarthost is not None else None
    named = {name: smarthost_hop(each, _password(each)) for name, each in out.routes.items()}
    return Router(hostname, resolver, hop, random.shuffle, _assurance(out, resolver), named)


def _password(smarthost: Smarthost) -> str:
    if smarthost.password_file is None:
        return ""
    try:
        return smarthost.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise CannotStart(f"{smarthost.password_file}: cannot be read: {error.strerror}") from error


def _assurance(out: Delivery, resolver: DnsResolver) -> Assurance:
    """Return what decides on TLS to next hops: DANE where DNSSEC is trusted, MTA-STS where mail goes by MX."""
    dane = resolver if out.dnssec else None
    sts = Sts(resolver.texts, fetcher(resolver.addresses, tls_context(True)))
    return Assurance(out.tls_policy, dane, sts.policy if out.mta_sts else None)
