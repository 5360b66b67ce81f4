"""Sign where the chains of events end, every hour by default, and tell it where the gateway cannot reach: the log, a file.

Of several gateways on one database one makes it, whoever comes first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from gateway.audit.checkpoints import ChainAltered, Checkpoint, make, newest
from gateway.audit.log import EventLog
from gateway.audit.pruning import last_cut, prune
from gateway.clock import utc_now
from gateway.config.settings import Audit
from gateway.durable import sync_file
from gateway.spool.contract import StoreUnavailable
from gateway.spool.sql import SqlSpool
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.tx import Tx

LOOK_S = 60.0  # between two looks whether one is due; also after a start, so that a restart in a loop signs nothing

log = structlog.get_logger()


async def sign_checkpoints(spool: SqlSpool, settings: Audit, events_after: timedelta | None = None) -> None:
    """Do it until cancelled; behind a new checkpoint, delete events older than `events_after`, where that is set."""
    while True:
        await asyncio.sleep(min(LOOK_S, settings.checkpoint_every.total_seconds()))
        made = await _made(spool, settings.checkpoint_every)
        if made is not None:
            log.info("checkpoint", **as_line(made))
            await _keep(made, settings.checkpoint_file)
            if events_after is not None:
                await delete_old_events(spool, utc_now() - events_after)


async def delete_old_events(spool: SqlSpool, before: datetime) -> int:
    """Delete the events up to the last checkpoint before a time, a few at once; return how many."""
    gone = 0
    try:
        already = await asyncio.to_thread(last_cut, EventLog.over(spool.database.readers))
        while True:
            already, some = await spool.database.committer.run(prune(before, utc_now(), already))
            gone += some
            if not some:
                break
    except ChainAltered as error:
        log.critical("events.kept", cause=str(error))
    except (StoreUnavailable, ValueError) as error:
        log.warning("events.kept", cause=str(error))
    if gone:
        log.info("events.deleted", events=gone, before=before.isoformat())
    return gone


async def _made(spool: SqlSpool, every: timedelta) -> Checkpoint | None:
    try:
        return await spool.database.committer.run(when_due(spool.database.master, every, utc_now()))
    except ChainAltered as error:
        log.critical("checkpoint.refused", cause=str(error))
    except (StoreUnavailable, MasterKeyError) as error:
        log.warning("checkpoint.waits", cause=str(error))
    return None


def when_due(master: MasterKey, every: timedelta, now: datetime) -> Callable[[Tx], Checkpoint | None]:
    """Make a checkpoint where the last one is old enough, or lies in the future after a clock stepped back."""

    def job(tx: Tx) -> Checkpoint | None:
        last = newest(tx)
        if last is not None and now - every < last.at <= now:
            return None
        return make(master, now)(tx)

    return job


def as_line(made: Checkpoint) -> dict[str, str]:
    """Return a checkpoint as plain values, as an export has it."""
    return {"statement": made.statement, "signature": made.signature.hex()}


async def _keep(made: Checkpoint, path: Path | None) -> None:
    if path is None:
        return
    try:
        await asyncio.to_thread(_append, json.dumps(as_line(made)), path)
    except OSError as error:
        log.error("checkpoint.file", path=str(path), cause=error.strerror)


def _append(line: str, path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    sync_file(path)
