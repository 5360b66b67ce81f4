"""It happened anyway, on the real process: the sender reports by the link, and those who have to know get letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.integration.test_main_job import OFFICE, submit
from tests.integration.test_second_look import notice_to
from tests.process import Gateway, NextHop, gateway, mail, next_hop, wait_for

OFFICER, WARD = "privacy@city.example.lg.jp", "sports-section@city.example.lg.jp"
CITIZENS = ["citizen1@example.com", "citizen2@example.com"]
SETTINGS = f"incidents: {{privacy_officer: [{OFFICER}]}}\n"
GROUP = f"""groups:
  sports:
    senders: ["@sports.example.jp"]
    report_to: [{WARD}]
"""
REPORT = {
    "what": "wrong-recipients",
    "recipient": "0",
    "known_time": "00:00",
    "persons": "",
    "data": "name",
    "description": "名簿を送りました",
}


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port, window="1s", extra=SETTINGS) as running:
        running.stop()
        policy = running.folder / "policies" / "default.yaml"
        told = policy.read_text().replace("hold: 1s", "hold: 1s, notify: [sender]")
        policy.write_text(told.replace("rules:\n", f"{GROUP}rules:\n", 1))
        running.start()
        yield running


def path_in(text: str, kind: str) -> str:
    """Return the path of the first link of a kind."""
    found = re.search(rf"http://127\.0\.0\.1:\d+(/{kind}/[\w.~-]+)", text)
    assert found, text
    return found[1]


def post(gw: Gateway, path: str, page: str, fields: dict[str, str]) -> str:
    """Press the button of a page; return the page that answers."""
    seal = re.search(r'name="seal" value="([^"]+)"', page)
    assert seal
    octets = urlencode({"seal": seal[1], **fields}).encode()
    with urlopen(Request(f"http://127.0.0.1:{gw.web_port}{path}", octets), timeout=20) as answer:
        return str(answer.read().decode())


def test_from_the_notice_to_the_letters(gw: Gateway, hop: NextHop) -> None:
    queue_id = submit(gw, CITIZENS, mail(CITIZENS, "meibo"))
    own = path_in(notice_to(hop, OFFICE, "hold"), "m")
    wait_for(lambda: set(CITIZENS) <= set(hop.recipients()), "the mail at the citizens")
    wait_for(lambda: "/i/" in gw.get(own)[1], "the way to report it")
    report = path_in(gw.get(own)[1], "i")
    _, page = gw.get(report)
    assert OFFICER in page
    assert WARD in page
    day = re.search(r'name="known_day" type="date" value="([0-9-]+)"', page)
    assert day
    said = post(gw, report, page, {**REPORT, "known_day": day[1]})
    assert "このメールは誤送信として報告されています" in said
    assert "すべて届いています" in said
    for to in (OFFICER, WARD):
        letter = notice_to(hop, to, "incident")
        assert "名簿を送りました" in letter
        assert "本人の数がまだわからないため" in letter
    (line,) = gw.cli_json("incident", "list")
    assert (line["queue_id"], line["open"], line["asked"]) == (queue_id, True, 0)
    draft = gw.folder / "draft.docx"
    gw.cli("incident", "report", queue_id, str(draft), "--config", str(gw.config))
    assert draft.read_bytes().startswith(b"PK")
    assert not [taken for taken in hop.taken if CITIZENS[1] in taken.recipients and not taken.sender]
    assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0
