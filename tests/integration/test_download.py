"""A file behind a link through the real process: it leaves the mail, is fetched with a mailed code, and is taken back.

The letter with the code, the events, the verbs of the command line: everything is the gateway's own.
"""

from __future__ import annotations

import json
import re
import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import httpx
import pytest

from tests.console.browser import read
from tests.process import Gateway, NextHop, Taken, gateway, next_hop, wait_for

OFFICE, ANA, BEN = "office@sports.example.jp", "ana@example.com", "ben@example.net"
POLICY = """\
version: 1
organisation:
  name: test
  internal: [sports.example.jp]
rules:
  - id: links
    reason: files wait behind a link
    when: {external: {at_least: 1}}
    then: {attachments: {protect: link, downloads: 1}}
"""
LIST = "氏名,電話\r\n山田,000\r\n".encode() * 1_000
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


@pytest.fixture(scope="module")
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture(scope="module")
def gw(hop: NextHop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("links")
    with gateway(folder, hop.port) as running:
        (folder / "policies" / "default.yaml").write_text(POLICY, encoding="utf-8")
        running.stop()
        running.start()
        yield running


def with_file(subject: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = OFFICE, f"{ANA}, {BEN}", subject
    mail["Message-ID"] = f"<{subject}@sports.example.jp>"
    mail.set_content("The list is attached.\n")
    mail.add_attachment(LIST, maintype="text", subtype="csv", filename="名簿 2026.csv")
    return mail.as_bytes(policy=default.clone(linesep="\r\n"))


def words(taken: Taken) -> str:
    parsed = message_from_bytes(taken.raw, _class=EmailMessage, policy=default)
    part = parsed.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def send(gw: Gateway, hop: NextHop, subject: str) -> dict[str, str]:
    """Send a mail with a file to two people; return the link that each of them got."""
    before = len(hop.taken)
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=60) as client:
        client.sendmail(OFFICE, [ANA, BEN], with_file(subject))
    wait_for(lambda: len(mails(hop, before)) == 2, "both to get the mail")
    links = {}
    for person, taken in mails(hop, before).items():
        assert "山田".encode() not in taken.raw
        found = re.search(rf"http://127\.0\.0\.1:{gw.web_port}/d/[\w.~-]+", words(taken))
        assert found
        links[person] = found[0]
    assert links[ANA] != links[BEN]
    return links


def mails(hop: NextHop, before: int) -> dict[str, Taken]:
    return {each: mail for mail in hop.taken[before:] for each in mail.recipients if each != OFFICE}


def prove(client: httpx.Client, hop: NextHop, link: str, person: str) -> httpx.Response:
    """Ask for a code, read the letter, enter the code; return the page with the files."""
    before = len(hop.taken)
    fields = read(client.get(link)).fields
    assert client.post(f"{link}/code", data=fields, headers=OWN).status_code == 303
    letter = wait_for(lambda: mails(hop, before).get(person), "the letter")
    assert b"Auto-Submitted: auto-generated" in letter.raw
    assert letter.sender == ""
    text = words(letter)
    code = re.search(r"(?m)^(\d{8})\s*$", text)
    assert code
    assert "確認コード" in text
    assert "fetching" in text
    assert not [secret for secret in ("名簿", "csv", "/d/", link) if secret in text]
    answer = client.post(f"{link}/open", data={**fields, "code": code[1]}, headers=OWN)
    assert answer.status_code == 303
    return client.get(str(httpx.URL(link).join(answer.headers["location"])))


def file_of(page: httpx.Response, link: str) -> str:
    (href,) = [
        attrs["href"] for tag, attrs in read(page).tags if tag == "a" and "/f/" in attrs.get("href", "")
    ]
    return str(httpx.URL(link).join(href))


def test_a_file_is_fetched_once_and_then_taken_back(gw: Gateway, hop: NextHop, tmp_path: Path) -> None:
    links = send(gw, hop, "list")
    with httpx.Client(trust_env=False) as ana:
        url = file_of(prove(ana, hop, links[ANA], ANA), links[ANA])
        fetched = ana.get(url)
        assert (fetched.status_code, fetched.content) == (200, LIST)
        assert "%E5%90%8D%E7%B0%BF%202026.csv" in fetched.headers["content-disposition"]
        assert ana.get(url).status_code == 303
        with httpx.Client(trust_env=False) as ben:
            assert ben.get(links[BEN]).status_code == 200
            assert ben.get(url).status_code != 200
    (event,) = _lines(gw, "share-fetched")
    queue_id = event["queue_id"]
    told = gw.cli("held", "take-back", queue_id, "--config", str(gw.config), "--json", check=False)
    assert told.returncode == 1
    assert f'"locked": ["{BEN}"]' in told.stdout
    assert f'"address": "{ANA}"' in told.stdout
    assert httpx.get(links[BEN], trust_env=False).status_code == 404
    said = gw.cli("log", "statement", queue_id, "--config", str(gw.config))
    assert f"{BEN}: not opened, nothing fetched" in said.stdout
    assert f"{ANA}: opened" in said.stdout
    assert "whole" in said.stdout
    assert "1 of 2 recipients opened or fetched them" in said.stdout


def test_nobody_opened_it_can_be_said(gw: Gateway, hop: NextHop) -> None:
    send(gw, hop, "untouched")
    queue_id = _lines(gw, "accepted", "untouched")[-1]["queue_id"]
    taken = gw.cli("held", "take-back", queue_id, "--recipient", ANA, "--config", str(gw.config))
    assert taken.stdout == f"{ANA}: it left with a link that nobody opened, and nobody can open it now\n"
    made = gw.cli_json("log", "statement", queue_id)
    assert (made["nobody_opened"], made["proof"]["intact"], made["proof"]["sealed"]) == (True, True, True)
    assert [bool(each["ended_at"]) for each in made["recipients"]] == [True, False]
    assert (
        gw.cli("log", "statement", "5Q00000000000000", "--config", str(gw.config), check=False).returncode
        == 1
    )


def _lines(gw: Gateway, kind: str, subject: str = "") -> list[dict[str, str]]:
    chosen = ["--kind", kind, *(["--subject", subject] if subject else [])]
    done = gw.cli("log", "query", *chosen, "--config", str(gw.config), "--json")
    found: list[dict[str, str]] = [json.loads(line) for line in done.stdout.splitlines()]
    return found
