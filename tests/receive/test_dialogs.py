"""Plays dialogs/*.dlg against a real listener on loopback. One file for each rule or bug.

@ name=value   an option of the listener: trusted, accounts, auth_requires_tls, proxy, xclient, bare_lf, limits.line=100
C: text        send the text and CRLF;  C! text  send it without CRLF;  C>  keep for one packet with the next C line
S: text        the next line from the server begins with the text;  S~ pattern  it matches the whole pattern
S+ text        the next whole reply: its last line begins with the text
E:             the server closes;   M: n  mails taken so far;   M= text  the last mail's octets;   R= a b  its recipients
I= ip helo login   whose the last mail is (- for no login)
D= mail, then one word for each recipient: what the sender asked (RET ENVID | NOTIFY ORCPT), written anew, - for nothing
Escapes in C, M=: \\r \\n \\0 \\xNN \\\\, and {text*n} for a text n times. Lines that begin with # are comments.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.message.envelope import Envelope
from gateway.message.status_request import RecipientRequest, write_notify, write_original
from gateway.receive.session import Session
from tests.receive.conftest import Client, House, Open

DIALOGS = sorted((Path(__file__).parent / "dialogs").glob("*.dlg"))
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|[rn0\\])")
_REPEAT = re.compile(rb"\{([^{}]*)\*(\d+)\}")
_WORDS: dict[str, Any] = {"yes": True, "no": False}
_NAMED = {b"r": b"\r", b"n": b"\n", b"0": b"\0", b"\\": b"\\"}


def octets(text: str) -> bytes:
    """Return what a C: or M= line stands for."""
    raw = _REPEAT.sub(lambda m: m[1] * int(m[2]), text.encode())
    return _ESCAPE.sub(lambda m: _NAMED.get(m[1]) or bytes.fromhex(m[1][1:].decode()), raw)


def options(lines: list[str]) -> dict[str, Any]:
    """Return the listener's options that the file asks for."""
    pairs = [line[2:].partition("=") for line in lines if line.startswith("@ ")]
    return {name.removeprefix("limits."): _WORDS.get(value, value) for name, _, value in pairs}


class Player:
    """Plays the lines of one file."""

    def __init__(self, house: House, client: Client) -> None:
        self.house = house
        self.client = client
        self.kept = b""

    async def play(self, line: str) -> None:
        kind, text = line[:2], line[3:]
        if kind in ("C:", "C!", "C>"):
            self.kept += octets(text) + (b"" if kind == "C!" else b"\r\n")
            if kind != "C>":
                await self.client.send(self.kept)
                self.kept = b""
        else:
            await self.expect(kind, text)

    async def expect(self, kind: str, text: str) -> None:
        mails = self.house.taken.mails
        if kind == "S:":
            got = (await self.client.line()).decode()
            assert got.startswith(text), f"wanted {text!r}, got {got!r}"
        elif kind == "S~":
            got = (await self.client.line()).decode()
            assert re.fullmatch(text, got), f"wanted {text!r}, got {got!r}"
        elif kind == "S+":
            got = await self.client.reply()
            assert got.rpartition("\n")[2].startswith(text), f"wanted {text!r}, got {got!r}"
        elif kind == "E:":
            assert await self.client.line() == b""
        elif kind == "M:":
            assert len(mails) == int(text)
        elif kind == "M=":
            assert mails[-1][1] == octets(text)
        elif kind == "D=":
            assert asked(mails[-1][0]) == text
        elif kind == "I=":
            peer = mails[-1][0].client
            assert [peer.ip, peer.helo, peer.account or "-"] == text.split()
        else:
            assert kind == "R=", f"a line of no known kind: {kind}"
            assert [str(address) for address in mails[-1][0].recipients] == text.split()


def asked(envelope: Envelope) -> str:
    """Return what a D= line compares with."""
    mail = " ".join(word for word in (str(envelope.asked.returned or ""), envelope.asked.envid) if word)
    return " | ".join([mail or "-", *(_asked(request) for request in envelope.requests)])


def _asked(request: RecipientRequest) -> str:
    notify = "" if request.notify is None else write_notify(request.notify)
    original = write_original(request) if request.original_type else ""
    return " ".join(word for word in (notify, original) if word) or "-"


@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
async def test_dialog(path: Path, open_house: Open) -> None:
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    house = await open_house(**options(lines))
    player = Player(house, await house.connect())
    for line in lines:
        if not line.startswith("@ "):
            await player.play(line)
    assert not player.kept


def test_there_are_dialogs() -> None:
    assert len(DIALOGS) > 20


def test_no_verb_of_the_library_s_own_is_reachable() -> None:
    for verb in Session.VERBS:
        assert getattr(Session, f"smtp_{verb}").__module__.startswith("gateway.receive."), verb
