"""Real clients over loopback: swaks, curl, msmtp, Postfix's smtp-source. Skipped where one is absent."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.receive.conftest import House, Open, certificate

pytestmark = pytest.mark.interop

MAIL = "From: alice@sports.example.jp\nTo: bob@example.com\nSubject: 関所\n\n.a dot\nend\n"


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/bin")
    if found is None:
        if os.environ.get("TEST_NO_SKIP"):
            pytest.fail(f"{name} is absent")
        pytest.skip(f"{name} is absent")
    return found


async def run(*command: str, stdin: str = "") -> str:
    """Run a client to its end and return what it wrote; fails on a failing exit."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(stdin.encode()), 30)
    text = output.decode(errors="replace")
    assert process.returncode == 0, text
    return text


@pytest.fixture
async def house(open_house: Open, tmp_path: Path) -> House:
    """A listener that asks for TLS and AUTH, as for mail clients."""
    tls, _ = certificate(tmp_path)
    return await open_house(
        trusted=False, accounts=True, auth_requires_tls=True, tls=tls, implicit=True, greeting_pause=0.02
    )


def check(house: House) -> None:
    ((envelope, raw),) = house.taken.mails
    assert envelope.client.account == "alice"
    assert envelope.client.tls
    assert [str(address) for address in envelope.recipients] == ["bob@example.com"]
    assert raw.rstrip().endswith(b"\r\n\r\n.a dot\r\nend")  # swaks ends it with one line end more


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("pipelined", [(), ("--pipeline",)], ids=["one by one", "pipelined"])
async def test_swaks(house: House, mechanism: str, pipelined: tuple[str, ...]) -> None:
    output = await run(
        program("swaks"), "--server", f"127.0.0.1:{house.port}", "--tls", "--auth", mechanism, *pipelined,
        "--auth-user", "alice", "--auth-password", "open sesame",
        "--from", "alice@sports.example.jp", "--to", "bob@example.com", "--data", MAIL.replace("\n", "\\n"),
    )  # fmt: skip
    assert "Q1 queued" in output
    check(house)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_curl(house: House, scheme: str, tmp_path: Path) -> None:
    mail = tmp_path / "mail"
    mail.write_bytes(MAIL.replace("\n", "\r\n").encode())
    port = house.listener.addresses[scheme == "smtps"][1]
    await run(
        program("curl"), "--silent", "--show-error", "--ssl-reqd", "--cacert", str(tmp_path / "ca.pem"),
        "--url", f"{scheme}://127.0.0.1:{port}", "--user", "alice:open sesame", "--upload-file", str(mail),
        "--mail-from", "alice@sports.example.jp", "--mail-rcpt", "bob@example.com",
    )  # fmt: skip
    check(house)


async def test_msmtp(house: House, tmp_path: Path) -> None:
    await run(
        program("msmtp"), "--file=/dev/null", "--host=127.0.0.1", f"--port={house.port}", "--tls=on",
        f"--tls-trust-file={tmp_path / 'ca.pem'}", "--auth=plain", "--user=alice",
        "--passwordeval=echo open sesame", "--from=alice@sports.example.jp", "bob@example.com",
        stdin=MAIL,
    )  # fmt: skip
    check(house)


async def test_smtp_source_keeps_its_connections(open_house: Open) -> None:
    house = await open_house()
    await run(
        program("smtp-source"), "-d", "-s", "5", "-m", "200", "-l", "10240", "-r", "3",
        "-f", "a@example.jp", "-t", "b@example.com", f"127.0.0.1:{house.port}",
    )  # fmt: skip
    assert len(house.taken.mails) == 200
    assert all(len(raw) > 10240 for _, raw in house.taken.mails)
