"""A state directory with a short history."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.message.address import Address
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.sql import open_spool
from gateway.spool.values import SYSTEM, Actor
from gateway.store.keys import MasterKey
from tests.spool.conftest import spool, ticks, where
from tests.spool.mails import MINUTE, T0, WINDOW, delivered, mail

__all__ = ["spool", "ticks", "where"]  # stores of both kinds


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def master(state: Path) -> MasterKey:
    state.mkdir()
    return MasterKey.create(state / "master.key")


@pytest.fixture
def history(state: Path, master: MasterKey) -> tuple[str, str]:
    """Two mails: one delivered to one of two, the other still held. Events 1 to 7."""
    return asyncio.run(_history(state, master))


async def _history(state: Path, master: MasterKey) -> tuple[str, str]:
    spool = open_spool(state, master, serve=True, clock=lambda: T0)
    await spool.note(Kind.STARTED, Reason.SYSTEM, SYSTEM, {"version": "0"}, T0)
    first = await spool.accept(mail(held=2, subject="=HYPERLINK(危険)\x1b[31m 100%"))
    await spool.cancel(first, [0], Actor("sender", "clerk"), Reason.BY_SENDER, T0 + MINUTE)
    other = mail(
        held=1, sender=Address("chief", "city.example.lg.jp"), at=T0 + 2 * MINUTE, subject="プール休館"
    )
    second = await spool.accept(other)
    await spool.release_due(T0 + WINDOW, 10)
    (claim,) = await spool.claim(T0 + WINDOW, 10, timedelta(minutes=1))
    await spool.record(claim, [delivered(1)], T0 + WINDOW)
    await spool.close()
    return first, second
