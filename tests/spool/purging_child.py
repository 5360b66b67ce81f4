"""A purge with a fuse: dies before or after the step of a segment that it is told. See test_killed_rewriting.py."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from gateway.spool.sql import open_spool
from gateway.store import segments
from tests.crash.child import wrapped
from tests.spool.conftest import MASTER
from tests.spool.mails import T0


async def purge(state: Path) -> None:
    spool = open_spool(state, MASTER, serve=True)
    day = timedelta(days=1)
    await spool.ageing.purge(T0 + day, day, 9 * day, 100)


def main() -> None:
    """Arm the fuse and purge: `STATE Segments.NAME before|after`."""
    state, step, when = sys.argv[1:]
    name = step.split(".")[1]
    setattr(segments.Segments, name, wrapped(getattr(segments.Segments, name), when))
    asyncio.run(purge(Path(state)))


if __name__ == "__main__":
    main()
