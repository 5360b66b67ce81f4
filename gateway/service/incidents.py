"""Incidents in a running gateway: what the settings say of them, and the loop that reminds and deletes in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog

from gateway.clock import utc_now
from gateway.config.settings import Settings
from gateway.incidents.contract import Organisation
from gateway.incidents.door import BATCH, Duty, Incidents
from gateway.spool.contract import StoreUnavailable

ROUND_S = 60.0  # between two looks at who is to be reminded; one that finds nobody costs next to nothing

log = structlog.get_logger()


def duty_of(settings: Settings) -> Duty:
    """Return whom to tell, which law, and when to remind."""
    wanted = settings.incidents
    return Duty(
        officers=wanted.privacy_officer,
        organisation=Organisation(wanted.organisation),
        leads=wanted.remind_before,
        zone=ZoneInfo(settings.timezone),
    )


async def care_for_incidents(
    incidents: Incidents, records_after: timedelta, ring: Callable[[], None], every_s: float = ROUND_S
) -> None:
    """Remind of clocks and of requests that nobody answered, and delete what is closed long enough, until cancelled."""
    while True:
        try:
            full = await care_once(incidents, records_after, ring)
        except StoreUnavailable as error:
            full = False
            log.warning("incidents-wait", cause=type(error).__name__)
        except Exception:  # of one incident: mail must not stop for it, and neither may the others
            full = False
            log.exception("incidents-error")
        await asyncio.sleep(0 if full else every_s)


async def care_once(incidents: Incidents, records_after: timedelta, ring: Callable[[], None]) -> bool:
    """Do what is due now; tell whether there may be more."""
    now = utc_now()
    written = await incidents.remind_due(now)
    if written:
        ring()
    return max(written, await incidents.purge(now, records_after)) >= BATCH
