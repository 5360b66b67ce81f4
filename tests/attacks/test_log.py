"""Hostile words in every place that a log, a listing or export repeats: an event stays one line, a terminal obeys nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from gateway.log import escaped
from tests.attacks.hop import RecordingHop, recording_hop
from tests.attacks.script import FOLDER, Script, read
from tests.attacks.stage import Player, open_stage
from tests.process import Gateway, wait_for

OFFICE, CLERK, CITIZEN = "office@sports.example.jp", "clerk@city.example.lg.jp", "citizen@example.com"
EVIL = "\x1b[2J\x07\x9b31m\x85\u2028\u2029\u202eevil\u2066\r\n"
HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
REPLY = b"550 5.7.1 \x1b[2J\x07\xc2\x9b31m\xc2\x85\xe2\x80\xa8\xe2\x80\xaeforged\t\x00 " + b"y" * 700
VERBS = (
    "log query",
    "log query --json",
    "log export --format jsonl",
    "held list",
    "held list --json",
    "held show {id}",
)
ATTACK = f"""\
S: 220
C: EHLO {EVIL[:-2]}
S: 500 5.5.2
C: EHLO a\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xc2\\x85b
S+ 250
C: MAIL FROM:<a\\x1b[31m@sports.example.jp>
S: 500 5.5.2
C: MAIL FROM:<{OFFICE}> SMTPUTF8
S: 250
C: RCPT TO:<{CLERK}>
S: 250
C: RCPT TO:<{CITIZEN}>
S: 250
C: RCPT TO:<\\xe2\\x80\\xaemoc.elpmaxe@example.net>
S: 250
C: RCPT TO:<x\\xc2\\x9b31m@example.net>
S: 553 5.1.3
C: RCPT TO:<x\\xe2\\x80\\xa8y@example.net>
S: 553 5.1.3
C: DATA
S: 354
C> From: =?utf-8?q?=1B=5B2J=0D=0Aforged=E2=80=AE?= <{OFFICE}>
C> To: =?utf-8?q?=1B=5D0=3Bowned=07=0D=0A?= <{CITIZEN}>
C> Subject: =?utf-8?b?G1syShtdMDtvd25lZAcNCnsiZXZlbnQiOiJmb3JnZWQifQ0KwpszMW3igK7igKjChQ==?=
C> MIME-Version: 1.0
C> Content-Type: application/pdf; name*=utf-8''%1B%5B31m%0D%0Aevil%E2%80%AE%C2%9B.pdf
C> Content-Disposition: attachment
C>
C> x
C: .
S: 250 2.0.0
C: \\x1bXYZZY
S: 500 5.5.2
C: XYZZY\\xe2\\x80\\xae
S: 500 5.5.2
C: GET /\\xc2\\x9b31m
S: 421
E:
"""


@pytest.fixture(params=["json", "text"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def attack(folder: Path) -> Script:
    (folder / "attack.dlg").write_text(f"@ hold=1h\n{ATTACK}", "utf-8", newline="")
    return read(folder / "attack.dlg")


def played(gateway: Gateway, script: Script, hop: RecordingHop, form: str) -> None:
    """Restart with the wanted form of log, play, and wait for the refusal and the bounce it causes."""
    gateway.stop()
    gateway.config.write_text(gateway.config.read_text().replace("format: json", f"format: {form}"))
    gateway.start()
    Player(gateway.smtp_port).play(script)
    wait_for(lambda: any("multipart/report" in m.octets.decode("latin-1") for m in hop.arrived), "the bounce")


def test_one_event_is_one_line_and_a_terminal_obeys_nothing(tmp_path: Path, form: str) -> None:
    script = attack(tmp_path)
    with recording_hop() as hop:
        hop.scripts["RCPT", CLERK] = REPLY
        with open_stage(tmp_path, hop.port, script) as gateway:
            played(gateway, script, hop, form)
            queue_id = gateway.cli_json("held", "list")[0]["queue_id"]
            shown = [
                gateway.cli(*words.format(id=queue_id).split(), "--config", str(gateway.config)).stdout
                for words in VERBS
            ]
            exported = gateway.cli("log", "export", "--format", "csv", "--config", str(gateway.config)).stdout
            gateway.stop()
            log = gateway.log_text.split("\n")
        assert hop.faults == []
        for notice in (mail.octets for mail in hop.arrived if OFFICE in mail.recipients):
            assert re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", notice) is None, "notices are ASCII"
    for text in [*shown, *log]:
        assert HARMFUL.search(text) is None, ascii(text)
    assert [line for line in log if "forged" in line and not line.startswith(("{", "20"))] == []
    if form == "json":
        assert all(isinstance(json.loads(line), dict) for line in log if line.startswith("{"))
    rows = list(csv.reader(io.StringIO(exported.removeprefix("\ufeff"))))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert HARMFUL.search(exported) is None


@pytest.mark.parametrize("character", EVIL)
def test_an_escape_in_json_means_the_same_character(character: str) -> None:
    if ord(character) > 0x1F:  # json.dumps has escaped the others before
        assert json.loads(escaped(json.dumps(character, ensure_ascii=False))) == character
    assert escaped(character).isprintable()


def test_everyday_japanese_is_not_escaped() -> None:
    assert escaped("申込書 (令和8年度).pdf 髙橋様 ①") == "申込書 (令和8年度).pdf 髙橋様 ①"


def test_the_attack_on_the_log_has_its_dialogue() -> None:
    assert (FOLDER / "30-log-injection.dlg").is_file()
