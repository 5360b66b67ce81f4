"""What `sekisho doctor` says of the channels of keys: each way that a rule may name, and what the policy's rules lack.

The carrier of text messages is asked whether it knows us; nothing is sent to anybody.
"""

from __future__ import annotations

import asyncio

from gateway.channels.carrier import Carrier
from gateway.channels.contract import Health
from gateway.channels.directory import read
from gateway.channels.registry import carrier_of
from gateway.clock import utc_now
from gateway.config.key_ways import is_reachable, way_warnings
from gateway.config.policies import read_policy
from gateway.config.settings import Settings


def channels(settings: Settings) -> str:
    """Return `ok` with a word on each channel, or what is wrong; raises `Problems` (directory, policy)."""
    sms = settings.channels.sms
    numbers = len(read(sms.directory)) if sms.directory is not None else 0
    carrier = carrier_of(sms, settings.web.public_url, utc_now)
    health = Health(True, "not set up") if carrier is None else asyncio.run(_asked(carrier))
    page = "reachable" if is_reachable(settings.web.public_url) else "on this machine alone"
    words = f"sms: {health.words}, {numbers} numbers in the directory; download page: {page}"
    warnings = "; ".join(str(each) for each in way_warnings(read_policy(settings.policies), settings))
    return ("ok, " if health.works else "") + words + (f"; warning: {warnings}" if warnings else "")


async def _asked(carrier: Carrier) -> Health:
    try:
        health = await carrier.health()
    finally:
        await carrier.close()
    return Health(health.works, f"{carrier.name} {health.words}")
