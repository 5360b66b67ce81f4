"""The split channel, on the real process: no mail to a recipient holds the key to their files, except over `second-mail`.

Every mail that leaves is searched, raw and decoded in every way a program or a person would read it: to the recipients, to the
sender, and what the gateway writes itself. Each way is also followed to where its key does arrive.
"""

from __future__ import annotations

import asyncio
import html
import quopri
import re
import sqlite3
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy

import orjson
import pytest

from gateway.calling.signing import is_signed
from gateway.clock import utc_now
from gateway.store.database import FILE_NAME
from tests.channels.carrier_server import CarrierServer, carrier_server, taken
from tests.channels.conftest import WEBHOOK_SECRET
from tests.integration.test_attachments import INSIDE, OFFICE, OTHER, OUTSIDE, keys, send
from tests.process import Gateway, NextHop, Taken, gateway, next_hop, wait_for
from tests.sealing.making import mail_with

NUMBERS = {OUTSIDE: "+819012345678", OTHER: "+818011112222"}
POLICY = """\
version: 1
organisation: {{name: test, internal: [city.example.lg.jp, sports.example.jp]}}
rules:
  - id: protect-files
    reason: files leave encrypted
    when: {{external: {{at_least: 1}}}}
    then:
      attachments: {{protect: {form}, password_by: {ways}, per: {per}}}
"""
CASES = [  # the form of the files, by which way their key goes, whether each recipient has their own
    ("native", "[sender]", "message"),
    ("zip-aes256", "[sender]", "recipient"),
    ("native", "[sms]", "message"),
    ("zip-aes256", "[sms, sender]", "recipient"),
    ("zip-legacy", "[sms]", "message"),
    ("link", "[sms]", "recipient"),
    ("zip-aes256", "[preagreed]", "message"),
    ("native", "[preagreed, sms]", "recipient"),
    ("link", "[code-page]", "message"),
    ("native", "[second-mail]", "message"),
    ("zip-aes256", "[second-mail]", "recipient"),
]
SECOND_MAIL = "X-Sekisho-Notice: second-mail"


@pytest.fixture(scope="module")
def carrier() -> Iterator[CarrierServer]:
    with _in_thread() as running:
        yield running


@contextmanager
def _in_thread() -> Iterator[CarrierServer]:
    """Run a carrier of text messages on a loop of its own: the tests here have none."""
    started, end = threading.Event(), threading.Event()
    running: list[CarrierServer] = []

    async def serve() -> None:
        async with carrier_server() as one:
            running.append(one)
            started.set()
            await asyncio.to_thread(end.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(10)
    try:
        yield running[0]
    finally:
        end.set()
        thread.join(10)


@pytest.fixture(scope="module")
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture(scope="module")
def gw(hop: NextHop, carrier: CarrierServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("split")
    (folder / "secret").write_text(WEBHOOK_SECRET)
    (folder / "numbers.csv").write_text("".join(f"{who},{number}\n" for who, number in NUMBERS.items()))
    sms = f"{{webhook: {{url: '{carrier.url}/send', secret_file: secret}}, directory: numbers.csv}}"
    with gateway(folder, hop.port, extra=f"channels: {{sms: {sms}}}\n") as running:
        yield running


@pytest.fixture(scope="module")
def agreed(gw: Gateway) -> dict[str, str]:
    """Return the keys that were agreed on with each recipient before."""
    config = ("--config", str(gw.config))
    return {who: gw.cli("secret", "set", who, "--generate", *config).stdout.split()[0] for who in NUMBERS}


def ask(gw: Gateway, form: str, ways: str, per: str) -> None:
    """Put a policy in force that protects files so."""
    text = POLICY.format(form=form, ways=ways, per=per)
    (gw.folder / "policies" / "default.yaml").write_text(text, encoding="utf-8")
    gw.stop()
    gw.start()


def let_second_mails_go(gw: Gateway) -> None:
    """Let the ten minutes be over."""
    gw.stop()
    with sqlite3.connect(gw.folder / "var" / FILE_NAME) as database:
        database.execute(
            "UPDATE key_sendings SET due_at = 1 WHERE way = 'second-mail' AND due_at IS NOT NULL"
        )
    database.close()
    gw.start()


def readings(raw: bytes) -> Iterator[str]:
    """Yield a mail as it stands, and every part of it decoded; without what breaks lines, and without marks."""
    mail = message_from_bytes(raw, policy=policy.default)
    texts = [raw.decode("latin-1"), quopri.decodestring(raw).decode("latin-1")]
    texts += [f"{name}: {value}" for name, value in mail.items()]
    for part in mail.walk():
        octets = part.get_payload(decode=True)
        if isinstance(octets, bytes):
            texts += [
                octets.decode("utf-8", "replace"),
                octets.decode("latin-1"),
                octets.decode("utf-16-le", "replace"),
            ]
    for text in texts:
        yield text
        yield re.sub(r"=?\r?\n[ \t]*", "", text)
        yield re.sub(r"<[^>]*>", "", html.unescape(text))


def has(raw: bytes, key: str) -> bool:
    """Tell whether a mail holds a key, whole or in one of the ways in which its parts are put together."""
    wanted = {key, key.replace("-", ""), key.replace("-", " "), key[::-1], key.upper()}
    wanted |= {b64encode(b"x" * shift + key.encode())[4:-4].decode() for shift in range(3)}
    return any(each in reading for reading in readings(raw) for each in wanted)


def second_mails(hop: NextHop, since: int) -> dict[str, Taken]:
    found = [mail for mail in hop.taken[since:] if SECOND_MAIL.encode() in mail.header]
    return {who: mail for mail in found for who in mail.recipients}


def test_the_search_finds_what_it_looks_for() -> None:
    key = "mkpt-wxyz-hjna"
    head = b"From: a@example.jp\r\nMIME-Version: 1.0\r\n"
    encoded = b64encode(f"鍵は{key}です".encode())
    assert has(head + b"Subject: " + key.encode() + b"\r\n\r\nx\r\n", key)
    assert has(head + b"Subject: =?utf-8?B?" + encoded + b"?=\r\n\r\nx\r\n", key)
    assert has(head + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded + b"\r\n", key)
    assert has(head + b"\r\n<b>mkpt</b>-<i>wxyz</i>-hjna\r\n", key)
    assert has(head + b"\r\nmkptwxyzhjna\r\n", key)
    assert has(head + b"\r\nmkpt-wx=\r\nyz-hjna\r\n", key)
    assert not has(head + b"\r\nmkpt wxyz\r\n", key)


@pytest.mark.parametrize(("form", "ways", "per"), CASES)
def test_no_mail_holds_a_key(
    gw: Gateway,
    hop: NextHop,
    carrier: CarrierServer,
    agreed: dict[str, str],
    form: str,
    ways: str,
    per: str,
) -> None:
    ask(gw, form, ways, per)
    before, asked_before = len(hop.taken), len(carrier.asked)
    got = send(gw, hop, mail_with(), INSIDE, OUTSIDE, OTHER)
    by_way = ways.strip("[]").split(", ")[0]
    if by_way == "sms":
        wait_for(lambda: len(carrier.asked) >= asked_before + 2, "the text messages")
    if by_way == "sender":
        wait_for(lambda: any(OFFICE in mail.recipients for mail in hop.taken[before:]), "the notice")
    found = {} if by_way == "code-page" else keys(gw, got[OUTSIDE], 1, 2)
    if by_way == "second-mail":
        let_second_mails_go(gw)
        wait_for(lambda: len(second_mails(hop, before)) == 2, "the second mails")
    for key in {*found.values(), *agreed.values()}:
        for mail in hop.taken[before:]:
            allowed = by_way == "second-mail" and SECOND_MAIL.encode() in mail.header
            assert allowed or not has(mail.raw, key), (ways, mail.recipients)
        assert key not in gw.log_text
        assert key not in gw.get("/metrics")[1]
    where_it_arrives(by_way, gw, hop, carrier, found, before, asked_before, agreed)


def where_it_arrives(
    way: str,
    gw: Gateway,
    hop: NextHop,
    carrier: CarrierServer,
    found: dict[int, str],
    before: int,
    asked_before: int,
    agreed: dict[str, str],
) -> None:
    """Follow a way to its end: each recipient has a key, their own where there are several."""
    right = {who: found.get(index, "") for index, who in ((1, OUTSIDE), (2, OTHER))}
    if way == "sms":
        texts = {each["to"]: each["text"] for each in _texts(carrier, asked_before)}
        assert {who: right[who] in texts[NUMBERS[who]] for who in NUMBERS} == dict.fromkeys(NUMBERS, True)
    elif way == "second-mail":
        sent = second_mails(hop, before)
        assert {who: has(sent[who].raw, right[who]) for who in NUMBERS} == dict.fromkeys(NUMBERS, True)
        if right[OUTSIDE] != right[OTHER]:
            assert not has(sent[OUTSIDE].raw, right[OTHER])
            assert not has(sent[OTHER].raw, right[OUTSIDE])
    elif way == "preagreed":
        assert right == agreed
    elif way == "sender":
        notice = next(mail for mail in hop.taken[before:] if OFFICE in mail.recipients)
        text = next(iter(message_from_bytes(notice.raw, policy=policy.default).iter_parts())).get_content()
        assert "#keys" in text
        assert f"127.0.0.1:{gw.web_port}/m/" in text
        assert OUTSIDE in text


def _texts(carrier: CarrierServer, since: int) -> Iterator[dict[str, str]]:
    for asked in carrier.asked[since:]:
        assert is_signed(asked.headers, asked.body, WEBHOOK_SECRET.encode(), utc_now())
        yield orjson.loads(asked.body)


def test_a_carrier_that_is_down_makes_nobody_fall_back_on_mail(
    gw: Gateway, hop: NextHop, carrier: CarrierServer, agreed: dict[str, str]
) -> None:
    ask(gw, "native", "[sms, second-mail]", "message")
    carrier.answer = lambda _asked, _writer: b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"
    before, asked_before = len(hop.taken), len(carrier.asked)
    try:
        got = send(gw, hop, mail_with(), OUTSIDE)
        wait_for(lambda: len(carrier.asked) > asked_before, "an attempt")
        key = keys(gw, got[OUTSIDE], 0)[0]
        let_second_mails_go(gw)
        assert second_mails(hop, before) == {}
        assert not any(has(mail.raw, key) for mail in hop.taken[before:])
    finally:
        carrier.answer = taken
