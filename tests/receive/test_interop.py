"""Real clients over loopback: swaks, curl, msmtp, mutt, Net::SMTP, smtp-source. Skipped where one is absent."""

from __future__ import annotations

import asyncio
import email
import os
import shutil
import subprocess
from email.policy import SMTP
from pathlib import Path

import pytest

from tests.receive.conftest import House, Open, certificate

pytestmark = pytest.mark.interop

MAIL = "From: alice@sports.example.jp\nTo: bob@example.com\nSubject: 関所\n\n.a dot\nend\n"


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/bin")
    if found is None:
        absent(name)
    assert found is not None
    return found


def perl_with(*modules: str) -> str:
    perl = program("perl")
    if subprocess.run([perl, *(f"-M{module}" for module in modules), "-e1"], check=False).returncode:
        absent(f"a module of Perl's, {' or '.join(modules)},")
    return perl


def absent(what: str) -> None:
    if os.environ.get("TEST_NO_SKIP"):
        pytest.fail(f"{what} is absent")
    pytest.skip(f"{what} is absent")


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


async def test_mutt(house: House, tmp_path: Path) -> None:
    settings = tmp_path / "muttrc"
    settings.write_text(
        f"set from=alice@sports.example.jp smtp_url=smtp://alice@127.0.0.1:{house.port}/\n"
        f"set smtp_pass='open sesame' ssl_force_tls=yes ssl_ca_certificates_file={tmp_path / 'ca.pem'}\n"
        "set copy=no send_charset=utf-8\n"
    )
    names = ["名簿（最終版）.pdf", "令和八年度第三回運営委員会の議事録と配布資料の一覧.txt"]
    files = [tmp_path / name for name in names]
    for number, file in enumerate(files):
        file.write_bytes(b"\0\xff%d" % number)
    await run(
        "env", "LC_ALL=C.UTF-8", f"HOME={tmp_path}", program("mutt"), "-F", str(settings), "-s", "名簿をお送りします",
        "-a", *map(str, files), "--", "bob@example.com", stdin=".a dot\n.\nend",
    )  # fmt: skip
    ((envelope, raw),) = house.taken.mails
    mail = email.message_from_bytes(raw, policy=SMTP)
    assert (envelope.client.account, envelope.client.tls) == ("alice", True)
    assert mail["Subject"] == "名簿をお送りします"
    text, *attached = [part for part in mail.walk() if not part.is_multipart()]
    assert text.get_content().replace("\r\n", "\n").startswith(".a dot\n.\nend")
    assert [(part.get_filename(), part.get_payload(decode=True)) for part in attached] == [
        (names[0], b"\0\xff0"),
        (names[1], b"\0\xff1"),
    ]


NET_SMTP = """
use Net::SMTP;
my ($port, $ca) = @ARGV;
my $smtp = Net::SMTP->new('127.0.0.1', Port => $port) or die "no greeting";
$smtp->starttls(SSL_ca_file => $ca) && $smtp->auth('alice', 'open sesame') or die $smtp->message;
for my $text (join('', <STDIN>), "From: alice\\@sports.example.jp\\n\\n.second\\n..\\n.") {
    $smtp->mail('alice@sports.example.jp', Bits => '8', Return => 'HDRS') or die $smtp->message;
    my @good = $smtp->to('bob@example.com', 'no good', { SkipBad => 1, Notify => ['FAILURE', 'DELAY'] });
    "@good" eq 'bob@example.com' or die "@good";
    $smtp->data($text) or die $smtp->message;
}
$smtp->quit;
"""


async def test_net_smtp_sends_two_mails_in_a_session(house: House, tmp_path: Path) -> None:
    perl = perl_with("IO::Socket::SSL", "Authen::SASL")
    await run(perl, "-we", NET_SMTP, str(house.port), str(tmp_path / "ca.pem"), stdin=MAIL)
    first, (_, second) = house.taken.mails
    assert second.endswith(b"\r\n\r\n.second\r\n..\r\n.\r\n")
    house.taken.mails[:] = [first]
    check(house)


async def test_smtp_source_keeps_its_connections(open_house: Open) -> None:
    house = await open_house()
    await run(
        program("smtp-source"), "-d", "-s", "5", "-m", "200", "-l", "10240", "-r", "3",
        "-f", "a@example.jp", "-t", "b@example.com", f"127.0.0.1:{house.port}",
    )  # fmt: skip
    assert len(house.taken.mails) == 200
    assert all(len(raw) > 10240 for _, raw in house.taken.mails)
