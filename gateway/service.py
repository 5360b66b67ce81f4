"""The only wiring: builds every room from the settings, starts them in order, stops them in the opposite order.

Start: store (recovery first), policy, delivery, scheduler, notices, web, and mail in last, when all behind it works.
Stop: mail in first; what was acknowledged is on disk, so nothing has to be finished but what is under way.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from starlette.routing import BaseRoute

from gateway import __version__
from gateway.clock import utc_now
from gateway.config.policies import PolicyInForce
from gateway.config.settings import Delivery, Settings
from gateway.console.app import create_app, create_probe_app
from gateway.console.server import http_server
from gateway.delivery.assurance import Assurance
from gateway.delivery.courier import Courier
from gateway.delivery.dsn import dsn_composers
from gateway.delivery.pool import Pool
from gateway.delivery.route import Router, is_foreign, smarthost_hop
from gateway.delivery.session import Opener, tls_context
from gateway.delivery.sts import FetchFailed, Sts, fetch_policy
from gateway.delivery.timeouts import Timeouts
from gateway.evidence.resolver import DnsResolver, DnsUnavailable
from gateway.lag import watch_lag
from gateway.links import Links
from gateway.loops import Loops
from gateway.message.envelope import Envelope
from gateway.message.gather import gather
from gateway.notices.compose import Composers
from gateway.notices.letter import Author
from gateway.notices.worker import NoticeWorker
from gateway.policy.decide import decide
from gateway.policy.model import Policy
from gateway.receive.accounts import Accounts, Changes
from gateway.receive.intake import FULL, Intake
from gateway.receive.listener import Listener
from gateway.receive.reply import Reply
from gateway.release.dispatch import Dispatcher
from gateway.release.housekeeping import Housekeeping
from gateway.release.scheduler import Scheduler
from gateway.spool.contract import SYSTEM, StoreUnavailable
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.database import FILE_NAME
from gateway.store.forgetting import forget_environment
from gateway.store.keys import ENVIRONMENT, MasterKey, MasterKeyError, key_file
from gateway.store.where import where_of
from gateway.watch import FreeSpace, NextHopProbe, StoreTrouble, publish_figures, publish_readiness, readiness

ACCOUNTS_EVERY_S = 5.0  # between two looks at the accounts file
KEY_EVERY_S = 5.0  # between two looks at the key file
RING_EVERY_S = 1.0  # between two looks at the outbox for what another worker put there
NOTE_AGAIN_S = 5.0  # before an event that the store did not take is written again
LIFE_EVERY_S = 0.5  # well below the grace that the others give before they take over
DRAIN_S = 20.0  # for mail and deliveries under way; with the rest below systemd's and Docker's stop time-outs

log = structlog.get_logger()

NO_SHARED_KEY = (
    "no master key at {path}: gateways that share a database need the same one; "
    "for the first make it with (umask 077; head -c 32 /dev/urandom > {path}), to the others copy it"
)


class CannotStart(Exception):
    """Something that an admin has to mend; the text says what and where."""


def master_key(settings: Settings) -> MasterKey:
    """Load the master key; a state directory without a database gets a new one where there is none."""
    path = key_file(settings.state, settings.master_key_file)
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    if ENVIRONMENT in os.environ or path.exists() or (settings.state / FILE_NAME).exists():
        return MasterKey.load(path)
    if settings.store.url:
        raise CannotStart(NO_SHARED_KEY.format(path=path))
    log.info("master-key.created", path=str(path))
    return MasterKey.create(path)


class Service:
    """One running gateway. `extra_routes` are pages that somebody else adds (the demo's).

    Of several workers (settings.workers), the first, number 0, is the whole gateway; the others take mail in and deliver.
    """

    def __init__(
        self, settings: Settings, extra_routes: Sequence[BaseRoute] = (), *, worker: int = 0
    ) -> None:
        self.worker = worker
        self._settings = settings.of_one_worker()
        self._extra_routes = extra_routes
        self._stop = asyncio.Event()
        self._loops = Loops(self._stop.set)
        self._reload_asked = asyncio.Event()
        self._key_watched = ENVIRONMENT not in os.environ  # a key from the environment changes with a restart
        self.spool: SqlSpool
        self.policy = PolicyInForce(settings.policies, self._policy_changed)
        self._when_ready: Callable[[], None] = lambda: None
        self._space = FreeSpace(settings.state, settings.minimum_free_space)
        self._trouble = StoreTrouble()

    async def run(self) -> None:
        """Serve until `stop` or a signal; raises CannotStart, LoopDied, and what the store's opening raises."""
        async with AsyncExitStack() as stack:
            self._catch_signals(stack)
            await self._start(stack)
            await self._stop.wait()
            log.info("stopping")
        log.info("stopped")
        self._loops.complain()

    def stop(self) -> None:
        """Begin the orderly end."""
        self._stop.set()

    def when_ready(self, call: Callable[[], None]) -> None:
        """Have `call` called once everything listens."""
        self._when_ready = call

    async def _start(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        self._where = replace(where_of(settings), worker=self.worker, workers=settings.workers)
        self._key = key = master_key(settings)
        forget_environment()
        self._key_file = key_file(settings.state, settings.master_key_file)
        self.spool = await asyncio.to_thread(open_spool, self._where, key, serve=True)
        stack.push_async_callback(self.spool.close)
        stack.push_async_callback(self._note_the_end)
        await self._note(Kind.STARTED, master_key=key.key_id)
        recovered = await self.spool.recover(utc_now())
        await self.policy.reload()
        self._build(key)
        stack.push_async_callback(self._loops.end)
        stack.push_async_callback(self.pool.close)
        stack.push_async_callback(self.scheduler.stop, DRAIN_S)
        if self.worker == 0:
            await self._open_web(stack)
        self._listener = Listener(settings, self._submit, self.accounts)
        with _address_errors():
            await self._listener.start()
        stack.push_async_callback(self._listener.close, timedelta(seconds=DRAIN_S))
        for work in (
            self.scheduler.run(),
            watch_lag(),
            self.policy.watch(self._stop),
            self._watch_accounts(),
            self._leave_when_cut_off(),
            self._watch_key(),
            self._reload_when_asked(),
            *self._work_of_the_first(),
        ):
            self._loops.begin(work)
        self._listen_to_other_nodes()
        log.info("ready", version=__version__, smtp=self._listener.addresses, recovered=recovered)
        self._when_ready()

    def _work_of_the_first(self) -> list[Coroutine[Any, Any, None]]:
        if self.worker:
            return []
        return [
            self.notices.run(),
            publish_figures(self.spool, utc_now),
            publish_readiness(self._checks),
            self._ring_for_others(),
        ]

    def _build(self, key: MasterKey) -> None:
        settings, out = self._settings, self._settings.delivery
        self.accounts = Accounts(settings.accounts, self._accounts_changed)
        timeouts = Timeouts.bounded(out.connect_timeout, out.command_timeout)
        hop = smarthost_hop(out.smarthost, _password(settings)) if out.smarthost is not None else None
        resolver = DnsResolver(out.nameservers, dnssec=out.dnssec)
        router = Router(settings.hostname, resolver, hop, random.shuffle, _assurance(out, resolver))
        self.pool = Pool(Opener(settings.hostname, timeouts), out.connections_per_host, out.concurrency)
        housekeeping = Housekeeping(
            self.spool,
            give_up_after=out.give_up_after,
            delay_notice_after=out.delay_notice_after,
            bodies_after=settings.retention.bodies,
            records_after=settings.retention.records,
            ring=self._ring,
        )
        dispatcher = Dispatcher(
            self.spool,
            router,
            Courier(self.pool, router, timeouts),
            hostname=settings.hostname,
            recipients_per_transaction=out.recipients_per_transaction,
            clock=utc_now,
            jitter=lambda: random.uniform(-1, 1),  # noqa: S311 - it spreads retries, it keeps no secret
            ring=self._ring,
        )
        self.scheduler = Scheduler(
            self.spool, dispatcher.run, utc_now, housekeeping, concurrency=out.concurrency
        )
        self._intake = Intake(
            self.spool,
            lambda: self.policy.current,
            decide,
            gather,
            utc_now,
            self.accounts.language_of,
            self.scheduler,
            self._ring,
        )
        self._links = Links(key.derived("links"), settings.web.public_url, settings.web.link_valid)
        self.notices = self._notice_worker()

    def _notice_worker(self) -> NoticeWorker:
        settings = self._settings
        address = settings.notices.address or f"sekisho@{settings.hostname}"
        author = Author(settings.notices.name, address, settings.hostname)
        own = Composers(self._links, ZoneInfo(settings.timezone), author)
        composers = {
            **own.by_kind(),
            **dsn_composers(
                settings.hostname, address, settings.notices.name, settings.delivery.give_up_after
            ),
        }
        return NoticeWorker(self.spool, composers, own, utc_now, settings.hostname, self.scheduler.wake)

    async def _submit(self, envelope: Envelope, raw: bytes) -> Reply:
        if not self._space.enough:
            return FULL
        reply = await self._intake.submit(envelope, raw)
        if reply.why == "store":
            self._trouble.seen()
        return reply

    def _ring(self) -> None:
        self.notices.ring()
        self.spool.ring()

    async def _leave_when_cut_off(self) -> None:
        """Stop delivering, and tell clients that wait for a COMMIT, as soon as other nodes may take this one for dead."""
        while True:
            await asyncio.sleep(LIFE_EVERY_S)
            if self.spool.cut_off:
                log.warning("node.cut-off")
                self.scheduler.abandon()
                self.spool.give_up()

    def _listen_to_other_nodes(self) -> None:
        loop = asyncio.get_running_loop()

        def heard() -> None:  # on a thread of the store's
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._rung)

        self.spool.on_bell(heard)

    def _rung(self) -> None:
        """Another gateway has put work into the database that we share."""
        self.scheduler.wake()
        self.notices.ring()

    async def _ring_for_others(self) -> None:
        """Look often for notices that the other workers put into the outbox."""
        while self._settings.workers > 1:
            await asyncio.sleep(RING_EVERY_S)
            self.notices.ring()

    async def _open_web(self, stack: AsyncExitStack) -> None:
        web = self._settings.web
        self._checks = checks = readiness(
            self.spool,
            self.policy,
            self._space,
            self._trouble,
            NextHopProbe(self._settings.delivery.smarthost),
        )
        app = create_app(
            self.spool,
            self._links,
            utc_now,
            ZoneInfo(self._settings.timezone),
            self._settings.hostname,
            checks=checks,
            with_metrics=web.metrics_listen is None,
            extra_routes=self._extra_routes,
        )
        with _address_errors():
            await stack.enter_async_context(http_server(app, web.listen))
            if web.metrics_listen is not None:
                await stack.enter_async_context(http_server(create_probe_app(checks), web.metrics_listen))

    async def _note(self, kind: Kind, **detail: object) -> None:
        """Write an event about the service; it is one service, so only the first worker does."""
        if self.worker:
            return
        await self.spool.note(kind, Reason.SYSTEM, SYSTEM, {"version": __version__, **detail}, utc_now())

    async def _note_the_end(self) -> None:
        """Write the last event; a store that cannot take it does not make an orderly end a failure."""
        try:
            await self._note(Kind.STOPPED)
        except StoreUnavailable as error:
            log.warning("event.lost", kind=Kind.STOPPED.value, cause=str(error))

    async def _note_in_time(self, kind: Kind, **detail: object) -> None:
        """Write an event as soon as the store takes it: a full disk must neither lose it nor end the service."""
        while True:
            try:
                return await self._note(kind, **detail)
            except StoreUnavailable as error:
                log.warning("event.waits", kind=kind.value, cause=str(error))
                await asyncio.sleep(NOTE_AGAIN_S)

    def _policy_changed(self, policy: Policy) -> None:
        self._loops.begin(self._note_in_time(Kind.POLICY, digest=policy.digest))

    def _accounts_changed(self, changes: Changes) -> None:
        self._loops.begin(self._note_in_time(Kind.ACCOUNT, changes=changes))

    async def _watch_accounts(self) -> None:
        """Look at the accounts file now and then, so that a change is in the event log also when nobody signs in."""
        while True:
            await asyncio.sleep(ACCOUNTS_EVERY_S)
            try:
                self.accounts.refresh()
            except Exception:
                log.exception("accounts_unread")

    async def _watch_key(self) -> None:
        """Look at the key file now and then, so that a key that `sekisho keys rotate` made is in use while it still works."""
        while self._key_watched:
            await asyncio.sleep(KEY_EVERY_S)
            self._refresh_key()

    def _refresh_key(self) -> None:
        """Take a new master key from its file where it comes with the one in use; anything else is told only."""
        try:
            found = MasterKey.load(self._key_file, {})
        except MasterKeyError as error:
            log.error("master-key.kept", cause=str(error))
            return
        if found.key_ids == self._key.key_ids:
            return
        if found.holding(self._key.key_id) is None:
            log.error("master-key.kept", cause=f"the file holds {found.key_id} without {self._key.key_id}")
            return
        self.spool.database.adopt(found)
        self._links.adopt(found.derived("links"))
        self._key = found
        log.info("master-key.adopted", keys=found.key_ids)

    def _catch_signals(self, stack: AsyncExitStack) -> None:
        """From before the start to after the end: a second signal, or a reload, must not cut an orderly end short."""
        loop = asyncio.get_running_loop()
        actions = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop, signal.SIGHUP: self._reload_asked.set}
        for number, action in actions.items():
            loop.add_signal_handler(number, action)
            stack.callback(loop.remove_signal_handler, number)

    async def _reload_when_asked(self) -> None:
        """SIGHUP: read the policy, the certificate and the accounts again; many signals at once are one or two reloads."""
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            try:
                await self._reload_all()
            except Exception:
                log.exception("reload-failed")

    async def _reload_all(self) -> None:
        await self.policy.reload()
        self.accounts.refresh()
        if self._key_watched:
            self._refresh_key()
        try:
            self._listener.reload_certificate()
        except (OSError, ValueError) as error:
            log.error("certificate.kept", cause=str(error))


@contextmanager
def _address_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotStart(f"cannot listen: {error.strerror or error}") from error


def _password(settings: Settings) -> str:
    smarthost = settings.delivery.smarthost
    if smarthost is None or smarthost.password_file is None:
        return ""
    try:
        return smarthost.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise CannotStart(f"{smarthost.password_file}: cannot be read: {error.strerror}") from error


def _assurance(out: Delivery, resolver: DnsResolver) -> Assurance:
    """Return what decides on TLS to next hops: DANE where DNSSEC is trusted, MTA-STS where mail goes by MX."""

    async def fetch(domain: str) -> bytes:
        try:
            addresses = await resolver.addresses(f"mta-sts.{domain}")
        except DnsUnavailable as error:
            raise FetchFailed(str(error)) from error
        return await fetch_policy(domain, [a for a in addresses if is_foreign(a)], tls_context(True))

    dane = resolver if out.dnssec else None
    return Assurance(out.tls_policy, dane, Sts(resolver.texts, fetch).policy if out.mta_sts else None)
