"""The log of a running gateway, as its pages and its API ask it."""

from __future__ import annotations

from gateway.audit.auditing import Auditing
from gateway.clock import utc_now
from gateway.config.settings import Settings
from gateway.service.rooms import Rooms


def auditing_of(settings: Settings, rooms: Rooms) -> Auditing:
    """Return the door to the log; the groups are those of the policy in force."""
    return Auditing(
        rooms.spool.database,
        utc_now,
        groups=lambda: rooms.policy.current.memberships.names,
        subjects_for_ordering=settings.audit.ordering_sees_subjects,
    )
