"""`spool.consents` on SQL: what people say, and what time does where nobody does. The jobs are in consents and deadlines."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from gateway.spool import colleagues, consents, deadlines, reminder_rows, reminding
from gateway.spool.contract import known
from gateway.spool.times import to_us
from gateway.spool.values import Actor, Change, Consented
from gateway.store.database import Database

LOOKS = 2  # mails that are looked at for each whose deadline is passed: 100 of them keep the writer for some 90 ms


class SqlConsents:
    """Implements `gateway.spool.consent_contract.Consents`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def confirm(
        self, queue_id: str, recipients: Collection[int], attachments: bool, actor: Actor, now: datetime
    ) -> Change:
        job = consents.confirm(queue_id, recipients, attachments, actor, to_us(now))
        return known(await self._db.committer.run(job), queue_id)

    async def approve(
        self, queue_id: str, approval: int | None, person: str, actor: Actor, comment: str, now: datetime
    ) -> Consented:
        word = consents.Word(queue_id, approval, person, actor, comment, to_us(now))
        return known(await self._db.committer.run(consents.approve(word)), queue_id)

    async def reject(
        self, queue_id: str, approval: int | None, person: str, actor: Actor, comment: str, now: datetime
    ) -> Consented:
        word = consents.Word(queue_id, approval, person, actor, comment, to_us(now))
        return known(await self._db.committer.run(consents.reject(word)), queue_id)

    async def stop_by_colleague(self, queue_id: str, recipient: int, because: str, now: datetime) -> Change:
        return known(
            await self._db.committer.run(colleagues.stop(queue_id, recipient, because, to_us(now))), queue_id
        )

    async def pass_deadlines(self, now: datetime, limit: int) -> int:
        at, passed = to_us(now), 0
        if await self._db.readers.run(reminder_rows.any_due(at)):
            passed = await self._db.committer.run(reminding.look_at_due(at, LOOKS * limit))
        if await self._db.readers.run(deadlines.any_due(at)):
            passed += await self._db.committer.run(deadlines.pass_deadlines(at, limit))
        return passed
