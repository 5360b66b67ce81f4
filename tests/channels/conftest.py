"""Keys in memory that hold to what sending needs of spool.keys, mails that they belong to, and a carrier to send to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from gateway.channels.carrier import Carrier
from gateway.channels.registry import carrier_of
from gateway.config.channel_settings import Sms
from gateway.policy.demands import Language
from gateway.policy.protection import Way
from gateway.spool.contract import StoreUnavailable
from gateway.spool.key_contract import KeySending
from gateway.spool.lifecycle import State
from gateway.spool.values import NewMessage, Stored
from tests.channels.carrier_server import CarrierServer, carrier_server
from tests.memory_spool import NOON, MemorySpool, decision_for, hold

KEY = "mkpt-wxyz-hjna-bcde"
NUMBER = "+819012345678"
PEOPLE = ("tanaka@example.com", "smith@example.net")
WEBHOOK_SECRET = "a secret that both sides know, of more than 24 octets"
ACCOUNT = "AC" + "0" * 32
TOKEN = "f" * 32


@dataclass
class Row:
    sending: KeySending
    due_at: datetime | None = NOON
    state: str = "ready"
    receipt: str = ""
    detail: str = ""


@dataclass
class MemoryKeys:
    """Sendings by recipient of one mail; `down` makes every verb fail as a store does."""

    rows: dict[int, Row] = field(default_factory=dict)
    down: bool = False
    leases: int = 0

    def add(self, way: Way, to: str = "", recipient: int = 0, queue_id: str = "Q1", text: str = KEY) -> Row:
        self.rows[recipient] = Row(KeySending(queue_id, recipient, way, 0, "", to, text))
        return self.rows[recipient]

    async def due_sendings(
        self, now: datetime, limit: int, lease: timedelta, way: Way | None = None
    ) -> Sequence[KeySending]:
        self._check()
        due = [
            row
            for row in self.rows.values()
            if row.due_at is not None and row.due_at <= now and way in (None, row.sending.way)
        ][:limit]
        for row in due:
            self.leases += 1
            row.state, row.due_at = "sending", now + lease
            row.sending = replace(row.sending, attempts=row.sending.attempts + 1, lease=str(self.leases))
        return [row.sending for row in due]

    async def sent(self, sending: KeySending, receipt: str, now: datetime) -> None:
        self._check()
        row = self.rows[sending.recipient]
        if row.sending.lease == sending.lease:
            row.state, row.due_at, row.receipt, row.sending = "sent", None, receipt, sending

    async def not_sent(
        self, sending: KeySending, detail: str, retry_at: datetime | None, now: datetime
    ) -> None:
        self._check()
        row = self.rows[sending.recipient]
        row.state, row.due_at, row.detail = "failed" if retry_at is None else "ready", retry_at, detail

    async def receipted(self, receipt: str, arrived: bool, detail: str, now: datetime) -> bool:
        self._check()
        rows = [row for row in self.rows.values() if row.receipt == receipt]
        for row in rows:
            if row.state != "arrived":
                row.state, row.detail = "arrived" if arrived else "failed", detail
        return bool(rows)

    async def mailed(self, limit: int) -> Sequence[str]:
        self._check()
        return [
            row.receipt for row in self.rows.values() if row.state == "sent" and row.receipt[:5] == "mail:"
        ]

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("down")


class Mails(MemorySpool):
    """A spool that takes mail of ours, too."""

    async def accept(self, message: NewMessage) -> str:
        self._check()
        self.spooled.append(message)
        queue_id = f"OWN{len(self.spooled)}"
        people = [str(address) for address in message.envelope.recipients]
        hold(self, queue_id, people, raw=message.raw, decision=message.decision)
        return queue_id


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def spool() -> Mails:
    """A spool with a mail to PEOPLE that has left."""
    mails = Mails()
    delivered(mails)
    return mails


def delivered(mails: MemorySpool, language: Language = Language.JA, subject: str = "名簿の送付") -> Stored:
    """Put a mail to PEOPLE into the spool that has left."""
    hold(mails, "Q1", PEOPLE, subject=subject, decision=decision_for((0, 0), language=language))
    for index in range(len(PEOPLE)):
        mails.set_state("Q1", index, State.DELIVERED)
    return mails.messages["Q1"]


@pytest.fixture
async def server() -> AsyncIterator[CarrierServer]:
    async with carrier_server() as running:
        yield running


def sms_settings(tmp_path: Path, adapter: str, url: str, **more: Any) -> Sms:
    """Return the settings of one adapter, with its secrets in files."""
    (tmp_path / "secret").write_text(WEBHOOK_SECRET + "\n")
    (tmp_path / "token").write_text(TOKEN + "\n")
    groups: dict[str, dict[str, Any]] = {
        "webhook": {"url": f"{url}/send", "secret_file": tmp_path / "secret"},
        "twilio": {
            "account": ACCOUNT,
            "token_file": tmp_path / "token",
            "sender": "+815011112222",
            "url": url,
        },
    }
    return Sms.model_validate({adapter: groups[adapter], "timeout": timedelta(seconds=1), **more})


class MakeCarrier(Protocol):
    def __call__(self, adapter: str, url: str, **more: Any) -> Carrier: ...


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[MakeCarrier]:
    """Make the adapter of some settings; closed in the end."""
    made: list[Carrier] = []

    def make(adapter: str, url: str, **more: Any) -> Carrier:
        settings = sms_settings(tmp_path, adapter, url, **more)
        one = carrier_of(settings, "https://gw.example.jp/sekisho/", lambda: NOON)
        assert one is not None
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close()
