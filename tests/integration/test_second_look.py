"""A second look, end to end on the real process: held, asked by mail, decided by a link, and what time does."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.integration.test_main_job import OFFICE, submit
from tests.process import Gateway, NextHop, Taken, gateway, mail, next_hop, wait_for

CHIEF, DEPUTY, CITIZEN = "chief@sports.example.jp", "deputy@sports.example.jp", "citizen@example.com"
RULE = """  - id: second-look
    reason: {{ja: 外部宛てです, en: it goes outside}}
    when: {{external: {{at_least: 1}}}}
    then: {then}
"""


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port, window="1s") as running:
        yield running


def demand(gw: Gateway, then: str) -> None:
    """Start anew with one more rule."""
    gw.stop()
    policy = gw.folder / "policies" / "default.yaml"
    policy.write_text(policy.read_text() + RULE.format(then=then))
    gw.start()


def notice_to(hop: NextHop, person: str, kind: str) -> str:
    """Wait for a notice and return its text."""

    def found() -> list[Taken]:
        return [
            taken
            for taken in hop.taken
            if person in taken.recipients and f"X-Sekisho-Notice: {kind};".encode() in taken.raw
        ]

    wait_for(found, f"a notice {kind} to {person}")
    part = message_from_bytes(found()[0].raw).get_payload(0)
    octets = part.get_payload(decode=True)  # type: ignore[union-attr]
    assert isinstance(octets, bytes)
    return octets.decode()


def page_of(text: str) -> str:
    """Return the path of the page that a notice leads to."""
    found = re.search(r"http://127\.0\.0\.1:\d+(/[am]/[\w.~-]+)", text)
    assert found is not None
    return found[1]


def press(gw: Gateway, page: str, verb: str, *fields: tuple[str, str]) -> str:
    """Post the page's form as a browser does; return the page that answers."""
    status, html = gw.get(page)
    assert status == 200
    seal = re.search(r'name="seal" value="([^"]+)"', html)
    assert seal is not None
    body = urllib.parse.urlencode([("seal", seal[1]), *fields]).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{gw.web_port}{page}/{verb}", body)
    with urllib.request.urlopen(request) as answer:
        return str(answer.read().decode())


def states(gw: Gateway, queue_id: str) -> list[str]:
    shown = gw.cli_json("held", "show", queue_id, "--json", "--config", str(gw.config))
    return [row["state"] for row in shown["recipients"]]


def arrived(hop: NextHop) -> bool:
    return any(CITIZEN in taken.recipients for taken in hop.taken)


def test_approved_by_a_link_it_leaves(gw: Gateway, hop: NextHop) -> None:
    demand(gw, f"{{approve: [{CHIEF}, {OFFICE}]}}")
    queue_id = submit(gw, [CITIZEN], mail([CITIZEN], "ご案内"))
    text = notice_to(hop, CHIEF, "approval")
    assert "ご案内" in text
    assert CITIZEN in text
    page = page_of(text)
    assert gw.get(page)[0] == 200  # a scanner that opens the link
    assert states(gw, queue_id) == ["held"]
    assert not [taken for taken in hop.taken if OFFICE in taken.recipients], "nobody approves their own mail"
    release = gw.cli("held", "release", queue_id, "--config", str(gw.config), check=False)
    assert (release.returncode, "nobody can waive" in release.stdout) == (1, True)
    own = gw.cli("held", "approve", queue_id, "--as", OFFICE, "--config", str(gw.config), check=False)
    assert (own.returncode, "nobody approves a mail of their own" in own.stdout) == (1, True)
    assert states(gw, queue_id) == ["held"]
    assert "承認しました" in press(gw, page, "approve", ("comment", "確認しました"))
    wait_for(lambda: arrived(hop), "the mail")
    assert "確認しました" in notice_to(hop, OFFICE, "approved")
    assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0


def test_rejected_it_does_not_leave_and_the_sender_hears_why(gw: Gateway, hop: NextHop) -> None:
    demand(gw, f"{{approve: [{CHIEF}, {DEPUTY}]}}")
    queue_id = submit(gw, [CITIZEN], mail([CITIZEN], "ご案内"))
    page = page_of(notice_to(hop, DEPUTY, "approval"))
    assert "差し戻しました" in press(gw, page, "reject", ("comment", "宛先が違います"))
    assert "宛先が違います" in notice_to(hop, OFFICE, "rejected")
    assert states(gw, queue_id) == ["cancelled"]
    late = gw.cli("held", "approve", queue_id, "--as", CHIEF, "--config", str(gw.config), check=False)
    assert (late.returncode, "too late" in late.stdout) == (1, True)
    assert not arrived(hop)


def test_the_approver_is_on_holiday_and_the_proxy_approves(gw: Gateway, hop: NextHop) -> None:
    """The chief is away: their proxy of the step behind is asked at once, sees it on the page, and approves in two taps."""
    demand(gw, f"{{approve: {{by: {CHIEF}, within: 4h, remind: 1h, escalate: {{to: {DEPUTY}, after: 2h}}}}}}")
    config = ("--config", str(gw.config))
    until = (datetime.now().astimezone() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    gw.cli("held", "away", CHIEF, "--until", until, "--note", "出張", *config)
    queue_id = submit(gw, [CITIZEN], mail([CITIZEN], "ご案内"))
    request = notice_to(hop, DEPUTY, "approval")
    assert f"{CHIEF} は" in request
    assert "まで不在です。 出張" in request
    assert f"away: {CHIEF} until" in gw.cli("held", "show", queue_id, *config).stdout
    page = page_of(request)
    shown = gw.get(page)[1]
    assert "まで不在です。 出張" in shown
    assert "決まらない場合は取り消され、送信者に知らせます。" in shown
    assert states(gw, queue_id) == ["held"]  # a page that was opened decides nothing
    assert "承認しました" in press(gw, page, "approve", ("comment", ""))
    wait_for(lambda: arrived(hop), "the mail")
    assert DEPUTY in notice_to(hop, OFFICE, "approved")
    told = gw.cli("log", "export", "--format", "jsonl", *config).stdout
    assert '"all-away"' in told
    assert gw.cli("log", "verify", *config).returncode == 0


@pytest.mark.parametrize(("otherwise", "state"), [("cancel", "cancelled"), ("release", "delivered")])
def test_nobody_decides(gw: Gateway, hop: NextHop, otherwise: str, state: str) -> None:
    escalation = f"{{to: {DEPUTY}, after: 1s}}"
    demand(gw, f"{{approve: {{by: {CHIEF}, within: 4s, otherwise: {otherwise}, escalate: {escalation}}}}}")
    queue_id = submit(gw, [CITIZEN], mail([CITIZEN], "ご案内"))
    assert "まだ承認も差し戻しもされていない" in notice_to(hop, DEPUTY, "approval")
    wait_for(lambda: states(gw, queue_id) == [state], "its end")
    assert arrived(hop) == (otherwise == "release")
    notice_to(hop, OFFICE, "timed-out")
    said = gw.cli("log", "query", "--queue-id", queue_id, "--json", "--config", str(gw.config)).stdout
    told = {(event["kind"], event["reason"]) for event in map(json.loads, said.splitlines())}
    assert ("escalated", "nobody-yet") in told


def test_the_sender_ticks_and_who_is_not_ticked_stays(gw: Gateway, hop: NextHop) -> None:
    demand(gw, "{confirm: both, notify: sender}")
    other = "wrong@example.net"
    queue_id = submit(gw, [CITIZEN, other], mail([CITIZEN, other], "ご案内"))
    page = page_of(notice_to(hop, OFFICE, "hold"))
    assert states(gw, queue_id) == ["held", "held"]
    html = press(gw, page, "confirm", ("recipient", "0"))
    assert "1件の宛先は、まだ確認を待っています" in html
    wait_for(lambda: arrived(hop), "the mail to whom was ticked")
    assert states(gw, queue_id)[1] == "held"
    press(gw, page, "cancel", ("which", "all"))
    assert states(gw, queue_id)[1] == "cancelled"


def test_an_admin_acts_for_an_approver_who_is_absent(gw: Gateway, hop: NextHop) -> None:
    demand(gw, f"{{approve: [{CHIEF}, {DEPUTY}]}}")
    queue_id = submit(gw, [CITIZEN], mail([CITIZEN], "ご案内"))
    shown = gw.cli("held", "show", queue_id, "--config", str(gw.config)).stdout
    assert f"waits for 1 approval by {CHIEF}, {DEPUTY}" in shown
    words = ("--as", CHIEF, "--comment", "on the phone")
    gw.cli("held", "approve", queue_id, *words, "--config", str(gw.config))
    wait_for(lambda: arrived(hop), "the mail")
    said = gw.cli(
        "log", "query", "--queue-id", queue_id, "--kind", "approved", "--json", "--config", str(gw.config)
    )
    event = json.loads(said.stdout)
    assert (event["reason"], event["detail"]["person"]) == ("by-admin", CHIEF)


def test_one_link_does_not_open_the_other_page(gw: Gateway, hop: NextHop) -> None:
    demand(gw, f"{{approve: [{CHIEF}, {DEPUTY}], notify: sender}}")
    submit(gw, [CITIZEN], mail([CITIZEN], "ご案内"))
    asked = page_of(notice_to(hop, CHIEF, "approval"))
    held = page_of(notice_to(hop, OFFICE, "hold"))
    assert gw.get("/m/" + asked.removeprefix("/a/"))[0] == 404
    assert gw.get("/a/" + held.removeprefix("/m/"))[0] == 404


def test_a_copy_of_what_waits_is_seen_by_nobody_and_the_log_holds(gw: Gateway, hop: NextHop) -> None:
    """One recipient gets the mail at once, the other is rejected: the supervisor's copy follows the one who got it."""
    boss, colleague = "supervisor@city.example.lg.jp", "colleague@sports.example.jp"
    demand(gw, f"{{approve: {{by: [{CHIEF}, {OFFICE.replace('@', '+me@')}]}}, bcc_to: [{boss}]}}")
    queue_id = submit(gw, [CITIZEN, colleague], mail([CITIZEN, colleague], "copied"))
    wait_for(lambda: any(colleague in taken.recipients for taken in hop.taken), "the colleague's mail")
    request = notice_to(hop, CHIEF, "approval")
    press(gw, page_of(request), "reject", ("comment", "wrong class"))
    wait_for(lambda: any(boss in taken.recipients for taken in hop.taken), "the supervisor's copy")
    assert not arrived(hop)
    for taken in hop.taken:
        assert boss.encode() not in taken.raw
        assert boss not in taken.recipients or len(taken.recipients) == 1
    assert not any(OFFICE.replace("@", "+me@") in taken.recipients for taken in hop.taken)
    assert states(gw, queue_id) == ["cancelled", "delivered", "delivered"]
    assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0
