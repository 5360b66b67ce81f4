"""The API over HTTP: its doors are those of the console, so that both do the same in the same way."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from starlette.routing import BaseRoute, Mount

from gateway.acting.acting import Acting
from gateway.acting.on_incidents import ActingOnIncidents
from gateway.api.app import create_api
from gateway.api.calls import SqlCalls
from gateway.api.doors import Doors
from gateway.audit.daily import DailyFigures
from gateway.audit.log import EventLog
from gateway.clock import utc_now
from gateway.config.settings import Settings
from gateway.service.auditing import auditing_of
from gateway.service.rooms import Rooms


def api_routes(settings: Settings, rooms: Rooms) -> list[BaseRoute]:
    """Return the one route below which the API stands."""
    database = rooms.spool.database
    doors = Doors(
        people=rooms.people,
        acting=Acting(rooms.spool, utc_now),
        incidents=ActingOnIncidents(rooms.spool, rooms.incidents, utc_now),
        log=EventLog.over(database.readers),
        daily=DailyFigures(database.readers, ZoneInfo(settings.timezone), utc_now),
        calls=SqlCalls(database),
        clock=utc_now,
        auditing=auditing_of(settings, rooms),
        zone=ZoneInfo(settings.timezone),
    )
    return [Mount("/api/v1", create_api(doors))]
