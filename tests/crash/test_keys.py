"""kill -9 around each COMMIT in the life of a key: it is made with its mail, goes after it, and ends with it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.audit.log import EventLog
from gateway.audit.verify import verify
from gateway.spool.key_contract import Stage
from gateway.spool.lifecycle import State
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.attachment_tables import message_keys
from gateway.store.database import event_seal
from gateway.store.schema import messages
from gateway.store.where import Where
from tests.process import run_module
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, T0

pytestmark = pytest.mark.crash


@dataclass(frozen=True)
class Found:
    """What is there afterwards: the recipient's state, the key's stage, whether the key is kept, and whether it is due."""

    state: State
    stage: Stage
    kept: bool = True
    due: bool = False


BROKEN_OFF = State.DEFERRED  # leased as the process died: it may have left
FATES = {
    ("accept", "after"): Found(State.QUEUED, Stage.WAITING),
    ("cancel", "before"): Found(State.HELD, Stage.WAITING),
    ("cancel", "after"): Found(State.CANCELLED, Stage.STOPPED, kept=False),
    ("supply", "before"): Found(State.HELD, Stage.WAITING),
    ("supply", "after"): Found(State.QUEUED, Stage.WAITING),
    ("record", "before"): Found(BROKEN_OFF, Stage.WAITING),
    ("record", "after"): Found(State.DELIVERED, Stage.READY, due=True),
    ("lease", "before"): Found(State.DELIVERED, Stage.READY, due=True),
    ("lease", "after"): Found(State.DELIVERED, Stage.SENDING, due=True),
    ("sent", "before"): Found(State.DELIVERED, Stage.SENDING, due=True),
    ("sent", "after"): Found(State.DELIVERED, Stage.SENT),
    ("delete", "before"): Found(State.DELIVERED, Stage.SENT),
    ("delete", "after"): Found(State.DELIVERED, Stage.SENT, kept=False),
}


def killed(state: Path, verb: str, when: str) -> str:
    """Let the child die at its step; return the queue id, empty where it got none."""
    ended = run_module("tests.crash.keys_child", str(state), verb, when)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    return ended.stdout.strip()


async def found(spool: SqlSpool, queue_id: str) -> Found:
    (recipient,) = (await spool.get(queue_id)).recipients
    (status,) = await spool.keys.statuses(queue_id)
    kept = await spool.database.readers.run(
        lambda q: bool(q.connection.execute(sa.select(message_keys)).all())
    )
    due = await spool.keys.due_sendings(T0 + LEASE, 1, LEASE)
    return Found(recipient.state, status.stage, kept, bool(due))


@pytest.mark.parametrize(("verb", "when"), FATES, ids=lambda word: word)
async def test_killed_at(verb: str, when: str, tmp_path: Path) -> None:
    queue_id = killed(tmp_path, verb, when)
    spool = open_spool(tmp_path, MASTER, serve=True, clock=lambda: T0)
    await spool.recover(T0)
    if not queue_id:
        (queue_id,) = await spool.database.readers.run(
            lambda q: list(q.connection.execute(sa.select(messages.c.queue_id)).scalars())
        )
    assert await found(spool, queue_id) == FATES[verb, when]
    await spool.close()
    with EventLog(Where(tmp_path)) as log:
        assert verify(log, event_seal(MASTER)).intact


async def test_killed_before_the_mail_is_there(tmp_path: Path) -> None:
    assert killed(tmp_path, "accept", "before") == ""
    spool = open_spool(tmp_path, MASTER, serve=True, clock=lambda: T0)
    left = await spool.database.readers.run(lambda q: q.connection.execute(sa.select(message_keys)).all())
    assert not left
    await spool.close()
