"""Which store: SQLite in the state directory, or a PostgreSQL that several gateways share."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from pathlib import Path

from gateway.config.settings import Settings
from gateway.store.errors import StoreMisconfigured
from gateway.values import dataclass

# What a node's commands add to its name: their chain is not the service's, so neither waits.
COMMANDS = "/commands"
NODE_TIMEOUT = timedelta(seconds=20)
PASSWORD = "SEKISHO_STORE_PASSWORD"  # noqa: S105 - the variable's name


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


def where_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> Where:
    """Return the store that the settings name; raises StoreMisconfigured where the password's file cannot be used."""
    node = settings.node or socket.gethostname()
    url = settings.store.url or ""
    password = environment.get(PASSWORD, "") if url else ""
    if url and not password and settings.store.password_file is not None:
        password = _private(settings.store.password_file)
    return Where(settings.state, url, password, node, settings.store.node_timeout, workers=settings.workers)


def _private(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise StoreMisconfigured(f"{path}: others could read the password: chmod 600 {path}")
            return file.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8"
        raise StoreMisconfigured(f"store.password_file: {path} cannot be read: {why}") from error
