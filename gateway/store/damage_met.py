"""Damage of the database's file that this process met while it ran: counted, told in the log, remembered until it ends.

Damage does not heal by itself, so nothing here is ever taken back; `sekisho doctor --repair` mends it, with the service
stopped.
"""

from __future__ import annotations

import structlog

from gateway import metrics
from gateway.store.errors import StoreDamaged, StoreUnavailable

log = structlog.get_logger()


class DamageMet:
    """Told of every failure of the store, from any thread; `first` is the first damage in the database's own words."""

    def __init__(self) -> None:
        self.first = ""

    def told(self, error: StoreUnavailable) -> None:
        """Count the failure where it was damage, and say so once."""
        if not isinstance(error, StoreDamaged):
            return
        metrics.STORE_DAMAGE.inc()
        if not self.first:
            self.first = str(error)
            log.critical(
                "database-damaged", cause=self.first, hint="stop the gateway; sekisho doctor --repair"
            )
