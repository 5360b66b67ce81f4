"""The real process among hostile peers: words that would open a line, a field, a formula or a shorter window."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import smtplib
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from datetime import datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

from tests.process import ROOT, Gateway, Taken, gateway, next_hop, wait_for

INJECTING = "=?utf-8?q?=0D=0ABcc?=@sports.example.jp"
CLERK = "clerk@city.example.lg.jp"
DESK = "desk@city.example.lg.jp"
FREE, CITIZEN = "p@freemail.example.com", "q@example.com"
REPLY = (
    b"550 5.7.1 \x1b[2J \x07 =?utf-8?q?=0D=0ABcc:_x@example.com?= \xff\xfe \xe2\x80\xa8=1+1 " + b"x" * 1500
)
SUBJECT = b"=?utf-8?b?PUhZUEVSTElOSygiaHR0cDovL2V4YW1wbGUuY29tIikNCkJjYzogeEBleGFtcGxlLmNvbQ==?="


def test_a_hostile_reply_and_sender_write_nothing_into_dsn_log_or_export(tmp_path: Path) -> None:
    def refuse(taken: Taken) -> bytes:
        return REPLY + b"\r\n" if CLERK in taken.recipients else b"250 2.0.0 ok\r\n"

    with next_hop() as hop, gateway(tmp_path, hop.port) as gw:
        hop.answer = refuse
        submit(gw, INJECTING, [CLERK], b"Subject: " + SUBJECT + b"\r\n\r\nx\r\n")
        dsn = wait_for(lambda: next((m for m in hop.taken if INJECTING in m.recipients), None), "the DSN")
        assert dsn.raw.isascii()
        assert max(map(len, dsn.raw.split(b"\r\n"))) <= 998
        assert re.search(rb"\r(?!\n)|(?<!\r)\n|[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]", dsn.raw) is None
        assert [part.defects for part in message_from_bytes(dsn.raw).walk() if part.defects] == []
        assert re.search(rb"(?im)^\s*bcc", dsn.raw) is None
        exported = gw.cli("log", "export", "--format", "csv", "--config", str(gw.config)).stdout
        rows = list(csv.reader(io.StringIO(exported.removeprefix("\ufeff"))))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r"))]
        assert any("HYPERLINK" in cell for row in rows for cell in row), "the hostile subject was exported"
        assert "\x1b" not in exported
        gw.stop()
        for line in gw.log_text.splitlines():
            assert isinstance(json.loads(line), dict)


def test_the_sender_cannot_shorten_a_firm_window(tmp_path: Path) -> None:
    """The shipped policy, and whoever posts what the page does not offer."""
    shipped = ROOT / "policies" / "examples" / "firm-window" / "policy.yaml"
    with next_hop() as hop, gateway(tmp_path, hop.port) as gw:
        gw.stop()
        (gw.folder / "policies" / "default.yaml").write_text(shipped.read_text("utf-8"), "utf-8")
        gw.start()
        attached = (
            b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nx\r\n"
        )
        queue_id = submit(gw, DESK, [FREE, CITIZEN], b"Subject: x\r\nMIME-Version: 1.0\r\n" + attached)
        notice = wait_for(lambda: next((m for m in hop.taken if DESK in m.recipients), None), "the notice")
        text = message_from_bytes(notice.raw).get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
        (path,) = set(re.findall(r"/m/[\w.~-]+", text))
        before = rows_of(gw, queue_id)
        for recipients in ([], ["0"], ["0", "1"]):
            release(gw, path, recipients)
        wait_for(lambda: CITIZEN in hop.recipients(), "the copy without a firm window")
        after = rows_of(gw, queue_id)
        assert after[FREE]["state"] == "held"
        assert seconds(before[FREE]) - seconds(after[FREE]) == 300, "ten minutes, of which five are firm"
        release(gw, path, [])
        assert rows_of(gw, queue_id)[FREE] == after[FREE]
        assert FREE not in hop.recipients()


def submit(gw: Gateway, sender: str, to: list[str], rest: bytes) -> str:
    raw = f"From: <{sender}>\r\nTo: {', '.join(to)}\r\n".encode() + rest
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.ehlo("client.example")
        assert client.mail(sender)[0] == 250
        for recipient in to:
            assert client.rcpt(recipient)[0] == 250
        code, text = client.data(raw)
    assert code == 250, text
    found = re.search(rb"\b([0-9A-Z]{10,})\b", text)
    assert found, text
    return found[1].decode()


def rows_of(gw: Gateway, queue_id: str) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in gw.cli_json("held", "show", queue_id)["recipients"]}


def seconds(row: dict[str, Any]) -> float:
    return datetime.fromisoformat(row["due_at"]).timestamp()


def release(gw: Gateway, path: str, recipients: list[str]) -> None:
    """Post a release as our own page would: for all, or for those ticked."""
    seal = re.search(r'name="seal" value="([^"]+)"', gw.get(path)[1])
    if seal is None:
        return  # the page offers nothing any more
    fields = {
        "seal": html.unescape(seal[1]),
        "which": "ticked" if recipients else "all",
        "recipient": recipients,
    }
    origin = f"http://127.0.0.1:{gw.web_port}"
    request = urllib.request.Request(
        f"{origin}{path}/release",
        data=urllib.parse.urlencode(fields, doseq=True).encode(),
        headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"},
    )
    with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
