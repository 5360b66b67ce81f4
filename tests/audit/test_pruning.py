"""Old events go, up to a signed checkpoint; what is left is verified, and nobody cuts a log by himself. Both stores."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.audit import pruning
from gateway.audit.checkpoints import digest as digest_of
from gateway.audit.checkpoints import some
from gateway.audit.log import EventLog
from gateway.audit.offline import verify_export
from gateway.audit.pruning import cut_at, prune
from gateway.audit.signed_walk import verify_checkpoints
from gateway.audit.verify import verify
from gateway.incidents.contract import Account, What
from gateway.incidents.door import Duty, Incidents
from gateway.service.checkpoints import delete_old_events
from gateway.spool.list_contract import Whose
from gateway.spool.sql import SqlSpool
from gateway.store.database import event_seal
from gateway.store.events import EVENT_COLUMNS, Event, link
from gateway.store.schema import events
from tests.audit.proofs import ADMIN, HOUR, export, keys, sign, three_hours
from tests.spool.mails import T0, mail


async def check(spool: SqlSpool) -> tuple[int, str, str]:
    """Return how many events are there, and what both verifications say."""
    log = EventLog.over(spool.database.readers)
    verdict = await asyncio.to_thread(verify, log, event_seal(spool.database.master))
    signed = await asyncio.to_thread(verify_checkpoints, log)
    return verdict.checked, verdict.problem, signed.problem


async def change(spool: SqlSpool, statement: str) -> None:
    await spool.database.committer.run(lambda tx: tx.connection.execute(sa.text(statement)) and None)


async def test_what_is_left_is_verified(
    spool: SqlSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    monkeypatch.setattr(pruning, "ONCE", HOUR)
    await three_hours(spool)
    before = (await check(spool))[0]
    gone = await delete_old_events(spool, T0 + 2 * HOUR + timedelta(minutes=1))
    assert gone > 2  # in several pieces
    assert await check(spool) == (before - gone + 1, "", "")
    assert await delete_old_events(spool, T0 + 2 * HOUR + timedelta(minutes=1)) == 0
    await sign(spool, T0 + 4 * HOUR)
    for since in (None, T0):
        path = tmp_path / f"{since is None}.zip"
        await export(spool, path, since)
        found = verify_export(path, (await keys(spool))[0])
        assert (found.problem, found.since) == ("", (T0 + 2 * HOUR).isoformat())
    await delete_old_events(spool, T0 + 3 * HOUR)
    assert (await check(spool))[1:] == ("", "")


async def test_the_newest_checkpoint_is_never_the_cut(spool: SqlSpool) -> None:
    await sign(spool, T0)
    assert await delete_old_events(spool, T0 + HOUR) == 0
    assert await delete_old_events(spool, T0 - HOUR) == 0
    assert (await check(spool))[1:] == ("", "")


async def test_half_a_cut_is_verified_too(spool: SqlSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service may stop between two pieces."""
    monkeypatch.setattr(pruning, "AT_ONCE", 1)
    await three_hours(spool)
    assert await spool.database.committer.run(prune(T0 + 2 * HOUR, T0 + 4 * HOUR, 0)) == (2, 1)
    assert (await check(spool))[1:] == ("", "")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM events WHERE seq <= 2", "event 1 is missing"),
        (
            "UPDATE events SET kind = 'pruned', detail = '{\"checkpoint\": 9}' WHERE queue_id IS NULL",
            "checkpoint 9",
        ),
    ],
)
async def test_nobody_cuts_a_log_by_himself(spool: SqlSpool, statement: str, problem: str) -> None:
    await three_hours(spool)
    await change(spool, statement)
    assert problem in (await check(spool))[1]


async def test_a_forged_cut_is_found(spool: SqlSpool) -> None:
    """An event that names a true checkpoint, put in place of another one, with all before it deleted."""
    await three_hours(spool)
    log = EventLog.over(spool.database.readers)
    assert await asyncio.to_thread(cut_at, log) is None
    (digest,) = await spool.database.readers.run(
        lambda q: (
            q.connection.execute(sa.text("SELECT statement FROM checkpoints WHERE number = 1")).first()
            or ("",)
        )
    )
    detail = f'{{"checkpoint":1,"digest":"{digest_of(str(digest))}"}}'
    await spool.database.committer.run(
        lambda tx: (
            tx.connection.execute(
                sa.text(
                    "UPDATE events SET kind = 'pruned', detail = :detail WHERE seq = (SELECT max(seq) FROM events)"
                ),
                {"detail": detail},
            )
            and None
        )
    )
    await change(spool, "DELETE FROM events WHERE seq <= 3")
    assert "was altered" in (await check(spool))[1]


async def test_an_event_that_nobody_sealed_cuts_nothing(spool: SqlSpool) -> None:
    """Hashes anybody can compute: a cut that is put behind the sealed end, with all before it deleted."""
    await three_hours(spool)
    cut = (await spool.database.readers.run(some(1, 1)))[0]
    log = EventLog.over(spool.database.readers)
    ((node, head),) = [(node, log.head(node)) for node in log.nodes()]
    assert head is not None
    forged = Event(2**52, None, "pruned", "retention", detail={"checkpoint": 2, "digest": cut.digest})
    _, row = link(head[0], forged)
    values = dict(zip(EVENT_COLUMNS, row, strict=True))
    await spool.database.committer.run(
        lambda tx: tx.connection.execute(events.insert().values(values)) and None
    )
    await change(spool, f"DELETE FROM events WHERE seq <= {cut.heads[node].seq}")
    assert "stands behind the sealed end" in (await check(spool))[1]


async def test_a_day_lies_between_cuts(spool: SqlSpool) -> None:
    await three_hours(spool)
    assert await delete_old_events(spool, T0 + HOUR) > 0
    assert await delete_old_events(spool, T0 + 2 * HOUR) == 0


async def test_a_checkpoint_that_was_moved_cuts_nothing(spool: SqlSpool) -> None:
    """Who writes the database dates the last checkpoints back: retention would destroy what is young, by an event of ours."""
    await three_hours(spool)
    before = (await check(spool))[0]
    await change(spool, f"UPDATE checkpoints SET at = {2**40}")
    assert await delete_old_events(spool, T0 - 24 * HOUR) == 0
    assert (await check(spool))[0] == before


async def test_events_of_an_incident_stay(spool: SqlSpool) -> None:
    """An incident about an old mail is open: what happened to it is evidence, though events of that age go."""
    queue_id = await spool.accept(mail())
    await three_hours(spool)
    incidents = Incidents(spool.database, Duty())
    told = Account(What.WRONG_RECIPIENTS, (), frozenset(), None, T0)
    assert await incidents.open(await spool.get(queue_id), Whose(frozenset()), told, ADMIN, T0 + HOUR)
    assert await delete_old_events(spool, T0 + 2 * HOUR) == 0
    await incidents.close(queue_id, "", ADMIN, T0 + HOUR)
    assert await incidents.purge(T0 + 3 * HOUR, HOUR) == 1
    assert await delete_old_events(spool, T0 + 2 * HOUR) > 0
