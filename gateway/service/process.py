"""One process of the gateway: starts the rooms in order, and stops them in the opposite order.

Start: store (recovery first), policy, delivery, scheduler, notices, web, and mail in last, when all behind it works.
Stop: mail in first; what was acknowledged is on disk, so nothing has to be finished but what is under way.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from starlette.routing import BaseRoute

from gateway import __version__
from gateway.channels.worker import keep_reading
from gateway.clock import utc_now
from gateway.config.key_ways import carries_texts
from gateway.config.policies import PolicyInForce
from gateway.config.settings import Settings
from gateway.console.probes import Check
from gateway.gathered import keep_written_down
from gateway.policy.model import Policy
from gateway.receive.account import Changes
from gateway.receive.listener import Listener
from gateway.service.api import api_routes
from gateway.service.channels import warn_of_ways
from gateway.service.checkpoints import sign_checkpoints
from gateway.service.daily import daily_letters
from gateway.service.errors import listening
from gateway.service.incidents import care_for_incidents
from gateway.service.lag import watch_lag
from gateway.service.loops import Loops
from gateway.service.master_key import KeyInUse, master_key, watched_file
from gateway.service.muster import Muster
from gateway.service.others import OwnMuster, hear_other_nodes, leave_when_cut_off, look_for_notices
from gateway.service.own_events import OwnEvents
from gateway.service.read_again import ReadAgain
from gateway.service.rooms import Rooms
from gateway.service.watch import NextHopProbe, publish_figures, publish_readiness, readiness
from gateway.service.web import open_web
from gateway.spool.lifecycle import Kind
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.forgetting import forget_environment
from gateway.store.keys import MasterKey
from gateway.store.where import where_of

DRAIN_S = 20.0  # for mail and deliveries under way; with the rest below systemd's and Docker's stop time-outs

Work = Coroutine[Any, Any, None]

log = structlog.get_logger()


class Service:
    """One running gateway. `extra_routes` are pages that somebody else adds (the demo's).

    Of several workers (settings.workers), the first, number 0, is the whole gateway; the others take mail in and deliver.
    """

    def __init__(
        self,
        settings: Settings,
        extra_routes: Sequence[BaseRoute] = (),
        *,
        worker: int = 0,
        muster: Muster | None = None,
    ) -> None:
        self.worker = worker
        self._muster = OwnMuster(muster or Muster(-1, settings.workers), worker, settings.workers)
        self._settings = settings.of_one_worker()
        self._extra_routes = extra_routes
        self._stop = asyncio.Event()
        self._reload_asked = asyncio.Event()
        self._loops = Loops(self._stop.set)
        self._when_ready: Callable[[], None] = lambda: None

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
        key, path = master_key(settings), watched_file(settings)
        forget_environment()
        spool = await self._open_store(stack, key)
        events = await self._begin_events(stack, spool, key)
        recovered = await spool.recover(utc_now())
        rooms = await self._build(spool, events, key)
        self._end_with(stack, rooms)
        if self.worker == 0:
            await rooms.letters.read()
        checks = await self._open_web(stack, rooms) if self.worker == 0 else None
        listener = await self._open_mail_in(stack, rooms)
        files = ReadAgain(
            rooms.policy,
            rooms.accounts,
            KeyInUse(key, path, rooms.adopt, spool.database.known_keys),
            listener,
            rooms.letters,
        )
        for work in (*self._work_of_all(rooms, files), *self._work_of_the_first(rooms, checks)):
            self._loops.begin(work)
        hear_other_nodes(spool, rooms.rung)
        log.info("ready", version=__version__, smtp=listener.addresses, recovered=recovered)
        self._when_ready()

    async def _open_store(self, stack: AsyncExitStack, key: MasterKey) -> SqlSpool:
        where = replace(where_of(self._settings), worker=self.worker, workers=self._settings.workers)
        spool = await asyncio.to_thread(open_spool, where, key, serve=True)
        stack.push_async_callback(spool.close)
        spool.halts.frozen_for = self._settings.retention.frozen
        return spool

    async def _begin_events(self, stack: AsyncExitStack, spool: SqlSpool, key: MasterKey) -> OwnEvents:
        events = OwnEvents(spool, first=self.worker == 0)
        stack.push_async_callback(events.note_the_end)
        await events.note(Kind.STARTED, master_key=key.key_id)
        return events

    async def _build(self, spool: SqlSpool, events: OwnEvents, key: MasterKey) -> Rooms:
        def policy_changed(policy: Policy) -> None:
            self._loops.begin(events.note_in_time(Kind.POLICY, digest=policy.digest))

        def accounts_changed(changes: Changes) -> None:
            self._loops.begin(events.note_in_time(Kind.ACCOUNT, changes=changes))
            self._loops.begin(rooms.people.end_of_account(changes))

        policy = PolicyInForce(
            self._settings.policies,
            policy_changed,
            tuple(self._settings.delivery.routes),
            carries_texts(self._settings),
        )
        await policy.reload()
        warn_of_ways(policy, self._settings)
        rooms = Rooms(self._settings, key, spool, policy, accounts_changed)
        await rooms.suspensions.refresh()
        return rooms

    def _end_with(self, stack: AsyncExitStack, rooms: Rooms) -> None:
        stack.push_async_callback(self._loops.end)
        stack.callback(rooms.hashing.close)
        if rooms.provider is not None:
            stack.push_async_callback(rooms.provider.close)
        stack.push_async_callback(rooms.pool.close)
        stack.push_async_callback(rooms.reader.close)
        stack.push_async_callback(rooms.sealing.close)
        stack.push_async_callback(rooms.keys.channels.close)
        stack.push_async_callback(rooms.webhooks.close)
        stack.push_async_callback(rooms.scheduler.stop, DRAIN_S)

    async def _open_web(self, stack: AsyncExitStack, rooms: Rooms) -> Mapping[str, Check]:
        hop = NextHopProbe(self._settings.delivery.smarthost)
        checks = {
            **readiness(rooms.spool, rooms.policy, rooms.space, rooms.trouble, hop, self._muster.others),
            "channels": rooms.keys.check(),
            "notices": rooms.letters.check(),
        }
        routes = (*self._extra_routes, *rooms.keys.routes(), *api_routes(self._settings, rooms))
        await open_web(stack, self._settings, rooms, checks, routes)
        return checks

    async def _open_mail_in(self, stack: AsyncExitStack, rooms: Rooms) -> Listener:
        listener = Listener(self._settings, rooms.submit, rooms.accounts)
        with listening():
            await listener.start()
        stack.push_async_callback(listener.close, timedelta(seconds=DRAIN_S))
        return listener

    def _work_of_all(self, rooms: Rooms, files: ReadAgain) -> list[Work]:
        return [
            rooms.scheduler.run(),
            watch_lag(),
            *([keep_written_down()] if self._settings.workers > 1 else []),
            rooms.suspensions.watch(),
            rooms.policy.watch(self._stop),
            files.watch_accounts(),
            keep_reading(rooms.keys.channels.directory),
            leave_when_cut_off(rooms.spool, rooms.scheduler),
            self._muster.say_often(rooms),
            files.key.watch(),
            files.whenever(self._reload_asked),
        ]

    def _work_of_the_first(self, rooms: Rooms, checks: Mapping[str, Check] | None) -> list[Work]:
        if checks is None:
            return []
        daily = daily_letters(self._settings, rooms, checks)
        digests = [daily.run()] if daily is not None else []
        others = [look_for_notices(rooms.notices)] if self._settings.workers > 1 else []
        return [
            rooms.notices.run(),
            rooms.letters.watch(),
            rooms.keys.worker.run(),
            rooms.webhooks.run(),
            care_for_incidents(rooms.incidents, self._settings.retention.records, rooms.ring),
            rooms.learner.run(),
            sign_checkpoints(rooms.spool, self._settings.audit, self._settings.retention.events),
            publish_figures(rooms.spool, utc_now),
            publish_readiness(checks),
            *digests,
            *others,
        ]

    def _catch_signals(self, stack: AsyncExitStack) -> None:
        """From before the start to after the end: a second signal, or a reload, must not cut an orderly end short."""
        loop = asyncio.get_running_loop()
        actions = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop, signal.SIGHUP: self._reload_asked.set}
        for number, action in actions.items():
            loop.add_signal_handler(number, action)
            stack.callback(loop.remove_signal_handler, number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # `serve` let it wait
