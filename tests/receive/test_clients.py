"""Real clients, real mail, another event loop."""

from __future__ import annotations

import asyncio
import itertools
import random
import smtplib
import socket
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import uvloop

from gateway.config.settings import Limits, Listen, Settings, Smtp
from gateway.receive.accounts import Accounts
from gateway.receive.content import content_reply
from gateway.receive.data import DataReader
from gateway.receive.listener import Listener
from tests.receive.conftest import Client, Open, Taken, certificate


async def test_smtplib_signs_in_and_sends(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True)

    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", house.port, timeout=10) as client:
            client.login("alice", "open sesame")
            mail = "From: alice@sports.example.jp\r\nSubject: x\r\n\r\n.dot\r\n"
            return client.sendmail(
                "alice@sports.example.jp", ["b@example.com", "no good", "c@example.com"], mail
            )

    refused = await asyncio.to_thread(send)
    assert list(refused) == ["no good"]
    ((envelope, raw),) = house.taken.mails
    assert [str(address) for address in envelope.recipients] == ["b@example.com", "c@example.com"]
    assert raw.endswith(b"\r\n\r\n.dot\r\n")
    assert envelope.client.account == "alice"


async def test_smtplib_sends_utf8(open_house: Open) -> None:
    house = await open_house()

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", house.port, timeout=10) as client:
            mail = "Subject: 関所\r\n\r\n本文\r\n".encode()
            client.sendmail(
                "山田@example.jp", ["b@example.com"], mail, mail_options=["SMTPUTF8", "BODY=8BITMIME"]
            )

    await asyncio.to_thread(send)
    ((envelope, _),) = house.taken.mails
    assert envelope.smtputf8
    assert envelope.body_8bit
    assert str(envelope.sender) == "山田@example.jp"


async def test_eight_bit_is_seen_by_content(open_house: Open) -> None:
    house = await open_house()
    client = await house.connect()
    await client.greet()
    await client.envelope()
    await client.ask(b"Subject: x\r\n\r\n\xe6\x9c\xac\r\n.")
    assert (await client.ask(b"MAIL FROM:<a@example.jp> BODY=8BITMIME")).startswith("250")
    await client.ask(b"RCPT TO:<b@example.com>")
    await client.ask(b"DATA")
    await client.ask(b"Subject: x\r\n\r\nseven bits\r\n.")
    assert [envelope.body_8bit for envelope, _ in house.taken.mails] == [True, False]


async def test_a_helo_name_cannot_carry_anything_else(open_house: Open) -> None:
    house = await open_house()
    client = await house.connect()
    await client.reply()
    await client.ask("EHLO (山) evil; x".encode())
    await client.envelope()
    await client.ask(b".")
    assert house.taken.mails[0][0].client.helo == "???" + "?evil" + "??x"


@pytest.mark.corpus
def test_every_corpus_mail_is_taken_as_it_is_or_refused_with_a_reason(
    corpus: list[tuple[str, bytes]],
) -> None:
    taken = 0
    for name, mail in corpus:
        mail = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
        reader = DataReader(1 << 26, 1 << 20)
        stuffed = (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
        for start in range(0, len(stuffed), 1000):
            reader.feed(stuffed[start : start + 1000])
        assert reader.ended, name
        if reader.fault is not None:
            assert b"\0" in mail or b"\r" in mail.replace(b"\r\n", b""), name
            continue
        assert reader.content() == mail, name
        refusal = content_reply(mail, 50)
        taken += refusal is None
        assert refusal is None or refusal.code in (550, 554), name
    assert taken > len(corpus) * 0.9


@pytest.mark.parametrize("seed", range(12))
async def test_every_split_of_a_session_gives_the_same_mails(open_house: Open, seed: int) -> None:
    house = await open_house()
    session = (
        b"EHLO client.example.com\r\nMAIL FROM:<a@example.jp>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
        b"..one\r\n\r\nbody\r\n.\r\nRSET\r\nMAIL FROM:<a@example.jp>\r\nRCPT TO:<c@example.com>\r\n"
        b"RCPT TO:<no good>\r\nDATA\r\n.\r\nQUIT\r\n"
    )
    client = await house.connect()
    assert (await client.reply()).startswith("220 ")
    client.writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    cuts = sorted(random.Random(seed).sample(range(len(session)), seed * 3))
    for start, end in itertools.pairwise([0, *cuts, len(session)]):
        await client.send(session[start:end])
        await asyncio.sleep(0.001)
    codes = [(await client.reply()).rpartition("\n")[2][:3] for _ in range(11)]
    assert codes == ["250", "250", "250", "354", "250", "250", "250", "250", "553", "354", "250"]
    assert (await client.reply()).startswith("221 ")
    assert [raw for _, raw in house.taken.mails] == [b".one\r\n\r\nbody\r\n", b""]


def test_it_runs_on_uvloop(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(_uvloop_session(tmp_path)) == 0


async def _uvloop_session(folder: Path) -> int:
    """STARTTLS, a mail, a handshake that fails, and the end, on the loop that the service runs."""
    taken = Taken()
    taken.gate.set()
    tls, context = certificate(folder)
    loopback = (Listen(host="127.0.0.1", port=0),)
    smtp = Smtp(listen=loopback, tls=tls, trusted_networks=(ip_network("127.0.0.0/8"),))
    settings = Settings(hostname="gate.example.jp", smtp=smtp, limits=Limits())
    listener = Listener(settings, taken.submit, Accounts(None))
    await listener.start()

    client = Client(*await asyncio.open_connection(*listener.addresses[0]))
    await client.greet()
    assert (await client.ask(b"STARTTLS")).startswith("220 ")
    await client.writer.start_tls(context, server_hostname="127.0.0.1")
    await client.ask(b"EHLO client.example.com")
    await client.envelope()
    assert (await client.ask(b"x" * 500 + b"\r\n.")).startswith("250 ")
    assert taken.mails[0][0].client.tls

    broken = Client(*await asyncio.open_connection(*listener.addresses[0]))
    await broken.greet()
    assert (await broken.ask(b"STARTTLS")).startswith("220 ")
    await broken.send(b"no handshake\r\n")
    while await broken.line():
        pass
    await broken.close()
    await asyncio.sleep(0.05)
    assert len(listener.reception.sessions) == 1
    closing = asyncio.ensure_future(listener.close(timedelta(seconds=2)))
    assert (await client.reply()).startswith("421 4.3.2")
    await client.close()
    return await closing
