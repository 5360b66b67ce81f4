"""A spool with one keyed mail and a fuse: dies before or after the COMMIT of the verb that it is told. See test_keys.py."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from gateway.policy.protection import Way
from gateway.spool.lifecycle import Reason
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store import writer
from tests.crash.child import die
from tests.spool.conftest import MASTER
from tests.spool.keyed import CLERK, DAY, keyed, sealed
from tests.spool.mails import LEASE, MINUTE, T0, delivered


def arm(when: str) -> None:
    """Put the fuse on the next COMMIT."""
    real = writer._commit

    def commit(transaction: Any) -> None:
        if when == "before":
            die()
        real(transaction)
        die()

    writer._commit = commit


async def steps(spool: SqlSpool, verb: str, when: str) -> None:
    """Do what comes before the verb, and then the verb with the fuse."""

    def fuse(name: str) -> None:
        if name == verb:
            arm(when)

    waits = verb in ("supply", "cancel")
    new = keyed(sealed(None if waits else Way.SMS), window=MINUTE if waits else 0 * MINUTE)
    fuse("accept")
    queue_id = await spool.accept(new)
    print(queue_id, flush=True)
    fuse("cancel")
    if verb == "cancel":
        await spool.cancel(queue_id, None, CLERK, Reason.BY_SENDER, T0)
    fuse("supply")
    if verb == "supply":
        await spool.keys.supply(queue_id, [0], Way.SENDER, "", CLERK, T0 + 2 * MINUTE)
    (claim,) = await spool.claim(T0, 1, LEASE)
    fuse("record")
    await spool.record(claim, [delivered(0)], T0)
    fuse("lease")
    (sending,) = await spool.keys.due_sendings(T0, 1, LEASE)
    fuse("sent")
    await spool.keys.sent(sending, "SM1", T0)
    fuse("delete")
    await spool.keys.delete_over(T0 + 14 * DAY, 10)


async def main(state: str, verb: str, when: str) -> None:
    spool = open_spool(Path(state), MASTER, serve=True, clock=lambda: T0)
    await steps(spool, verb, when)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
