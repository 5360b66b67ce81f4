"""Exports with proof for tests, and how to alter one."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from gateway.audit.checkpoints import Checkpoint, make
from gateway.audit.proof import part, write_proof
from gateway.audit.signing_keys import public_keys, succeed
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from tests.audit.writing import came, later, write
from tests.spool.mails import T0

ADMIN = Actor("admin", "suzuki")
HOUR = timedelta(hours=1)


async def sign(spool: SqlSpool, at: datetime) -> Checkpoint:
    """Make a checkpoint."""
    return await spool.database.committer.run(make(spool.database.master, at))


async def rotate(spool: SqlSpool, at: datetime) -> None:
    """Replace the signing key."""
    await spool.database.committer.run(succeed(spool.database.master, ADMIN, at))


async def keys(spool: SqlSpool) -> list[bytes]:
    """Return the public keys."""
    return [key.public for key in await spool.database.readers.run(public_keys)]


async def three_hours(spool: SqlSpool) -> None:
    """Write three events and a checkpoint in each of three hours; the key changes in between."""
    for hour in range(3):
        us = int((T0 + hour * HOUR).timestamp() * 1e6)
        mail = f"M{hour}"
        await write(
            spool, [came(mail, us), later(mail, us + 1, "cancelled", "田中"), later(None, us + 2, "policy")]
        )
        await sign(spool, T0 + (hour + 1) * HOUR)
        if hour == 1:
            await rotate(spool, T0 + 2 * HOUR)


async def export(
    spool: SqlSpool, target: Path, since: datetime | None = None, until: datetime | None = None
) -> int:
    """Write an export with proof; return how many events it holds."""
    readers = spool.database.readers
    chosen = await asyncio.to_thread(part, readers, since, until)
    return await asyncio.to_thread(write_proof, readers, chosen, target)


def altered(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Copy an export with its members changed."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as archive:
        for name, octets in members.items():
            archive.writestr(name, octets)
    return target
