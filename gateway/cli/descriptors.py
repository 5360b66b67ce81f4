"""File descriptors: how many the settings may need in one process, and whether the system gives them.

A gateway that runs out of them refuses mail it could have taken, and a delivery finds none just when there is much to deliver.
"""

from __future__ import annotations

import contextlib
import resource

from gateway.config.settings import Settings
from gateway.console.turnstile import CONNECTIONS as WEB_CONNECTIONS

STORE = 64  # a writer and four readers of three files each, four bodies being written, locks; connections to PostgreSQL
OWN = 60  # listeners, the log, the event loop, DNS, policy files while they are read


def needed(settings: Settings) -> int:
    """Return how many descriptors one process of this gateway may have open at once."""
    one = settings.of_one_worker()
    return one.limits.connections + one.delivery.concurrency + STORE + WEB_CONNECTIONS + OWN


def provide(settings: Settings) -> str:
    """Raise the soft limit to what is needed, at most to the hard one; return what is wrong, empty where nothing is."""
    want = needed(settings)
    soft, hard = _limits()
    if soft < want:
        # A service manager that forbids the call has set it itself.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(want, hard), hard))
        soft, hard = _limits()
    return shortage(want, soft)


def shortage(want: int, have: int) -> str:
    """Return a sentence for an admin where `have` descriptors are fewer than wanted."""
    if have >= want:
        return ""
    return (
        f"{have} file descriptors are allowed and {want} may be needed (limits.connections, delivery, store, pages): "
        f"raise LimitNOFILE= or ulimit -n to {want}, or lower limits.connections"
    )


def _limits() -> tuple[int, int]:
    """Return soft and hard limit; without a limit, a number that is never reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = 1 << 30
    return (
        endless if soft == resource.RLIM_INFINITY else soft,
        endless if hard == resource.RLIM_INFINITY else hard,
    )
