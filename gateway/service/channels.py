"""The channels of keys in a running gateway: built from the settings, with the second mail that notices/ writes, and watched.

Whoever runs `sekisho doctor` builds the same without a service.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog
from starlette.routing import BaseRoute

from gateway.channels.receipts import receipt_routes
from gateway.channels.registry import Channels
from gateway.channels.second_mail import Compose
from gateway.channels.worker import ChannelWorker
from gateway.clock import utc_now
from gateway.config.key_ways import way_warnings
from gateway.config.policies import PolicyInForce
from gateway.config.settings import Settings
from gateway.console.probes import Check, NotReady
from gateway.notices.keys import KeyLetters
from gateway.spool.sql import SqlSpool
from gateway.yaml_source import Problems

log = structlog.get_logger()


class KeyRooms:
    """The registry and its worker; `letters` writes the second mail, `wake` is called after one was spooled."""

    def __init__(
        self, settings: Settings, spool: SqlSpool, letters: KeyLetters, wake: Callable[[], None]
    ) -> None:
        self._spool = spool
        compose: Compose = letters.second_mail
        self.channels = Channels(settings, spool, compose, counting_agreed(spool), wake, utc_now)
        slots = settings.channels.sms.concurrency
        self.worker = ChannelWorker(self.channels, spool.keys, spool, utc_now, slots)

    def routes(self) -> Sequence[BaseRoute]:
        """Return where carriers tell what arrived."""
        carrier = self.channels.carrier
        return [] if carrier is None else receipt_routes(carrier, self._spool.keys, utc_now)

    def check(self) -> Check:
        """Return the check of /readyz: whether the last keys went out, and the directory can be read."""

        async def channels() -> None:
            if self.worker.ails:
                raise NotReady(f"keys cannot be sent: {self.worker.ails}; see sekisho doctor")

        return channels


def counting_agreed(spool: SqlSpool) -> Callable[[], Awaitable[int]]:
    """Return what counts the keys that were agreed on."""

    async def count() -> int:
        return len(await spool.keys.agreements())

    return count


def warn_of_ways(policy: PolicyInForce, settings: Settings) -> None:
    """Log, for each rule, a way that the settings do not equip."""
    try:
        found = way_warnings(policy.current, settings)
    except Problems:
        return  # told already
    for warning in found:
        log.warning("policy.way", told=str(warning))
