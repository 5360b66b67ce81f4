"""Tells other servers what happens here: one loop for each webhook, in the order of each chain, at least once.

A server that fails is tried again, later and later, and hears everything when it is back; it keeps nobody else waiting.
Nothing of what is sent or answered is logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from gateway import metrics
from gateway.calling.requests import NoAnswer, Requests
from gateway.calling.signing import BadSecret, secret_octets, signed
from gateway.clock import Clock
from gateway.config.webhook_settings import Webhook
from gateway.store.errors import StoreUnavailable
from gateway.webhooks.payload import Message, Seen, message_of
from gateway.webhooks.standing import Standing, Turn

LOOK = timedelta(seconds=2)  # between two looks for what happened: one small read each
LEASE = timedelta(minutes=10)  # after which another process may tell, should this one be gone
AT_ONCE = (
    LEASE / 2
)  # then the mark moves, however slowly the server answers; one request takes a minute at most
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 1800, 3600))
"""After the first failure, the second, ...; then every hour."""
MAX_SECRET = 4096  # octets of the file

log = structlog.get_logger()


class Hook:
    """One webhook. Run with `run()`."""

    def __init__(self, settings: Webhook, standing: Standing, clock: Clock) -> None:
        self._settings = settings
        self._standing = standing
        self._clock = clock
        self._requests = Requests(settings.url, settings.timeout, settings.proxy)
        self._ails = ""  # what the last attempt met, so that a server that is down is one line of the log

    @property
    def name(self) -> str:
        return self._settings.name

    async def close(self) -> None:
        await self._requests.close()

    async def run(self) -> None:
        """Work until cancelled."""
        begun = False
        while True:
            try:
                if not begun:
                    await self._standing.begin(self.name, self._clock())
                    begun = True
                if await self.tell():
                    continue
            except StoreUnavailable:
                log.warning("webhook-waits", webhook=self.name)
            except Exception as error:
                log.error("webhook-error", webhook=self.name, error=type(error).__name__)
            await asyncio.sleep(LOOK.total_seconds())

    async def tell(self) -> bool:
        """Tell what is behind the mark, a page of it; return whether there may be more at once."""
        if not await self._standing.due(self.name, self._clock()):
            return False
        turn = await self._standing.take(self.name, self._clock(), LEASE)
        if turn is None:
            return False
        events, reached = await self._standing.behind(turn.heads)
        heads, stop_at = dict(turn.heads), self._clock() + AT_ONCE
        for event, message in await self._messages(events):
            if self._clock() > stop_at:
                return await self._standing.settle(turn, heads, 0, self._clock())
            if message is not None and not await self._post(message):
                await self._standing.settle(turn, heads, turn.failures + 1, self._again_at(turn))
                return False
            heads[event.node] = event.seq
        return await self._standing.settle(turn, reached, 0, self._clock())

    async def _messages(self, events: Sequence[Seen]) -> list[tuple[Seen, Message | None]]:
        ids = sorted({event.queue_id for event in events if event.queue_id is not None})
        ours = await self._standing.ours(ids)
        made = [(event, message_of(event, ours.__contains__)) for event in events]
        topics = self._settings.topics
        return [(event, said if said is not None and said.topic in topics else None) for event, said in made]

    async def _post(self, message: Message) -> bool:
        """Post one message; tell whether it was taken."""
        outcome = await self._outcome(message)
        metrics.WEBHOOKS.labels(self.name, "taken" if not outcome else "failed").inc()
        if outcome and outcome != self._ails:
            log.warning("webhook-failed", webhook=self.name, why=outcome)
        self._ails = outcome
        return not outcome

    async def _outcome(self, message: Message) -> str:
        try:
            secret = secret_octets(await asyncio.to_thread(_text_of, self._settings.secret_file))
        except (OSError, UnicodeDecodeError, BadSecret):
            return "its secret cannot be read, or is too short"
        headers = signed(message.id, message.body, secret, self._clock())
        try:
            answer = await self._requests.send(
                "POST", self._settings.url, message.body, {"content-type": "application/json", **headers}
            )
        except NoAnswer:
            return "does not answer"
        return "" if answer.ok else f"answers with {answer.status}"

    def _again_at(self, turn: Turn) -> datetime:
        return self._clock() + PAUSES[min(turn.failures, len(PAUSES) - 1)]


class WebhookWorker:
    """All webhooks of the settings. `close` it in the end."""

    def __init__(self, settings: Sequence[Webhook], standing: Standing, clock: Clock) -> None:
        self.hooks = tuple(Hook(each, standing, clock) for each in settings)

    async def run(self) -> None:
        """Work until cancelled; without webhooks there is nothing to do, for ever."""
        async with asyncio.TaskGroup() as group:
            for hook in self.hooks:
                group.create_task(hook.run())
            group.create_task(asyncio.Event().wait())

    async def close(self) -> None:
        for hook in self.hooks:
            await hook.close()


def _text_of(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_SECRET).decode("utf-8").strip()
