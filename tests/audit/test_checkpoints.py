"""Signed checkpoints: what they name, that they are signed over a whole log only, and what they notice later. Both stores."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from gateway.audit.checkpoints import ChainAltered, newest
from gateway.audit.log import EventLog
from gateway.audit.signed import CERTIFICATE, CHECKPOINT, Signer, holds, write_public
from gateway.audit.signed_walk import verify_checkpoints
from gateway.cli import main
from gateway.config.settings import Audit
from gateway.service import checkpoints as service
from gateway.service.checkpoints import sign_checkpoints, when_due
from gateway.spool.rekeying import rewrap_all
from gateway.spool.sql import SqlSpool
from gateway.store.tx import Tx
from tests.audit.proofs import HOUR, keys, rotate, sign, three_hours
from tests.audit.writing import later, write
from tests.spool.mails import T0


async def change(spool: SqlSpool, statement: str) -> None:
    """Do what somebody does who can write the database."""
    await spool.database.committer.run(lambda tx: tx.connection.execute(sa.text(statement)) and None)


async def walk(spool: SqlSpool) -> tuple[int, str]:
    found = await asyncio.to_thread(verify_checkpoints, EventLog.over(spool.database.readers))
    return found.checked, found.problem


async def test_a_checkpoint_names_all_ends_and_the_one_before(spool: SqlSpool) -> None:
    first = await sign(spool, T0)
    second = await sign(spool, T0 + HOUR)
    told = json.loads(second.statement)
    assert (told["number"], told["previous"]) == (2, first.digest)
    (head,) = second.heads.values()
    assert head.seq == 2  # the key and the first checkpoint
    (public,) = await keys(spool)
    assert holds(public, CHECKPOINT, second.statement, second.signature)
    assert not holds(public, CERTIFICATE, second.statement, second.signature)
    assert await walk(spool) == (2, "")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE events SET detail = '{}', hash = prev WHERE seq = 3", "event 3"),
        ("UPDATE checkpoints SET statement = '{}' WHERE number = 2", "checkpoint 2 cannot be read"),
        (
            "UPDATE checkpoints SET signature = (SELECT signature FROM checkpoints WHERE number = 1) WHERE number = 3",
            "3 was altered",
        ),
        ("DELETE FROM checkpoints WHERE number = 2", "checkpoint 3 does not follow"),
        ("UPDATE signing_keys SET public = wrapped WHERE number = 2", "checkpoint 3 was signed by a key"),
    ],
)
async def test_an_altered_log_contradicts_its_checkpoints(
    spool: SqlSpool, statement: str, problem: str
) -> None:
    await three_hours(spool)
    assert await walk(spool) == (3, "")
    await change(spool, statement)
    assert problem in (await walk(spool))[1]


async def test_nothing_is_signed_over_a_log_that_was_altered(spool: SqlSpool) -> None:
    await write(spool, [later(None, 1, "policy")])
    await sign(spool, T0)
    await change(spool, "UPDATE events SET hash = prev")
    with pytest.raises(ChainAltered, match="is not the one that checkpoint 1 names"):
        await sign(spool, T0)
    await change(spool, "UPDATE chain SET seal = hash")
    with pytest.raises(ChainAltered, match="not sealed"):
        await sign(spool, T0)


async def test_an_old_key_signs_nothing_any_more(spool: SqlSpool) -> None:
    await sign(spool, T0)
    await rotate(spool, T0)
    await rotate(spool, T0)
    left = await spool.database.readers.run(
        lambda q: q.connection.execute(
            sa.text("SELECT number FROM signing_keys WHERE wrapped IS NOT NULL")
        ).all()
    )
    assert [number for (number,) in left] == [3]
    assert json.loads((await sign(spool, T0)).statement)["number"] == 2


async def test_the_signing_key_lives_through_a_new_master_key(spool: SqlSpool) -> None:
    await sign(spool, T0)
    new = spool.database.master.successor()
    spool.database.adopt(new)
    await rewrap_all(spool, new)
    (row,) = await spool.database.readers.run(
        lambda q: q.connection.execute(sa.text("SELECT key_id FROM signing_keys")).all()
    )
    assert row[0] == new.key_id
    await sign(spool, T0 + HOUR)
    assert await walk(spool) == (2, "")
    assert len(await keys(spool)) == 1


async def test_one_is_made_when_it_is_due(spool: SqlSpool) -> None:
    master = spool.database.master
    run = spool.database.committer.run
    assert await run(when_due(master, HOUR, T0)) is not None
    assert await run(when_due(master, HOUR, T0 + HOUR / 2)) is None
    assert await run(when_due(master, HOUR, T0 + HOUR)) is not None
    assert await run(when_due(master, HOUR, T0)) is not None  # a clock that stepped back


async def test_the_service_keeps_them_elsewhere(
    spool: SqlSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOK_S", 0.0)
    path = tmp_path / "kept.jsonl"
    work = asyncio.create_task(
        sign_checkpoints(spool, Audit(checkpoint_every=timedelta(hours=1), checkpoint_file=path))
    )
    async with asyncio.timeout(20):
        while not path.is_file() or not path.read_text():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    (line,) = path.read_text().splitlines()
    given = json.loads(line)
    (public,) = await keys(spool)
    assert holds(public, CHECKPOINT, given["statement"], bytes.fromhex(given["signature"]))


def test_the_commands_sign_show_export_and_verify(state: Path, history: object, tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["log", *words])
        assert result.exit_code == code, result.output
        return result.stdout

    assert CliRunner().invoke(main, ["log", "key", "--state", str(state)]).exit_code == 1
    assert "signature" in json.loads(run("checkpoint", "--state", str(state)))
    public = json.loads(run("key", "--state", str(state), "--json"))["public"]
    run("key", "--state", str(state), "--rotate")
    target = str(tmp_path / "proof.zip")
    run("export", "--proof", "--state", str(state), code=2)
    run("export", "--proof", "--state", str(state), "--output", target, "--sender", "a@b.example", code=2)
    run("export", "--proof", "--state", str(state), "--output", target)
    assert "complete and unaltered" in run("verify-export", target, "--key", public)
    run("export", "--state", str(state), "--subject", "プール")
    notes = [
        json.loads(line)
        for line in run("query", "--state", str(state), "--kind", "exported", "--json").splitlines()
    ]
    assert [(note["detail"]["what"], note["detail"]["asked"]) for note in notes] == [
        ("proof", {}),
        ("csv", {"subject": "プール"}),
    ]
    assert "2 signed checkpoints agree" in run("verify", "--state", str(state))


async def test_a_store_of_an_older_version_has_none(spool: SqlSpool) -> None:
    """A backup from before there were checkpoints is verified as it was then."""
    for table in ("checkpoints", "signing_keys"):
        await change(spool, f"DROP TABLE {table}")
    assert await walk(spool) == (0, "")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM checkpoints", "checkpoint 1, which an event names, is missing"),
        ("DELETE FROM checkpoints WHERE number = 3", "checkpoint 3, which an event names, is missing"),
        ("UPDATE checkpoints SET at = at - 1 WHERE number = 1", "checkpoint 1 does not stand at the time"),
    ],
)
async def test_the_events_name_the_checkpoints(spool: SqlSpool, statement: str, problem: str) -> None:
    """Who writes the database takes checkpoints away, the last ones or all: neither verified nor signed over."""
    await three_hours(spool)
    await change(spool, statement)
    assert problem in (await walk(spool))[1]
    if "missing" in problem:
        with pytest.raises(ChainAltered, match="is missing"):
            await sign(spool, T0 + 5 * HOUR)


async def strange(spool: SqlSpool, statement: str, **changes: object) -> None:
    """Write a checkpoint like the last one, with these changes, signed with a key of a stranger that is put into the store."""
    stranger = Signer.fresh(2)
    last = (await spool.database.readers.run(newest)) or await sign(spool, T0)
    told = json.dumps(json.loads(last.statement) | changes | {"key": write_public(stranger.public)})
    values = {"statement": told, "signature": stranger.sign(CHECKPOINT, told), "public": stranger.public}

    def job(tx: Tx) -> None:
        key = "INSERT INTO signing_keys (number, since, public, succession, key_id) VALUES (2, 0, :public, '', '')"
        tx.connection.execute(sa.text(key), values)
        tx.connection.execute(sa.text(statement), values)

    await spool.database.committer.run(job)


async def test_a_stranger_replaces_key_and_checkpoint(spool: SqlSpool) -> None:
    await sign(spool, T0)
    await sign(spool, T0 + HOUR)
    await strange(
        spool, "UPDATE checkpoints SET statement = :statement, signature = :signature WHERE number = 2"
    )
    assert await walk(spool) == (1, "checkpoint 2 is not the one that the event about it names")
    await change(spool, "DELETE FROM signing_keys WHERE number = 2")
    with pytest.raises(ChainAltered, match="is not the one that the event about it names"):
        await sign(spool, T0 + 2 * HOUR)


async def test_a_checkpoint_that_no_event_names_is_found(spool: SqlSpool) -> None:
    made = await sign(spool, T0)
    add = (
        "INSERT INTO checkpoints (number, at, statement, signature)"
        " SELECT 2, at, :statement, :signature FROM checkpoints"
    )
    await strange(spool, add, number=2, previous=made.digest)
    assert await walk(spool) == (2, "checkpoint 2 is named by no event")


async def test_a_repaired_database_is_signed_over_again(spool: SqlSpool) -> None:
    """Its checkpoints were on a page that cannot be read any more: verification tells, signing goes on."""
    await three_hours(spool)
    await change(spool, "DELETE FROM checkpoints")
    await write(spool, [later(None, int((T0 + 4 * HOUR).timestamp() * 1e6), "repaired")])
    assert await sign(spool, T0 + 5 * HOUR)
    assert "not the one that the event about it names" in (await walk(spool))[1]
