"""`sekisho policy explain` against the real process: what it says a recipient gets is what the next hop receives."""

from __future__ import annotations

import json
import re
import smtplib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.process import Gateway, NextHop, Taken, gateway, next_hop, wait_for

SENDER = "office@sports.example.jp"
CLERK = "clerk@city.example.lg.jp"
CIRCLE = ["chair@example.com", "secretary@example.net"]
STRANGERS = ["ana@example.com", "parent@example.org"]
EVERYBODY = [CLERK, *CIRCLE, *STRANGERS]

POLICY = """\
version: 1
organisation:
  name: test
  internal: [city.example.lg.jp, sports.example.jp]
circles:
  committee: [chair@example.com, secretary@example.net]
rules:
  - id: hide-recipients
    reason: several outside
    when: {visible_external: {at_least: 2}}
    then: {recipients: {form: bcc, internal: keep}}
  - id: a-copy-each
    reason: parents
    when: {recipient: example.org}
    then: {recipients: {form: individual, for: matching}}
  - id: window
    reason: outside
    when: {external: {at_least: 1}}
    then: {hold: 5s}
  - id: firm
    reason: firm for one
    when: {recipient: example.org}
    then: {hold: {window: 6s, for: matching, waive: nobody}}
  - id: mark
    reason: marked
    when: {subject: {contains: [notice, お知らせ]}}
    then: {tag: {X-Classification: open}}
"""

PEOPLE = ", ".join(EVERYBODY)
MAILS = {
    "ascii": (
        f"From: Office <{SENDER}>\r\nTo: {PEOPLE}\r\nBcc: {STRANGERS[1]}\r\nSubject: notice\r\n"
        f"X-Classification: forged\r\nReply-To: {CIRCLE[0]}\r\n\r\nhello\r\n"
    ).encode(),
    "japanese": (
        f"From: =?iso-2022-jp?B?GyRCO3ZMMzZJGyhC?= <{SENDER}>\r\nTo: {PEOPLE}\r\n"
        "Subject: =?utf-8?B?44GK55+l44KJ44Gb?=\r\nDate: Sat, 21 Nov 2026 10:00:00 +0900\r\n\r\n"
    ).encode()
    + "本文\r\n".encode("iso2022_jp"),
    "8bit": (
        f"From: 事務局 <{SENDER}>\r\nTo: {PEOPLE.replace(', ', '; ')}\r\nSubject: {STRANGERS[0]} さんへ\r\n"
        "Message-ID: <8bit@sports.example.jp>\r\n\r\n本文\r\n"
    ).encode(),
    "lf": f"From: {SENDER}\nTo: {CIRCLE[0]},\n {CIRCLE[1]}\nCc: {PEOPLE}\nSubject: notice\n\nhello\n".encode(),
}
OURS = re.compile(rb"(?m)^(?:Received: from .*\r\n(?:\t.*\r\n)+|Date: .*\r\n|Message-ID: .*\r\n)")


@pytest.fixture(scope="module")
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture(scope="module")
def gw(hop: NextHop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("explained"), hop.port) as running:
        running.stop()
        (running.folder / "policies" / "default.yaml").write_text(POLICY, encoding="utf-8")
        running.start()
        yield running


@pytest.fixture(scope="module")
def submitted(gw: Gateway) -> dict[str, tuple[str, dict[str, bool]]]:
    """Submit all mails, so that their windows run at once; for each its queue id, and who was held."""
    told = {}
    for name, raw in MAILS.items():
        queue_id = submit(gw, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        told[name] = queue_id, windows(gw.cli_json("held", "show", queue_id))
    return told


@pytest.mark.parametrize("name", MAILS)
def test_what_is_explained_is_what_happens(
    gw: Gateway, hop: NextHop, submitted: dict[str, tuple[str, dict[str, bool]]], name: str
) -> None:
    explained = explain(gw, MAILS[name], name)
    queue_id, waited = submitted[name]
    wait_for(
        lambda: set(EVERYBODY) <= {who for mail in of(hop, queue_id) for who in mail.recipients}, "copies"
    )
    for one in explained["recipients"]:
        (taken,) = [mail for mail in of(hop, queue_id) if one["address"] in mail.recipients]
        header = one["header"].encode()
        assert without_ours(taken.header + b"\r\n") == without_ours(header)
        assert names(taken.header) == names(header), "what we add stands in the same places"
        assert waited[one["address"]] == one["held"]
        assert (one["form"] == "individual") <= (taken.recipients == (one["address"],))
        if one["form"] == "bcc":
            shown = set(CIRCLE) if one["address"] in CIRCLE else set()
            assert set(one["sees"]) == shown
    assert {one["address"]: one["form"] for one in explained["recipients"]} == {
        CLERK: "original",
        **dict.fromkeys((*CIRCLE, STRANGERS[0]), "bcc"),
        STRANGERS[1]: "individual",
    }


def test_the_explained_windows_are_those_of_the_rules(gw: Gateway) -> None:
    explained = explain(gw, MAILS["ascii"], "windows")
    times = {one["address"]: one for one in explained["recipients"]}
    begin = datetime.fromisoformat(times[CLERK]["leaves_at"])
    seconds = {
        who: (datetime.fromisoformat(one["leaves_at"]) - begin).total_seconds() for who, one in times.items()
    }
    assert seconds == {CLERK: 0, **dict.fromkeys((*CIRCLE, STRANGERS[0]), 5), STRANGERS[1]: 6}
    assert times[STRANGERS[1]]["firm_until"] == times[STRANGERS[1]]["leaves_at"]
    assert times[CIRCLE[0]]["firm_until"] is None


def explain(gw: Gateway, raw: bytes, name: str) -> Any:
    """Run the command on a file that a person saved."""
    mail = gw.folder / f"{name}.eml"
    mail.write_bytes(raw)
    to = [argument for who in EVERYBODY for argument in ("--to", who)]
    policies = str(gw.folder / "policies")
    done = gw.cli("policy", "explain", str(mail), "--from", SENDER, *to, "--policies", policies, "--json")
    return json.loads(done.stdout)


def submit(gw: Gateway, raw: bytes) -> str:
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.ehlo("client.example")
        client.mail(SENDER, ["BODY=8BITMIME"])
        for recipient in EVERYBODY:
            assert client.rcpt(recipient)[0] == 250
        code, text = client.data(raw)
    assert code == 250, text
    found = re.search(rb"\b([0-9A-Z]{10,})\b", text)
    assert found, text
    return found[1].decode()


def windows(shown: Any) -> dict[str, bool]:
    """Return for each recipient whether they are held, or were."""
    return {one["address"]: one["due_at"] is not None for one in shown["recipients"]}


def of(hop: NextHop, queue_id: str) -> list[Taken]:
    """Return what arrived of one mail."""
    return [mail for mail in list(hop.taken) if queue_id.encode() in mail.header]


def without_ours(header: bytes) -> bytes:
    """Leave out what holds the time or the queue id; the mails have none of their own, or the same in both."""
    return OURS.sub(b"", header)


def names(header: bytes) -> list[bytes]:
    return re.findall(rb"(?m)^([!-9;-~]+)[ \t]*:", header)
