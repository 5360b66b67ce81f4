"""A spool, and people who do things to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from gateway.acting.acting import Acting
from gateway.acting.bulk import Bulk
from gateway.audit.entries import Question
from gateway.audit.log import EventLog
from gateway.people.contract import Grant, Person, Role
from gateway.spool.sql import SqlSpool, open_spool
from tests.spool.asking import CHIEF, DEPUTY
from tests.spool.conftest import MASTER
from tests.spool.mails import T0


def person(login: str, *grants: Grant, addresses: tuple[str, ...] | None = None) -> Person:
    return Person(login, login, (f"{login}@example.jp",) if addresses is None else addresses, grants)


CLERK = person("a", Grant(Role.SENDER))
TEAM = person("b", Grant(Role.SENDER), Grant(Role.SENDER, "sports"))
OTHER = person("c", Grant(Role.SENDER), Grant(Role.SENDER, "city"))
ADMIN = person("root", Grant(Role.ADMIN))
AUDITOR = person("eye", Grant(Role.AUDITOR))
ORDERING = person("city", Grant(Role.ORDERING))
BOSS = person("boss", Grant(Role.APPROVER), addresses=(CHIEF, DEPUTY))


@dataclass
class Room:
    """A spool and what people do to it; `now` is the time."""

    spool: SqlSpool
    path: Path
    now: datetime = T0
    acting: Acting = field(init=False)

    def __post_init__(self) -> None:
        self.acting = Acting(self.spool, lambda: self.now)

    @property
    def bulk(self) -> Bulk:
        return Bulk(self.acting)

    def events(self, kind: str) -> list[tuple[str, str, str, object]]:
        with EventLog(self.path) as log:
            found = [each for each in log.query(Question()) if each.kind == kind]
        return [(e.reason, e.actor_kind, e.actor_name, e.detail.get("because")) for e in found]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    spool = open_spool(tmp_path, MASTER, serve=True, clock=lambda: T0)
    yield Room(spool, tmp_path)
    await spool.close()
