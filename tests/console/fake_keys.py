"""Keys and shares in memory, as the console sees them: what a button asked for is kept, and takes effect on what is shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.policy.protection import Way
from gateway.spool.contract import StoreUnavailable
from gateway.spool.key_contract import KeyStatus, NoKey, ShownKey, Stage
from gateway.spool.lifecycle import Reason, State
from gateway.spool.share_contract import Happened, Share, TakenBack
from gateway.spool.values import Actor, Change
from tests.memory_spool import NOON

KEY = "hoshi-sakana-mikan-taiko-yuki"


@dataclass
class FakeKeys:
    """`stages` are by queue id; `given` holds every supply that took effect, `asked` all of them."""

    stages: dict[str, list[KeyStatus]] = field(default_factory=dict)
    keys: dict[str, list[ShownKey]] = field(default_factory=dict)
    why_none: str = "none"
    asked: list[tuple[str, tuple[int, ...], Way, str, Actor]] = field(default_factory=list)
    shows: list[tuple[str, Actor]] = field(default_factory=list)
    stops: list[tuple[str, tuple[int, ...], Actor, Reason]] = field(default_factory=list)
    down: bool = False

    def put(self, queue_id: str, recipient: int, way: Way | None, stage: Stage, **more: str) -> None:
        """Let one recipient's key stand somewhere."""
        rows = self.stages.setdefault(queue_id, [])
        rows[:] = [row for row in rows if row.recipient != recipient]
        rows.append(KeyStatus(recipient, way, stage, NOON, **more))  # type: ignore[arg-type]

    def tell(self, queue_id: str, *recipients: int, text: str = KEY) -> None:
        """Let the sender have a key to tell."""
        key = ShownKey(recipients, Way.SENDER, NOON + timedelta(days=14), text)
        self.keys.setdefault(queue_id, []).append(key)

    async def statuses(self, queue_id: str) -> Sequence[KeyStatus]:
        if self.down:
            raise StoreUnavailable("not to be asked")
        return self.stages.get(queue_id, [])

    async def show(self, queue_id: str, actor: Actor, now: datetime) -> Sequence[ShownKey]:
        if queue_id not in self.keys:
            raise NoKey(self.why_none)
        self.shows.append((queue_id, actor))
        return self.keys[queue_id]

    async def stop(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, reason: Reason, now: datetime
    ) -> Change:
        rows = [row for row in self.stages[queue_id] if recipients is None or row.recipient in recipients]
        done = tuple(row.recipient for row in rows if row.stage is Stage.READY)
        for row in list(rows):
            if row.recipient in done:
                self.put(queue_id, row.recipient, row.way, Stage.STOPPED)
        self.stops.append((queue_id, done, actor, reason))
        return Change(done, ())

    async def supply(
        self, queue_id: str, recipients: Collection[int], way: Way, to: str, actor: Actor, now: datetime
    ) -> Change:
        self.asked.append((queue_id, tuple(sorted(recipients)), way, to, actor))
        waiting = {row.recipient for row in self.stages.get(queue_id, []) if row.way is None}
        done = tuple(sorted(waiting.intersection(recipients)))
        for index in done:
            self.put(queue_id, index, way, Stage.WAITING)
        return Change(done, tuple((each, State.HELD) for each in sorted(set(recipients) - set(done))))


@dataclass
class FakeShares:
    """Shares by queue id; `acts` is what was asked for."""

    rows: dict[str, list[Share]] = field(default_factory=dict)
    acts: list[tuple[str, str, tuple[int, ...] | None, Actor]] = field(default_factory=list)
    log: list[Happened] = field(default_factory=list)
    until: datetime | None = None
    down: bool = False
    taken: TakenBack = field(default_factory=lambda: TakenBack((), (), (), (), (), NOON))

    async def of(self, queue_id: str) -> Sequence[Share]:
        if self.down:
            raise StoreUnavailable("not to be asked")
        return self.rows.get(queue_id, [])

    async def history(self, queue_id: str) -> Sequence[Happened]:
        return self.log

    async def lock(
        self, queue_id: str, recipients: Sequence[int] | None, actor: Actor, now: datetime
    ) -> Change:
        return self._lock("lock", queue_id, recipients, actor, now)

    async def unlock(
        self, queue_id: str, recipients: Sequence[int] | None, actor: Actor, now: datetime
    ) -> Change:
        return self._lock("unlock", queue_id, recipients, actor, None)

    async def extend(
        self, queue_id: str, recipients: Sequence[int] | None, until: datetime, actor: Actor, now: datetime
    ) -> Change:
        self.until = until
        return self._lock("extend", queue_id, recipients, actor, None)

    async def take_back(
        self, queue_id: str, recipients: Sequence[int] | None, actor: Actor, now: datetime
    ) -> TakenBack:
        self.acts.append(("take-back", queue_id, None, actor))
        return self.taken

    def _lock(
        self, act: str, queue_id: str, recipients: Sequence[int] | None, actor: Actor, at: datetime | None
    ) -> Change:
        self.acts.append((act, queue_id, None if recipients is None else tuple(recipients), actor))
        rows = self.rows.get(queue_id, [])
        done = [row.recipient for row in rows if recipients is None or row.recipient in recipients]
        if act != "extend":
            rows[:] = [replace(row, locked_at=at) if row.recipient in done else row for row in rows]
        return Change(tuple(done), ())
