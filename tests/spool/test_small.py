"""Which verbs of the spool write from the event loop: those whose number of rows is bounded and small."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.spool.accepting import SHORT_ENVELOPE, SMALL_RECIPIENTS
from gateway.spool.sql import open_spool
from gateway.store.tx import Tx
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, T0, delivered, mail

LOOP = threading.main_thread().name
THREAD = "committer"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the thread that fills each transaction."""
    seen: list[str] = []
    flush = Tx.flush

    def noted(tx: Tx) -> None:
        seen.append(threading.current_thread().name)
        flush(tx)

    monkeypatch.setattr(Tx, "flush", noted)
    return seen


@pytest.mark.parametrize(
    ("recipients", "octets", "thread"),
    [
        (1, 100, LOOP),
        (SMALL_RECIPIENTS, 60_000, LOOP),
        (SMALL_RECIPIENTS + 1, 100, THREAD),
        (1, 80_000, THREAD),
    ],
)
async def test_a_mail_and_its_results(
    tmp_path: Path, written: list[Any], recipients: int, octets: int, thread: str
) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    written.clear()
    _, claim = await spool.accept_and_claim(
        mail(queued=recipients, raw=b"Subject: x\r\n\r\n" + b"y" * octets), LEASE
    )
    assert claim is not None
    assert written == [thread]
    written.clear()
    await spool.record(claim, [delivered(index) for index in range(recipients)], T0)
    assert written == [LOOP if recipients <= SMALL_RECIPIENTS else THREAD]
    await spool.close()


async def test_one_result_of_a_mail_to_very_many(tmp_path: Path, written: list[Any]) -> None:
    """Its message's row holds the envelope of all, and is written anew for the counters."""
    spool = open_spool(tmp_path, MASTER, serve=True)
    _, claim = await spool.accept_and_claim(mail(queued=SHORT_ENVELOPE + 1), LEASE)
    assert claim is not None
    written.clear()
    await spool.record(claim, [delivered(0)], T0)
    assert written == [THREAD]
    await spool.close()
