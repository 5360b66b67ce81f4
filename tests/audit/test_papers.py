"""Papers out of the log: the record of a month, certificates of deletion, a body destroyed on request. Both stores."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from gateway.audit.certificates import certify, destroyed, numbered, question, recent, verify_certificate
from gateway.audit.key_turns import Wrong
from gateway.audit.log import EventLog
from gateway.audit.record import month, record
from gateway.audit.signed import Signer
from gateway.cli import main
from gateway.spool.contract import BodyUnreadable
from gateway.spool.destroying import Destroyed
from gateway.spool.lifecycle import Reason
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from gateway.store.events import Event
from tests.audit.proofs import ADMIN, keys
from tests.audit.writing import came, later, write
from tests.spool.mails import MINUTE, T0, mail

TOKYO = ZoneInfo("Asia/Tokyo")
BEGIN, END = month("2026-11", TOKYO)
DAY = 86_400_000_000


def at(days: float) -> int:
    return int(BEGIN.timestamp() * 1e6) + int(days * DAY)


def cancelled(queue_id: str, days: float, by: str, reason: str = "by-sender", people: str = "0-2") -> Event:
    return Event(at(days), queue_id, "cancelled", reason, "sender", by, people)


@pytest.mark.parametrize(
    ("text", "end"), [("2026-11", (2026, 12)), ("2026-12", (2027, 1)), ("2028-02", (2028, 3))]
)
def test_a_month_is_one_of_the_local_calendar(text: str, end: tuple[int, int]) -> None:
    since, until = month(text, TOKYO)
    assert (since.strftime("%Y-%m-%dT%H"), (until.year, until.month, until.day)) == (
        f"{text}-01T00",
        (*end, 1),
    )
    assert since.astimezone(UTC).hour == 15


@pytest.mark.parametrize("text", ["2026-13", "11-2026", "2026-1", "２０２６-11", "", "2026-11-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        month(text, TOKYO)


async def test_the_record_counts_what_happened_in_the_month_to_the_group(spool: SqlSpool) -> None:
    people = ("a@example.com", "b@example.com", "c@example.com")
    await write(
        spool,
        [
            came("old", at(-2), to=people),
            came("other", at(1), groups=("pool",)),
            cancelled("other", 1.1, "x"),
            came("new", at(2), to=people),
            came("", at(2.5), kind="refused"),
            cancelled("old", 3, "clerk@sports.example.jp"),
            cancelled("new", 3, "boss", "rejected", "0"),
            Event(at(3.1), "new", "approved", "by-approver", "approver", "suzuki", "1-2"),
            Event(at(3.2), "new", "delivered", "remote-reply", recipients="1-2"),
            later("new", at(4), "incident-opened"),
            later("old", at(5), "purged", what="body"),
            came("next", at(30)),
        ],
    )
    log = EventLog.over(spool.database.readers)
    made = await asyncio.to_thread(record, log, "sports", BEGIN, END, END)
    told = made.figures
    assert (told.mails, told.recipients, told.refused) == (1, 3, 1)
    assert (told.cancelled, told.rejected, told.delivered) == (4, 1, 2)
    assert (told.approvals, told.bodies_destroyed, told.incidents_opened) == ({"suzuki": 1}, 1, 1)
    assert [each.queue_id for each in made.incidents] == ["new"]
    assert made.over


async def _finished(spool: SqlSpool) -> str:
    queue_id = await spool.accept(mail(held=2))
    await spool.cancel(queue_id, None, Actor("admin", "x"), Reason.BY_ADMIN, T0 + MINUTE)
    for notice in await spool.notices.pending(10):
        await spool.notices.finish([notice], None)
    return queue_id


async def test_a_body_is_destroyed_on_request_and_certified(spool: SqlSpool) -> None:
    waiting, queue_id = await spool.accept(mail(held=1)), await _finished(spool)
    ends = [
        await spool.ageing.destroy_body(each, "本人の請求", ADMIN, T0)
        for each in ("nobody", waiting, queue_id, queue_id)
    ]
    assert ends == [Destroyed.UNKNOWN, Destroyed.NOT_FINISHED, Destroyed.DONE, Destroyed.ALREADY]
    with pytest.raises(BodyUnreadable):
        await spool.raw(queue_id)
    asked = question(T0 - timedelta(days=1), T0 + timedelta(days=1))
    rows = await asyncio.to_thread(destroyed, EventLog.over(spool.database.readers), asked)
    (row,) = rows
    assert row[1:6] == [queue_id, "body", "本人の請求", "suzuki", spool.database.master.key_id]
    made = await spool.database.committer.run(certify(rows, asked, spool.database.master, ADMIN, T0))
    (public,) = await keys(spool)
    assert verify_certificate(made.file, public)["bodies"] == 1
    assert await spool.database.readers.run(recent) == [(1, T0, "")]
    assert await spool.database.readers.run(numbered(1)) == made
    assert await spool.database.readers.run(numbered(2)) is None


async def test_a_certificate_that_was_altered_is_none(spool: SqlSpool) -> None:
    asked = question(T0, T0)
    made = await spool.database.committer.run(certify([], asked, spool.database.master, ADMIN, T0))
    (public,) = await keys(spool)
    statement = json.loads(made.file)["statement"]
    for key in made.told:
        told = made.told | {key: "x"}
        forged = json.dumps({"statement": json.dumps(told), "signature": made.signature.hex()})
        with pytest.raises(Wrong):
            verify_certificate(forged, public)
    assert statement == made.statement
    with pytest.raises(Wrong, match="not by the key"):
        verify_certificate(made.file, Signer.fresh(1).public)
    with pytest.raises(Wrong, match="no certificate"):
        verify_certificate("{}", public)


def test_the_commands_write_papers(state: Path, history: tuple[str, str], tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, [*words])
        assert result.exit_code == code, result.output
        return result.output

    place = ("--state", str(state))
    assert "mails  0" in run("log", "record", "sports", "2026-04", *place)
    assert json.loads(run("log", "record", "sports", "2026-04", *place, "--json"))["mails"] == 0
    run("log", "record", "sports", "2026-4", *place, code=2)
    run("held", "purge", history[1], "--because", " ", *place, code=2)
    assert "no such mail" in run("held", "purge", "nobody", "--because", "x", *place, code=1)
    target = tmp_path / "certificate.json"
    run("log", "certificate", "--since", "2026-01-01", "--output", str(target), *place)
    public = json.loads(run("log", "key", "--json", *place))["public"]
    assert "0 bodies" in run("log", "verify-certificate", str(target), "--key", public)
    target.write_text(target.read_text().replace('bodies\\":0', 'bodies\\":9'))
    assert "altered" in run("log", "verify-certificate", str(target), "--key", public, code=1)
