"""Which store: SQLite in the state directory, or a PostgreSQL that several gateways share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

COMMANDS = (
    "/commands"  # what a node's commands add to its name: their chain is not the service's, so neither waits
)
NODE_TIMEOUT = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Where:
    """`url` is empty for SQLite. `node` names this gateway among those that share the database.

    Of a gateway's several `workers` this is number `worker`; the first, number 0, has the state directory's lock.
    A node that could not say for `node_timeout` that it lives stops delivering; the others take over half of that later.
    """

    state: Path
    url: str = ""
    password: str = field(default="", repr=False)
    node: str = ""
    node_timeout: timedelta = NODE_TIMEOUT
    worker: int = 0
    workers: int = 1

    def chain(self, *, serve: bool) -> str:
        """Return the name of the event chain that this process writes."""
        if not self.url:
            return ""
        if not serve:
            return self.node + COMMANDS
        return f"{self.node}/{self.worker}" if self.worker else self.node
