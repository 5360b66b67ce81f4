"""Text messages on the real process: a receipt by HTTP, a carrier that fails, a directory that breaks, and what is told."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import orjson
import pytest

from gateway.calling.signing import signed
from gateway.clock import utc_now
from tests.channels.carrier_server import CarrierServer, taken
from tests.channels.conftest import WEBHOOK_SECRET
from tests.integration.test_attachments import OTHER, OUTSIDE, send
from tests.integration.test_split_channel import NUMBERS, ask, carrier, gw, hop
from tests.process import Gateway, NextHop, wait_for
from tests.sealing.making import mail_with

__all__ = ["carrier", "gw", "hop"]  # fixtures, of this file too


@pytest.fixture
def by_text(gw: Gateway, carrier: CarrierServer) -> Iterator[None]:
    carrier.answer = taken
    ask(gw, "native", "[sms, sender]", "message")
    yield
    carrier.answer = taken


def post(gw: Gateway, body: bytes, headers: dict[str, str]) -> int:
    """Post a receipt as a carrier does; return the status."""
    url = f"http://127.0.0.1:{gw.web_port}/hooks/sms/webhook"
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_receipt_is_counted_and_a_forged_one_is_not(
    gw: Gateway, hop: NextHop, carrier: CarrierServer, by_text: None
) -> None:
    before = len(carrier.asked)
    send(gw, hop, mail_with(), OUTSIDE)
    wait_for(lambda: len(carrier.asked) > before, "the text message")
    body = orjson.dumps({"id": carrier.asked[-1].headers["webhook-id"], "status": "delivered"})
    right = signed("r1", body, WEBHOOK_SECRET.encode(), utc_now())
    assert post(gw, body, {**right, "webhook-signature": "v1,AAAA"}) == 403
    assert gw.metric('sekisho_key_receipts_total{outcome="arrived",way="sms"}') == 0
    assert [post(gw, body, right) for _ in range(2)] == [204, 204]
    assert gw.metric('sekisho_key_receipts_total{outcome="forged",way="sms"}') == 1
    kinds = [json.loads(line)["kind"] for line in events(gw)]
    assert [kinds.count(each) for each in ("key-sent", "key-arrived")] == [1, 1]


def events(gw: Gateway) -> list[str]:
    """Return the event log, a line for each event."""
    done = gw.cli("log", "export", "--config", str(gw.config), "--format", "jsonl")
    return done.stdout.splitlines()


def ready(gw: Gateway) -> str:
    """Return what /readyz says of the channels."""
    return str(json.loads(gw.get("/readyz")[1])["checks"]["channels"])


def test_a_carrier_that_fails_is_told_and_mail_goes_on(
    gw: Gateway, hop: NextHop, carrier: CarrierServer, by_text: None
) -> None:
    carrier.answer = lambda _asked, _writer: b"HTTP/1.1 401 X\r\ncontent-length: 0\r\n\r\n"
    assert ready(gw) == "ok"
    for _ in range(2):
        send(gw, hop, mail_with(), OUTSIDE, OTHER)
    wait_for(lambda: ready(gw) != "ok", "/readyz to tell")
    assert "sms: credentials" in ready(gw)
    assert gw.metric('sekisho_key_channel_works{way="sms"}') == 0
    assert gw.metric('sekisho_key_sendings_total{outcome="put-off",way="sms"}') >= 3
    told = gw.cli("doctor", "--config", str(gw.config), check=False).stdout
    assert "BAD  channels" in told
    assert "401" in told
    for number in NUMBERS.values():
        assert number[-8:] not in gw.log_text + told + "".join(events(gw))


def test_a_directory_that_breaks_is_told_and_keeps_what_was_good(
    gw: Gateway, hop: NextHop, carrier: CarrierServer, by_text: None
) -> None:
    path = gw.folder / "numbers.csv"
    good = path.read_text()
    try:
        path.write_text(good + "x,y\n")
        wait_for(lambda: ready(gw) != "ok", "/readyz to tell")
        assert "directory" in ready(gw)
        before = len(carrier.asked)
        send(gw, hop, mail_with(), OUTSIDE)
        wait_for(lambda: len(carrier.asked) > before, "the text message")
    finally:
        path.write_text(good)
    wait_for(lambda: ready(gw) == "ok", "/readyz to be green again")
