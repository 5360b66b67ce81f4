"""A burst of held mails on the real process: few letters, each mail told of exactly once, also over a kill -9."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.integration.test_main_job import OFFICE, submit
from tests.process import Gateway, NextHop, gateway, mail, next_hop, wait_for

MAILS = 6


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    """Holds for a minute: letters go after ten seconds, in which the test has time to do what it does."""
    with gateway(tmp_path, hop.port, window="60s") as running:
        running.stop()
        policy = running.folder / "policies" / "default.yaml"
        policy.write_text(policy.read_text().replace("hold: 60s", "hold: 60s, notify: [sender]"))
        running.start()
        yield running


def burst(gw: Gateway) -> list[str]:
    """Send single mails one after another, as a mail merge does; return their queue ids."""
    return [
        submit(gw, [f"citizen{number}@example.com"], mail([f"citizen{number}@example.com"], f"no {number}"))
        for number in range(MAILS)
    ]


def told(hop: NextHop) -> dict[str, str]:
    """Return Message-ID -> text of each notice that arrived; one that came twice (at least once) is one."""
    notices = [message_from_bytes(taken.raw) for taken in hop.taken if OFFICE in taken.recipients]
    texts = {}
    for notice in notices:
        octets = notice.get_payload(0).get_payload(decode=True)  # type: ignore[union-attr]
        assert isinstance(octets, bytes)
        texts[notice["Message-ID"]] = octets.decode()
    return texts


def all_told(hop: NextHop, held: list[str]) -> list[str]:
    """Wait until each mail stands in a notice; return the notices' texts."""
    wait_for(lambda: all(queue_id in "".join(told(hop).values()) for queue_id in held), "the notices")
    return list(told(hop).values())


def test_a_burst_is_told_of_in_letters_with_a_link_for_each_mail(gw: Gateway, hop: NextHop) -> None:
    held = burst(gw)
    gw.cli("held", "cancel", held[2], "--config", str(gw.config))
    left = [queue_id for queue_id in held if queue_id != held[2]]
    texts = [text for text in all_told(hop, left) if not re.search("取り消しました", text)]
    assert len(texts) < len(left)
    for number, queue_id in enumerate(held):
        if queue_id == held[2]:
            continue
        (text,) = [text for text in texts if queue_id in text]
        pages = [
            gw.get(path) for path in re.findall(rf"http://127\.0\.0\.1:{gw.web_port}(/m/[\w.~-]+)", text)
        ]
        assert {status for status, _ in pages} == {200}
        assert sum(f"citizen{number}@example.com" in page for _, page in pages) == 1
    assert all(held[2] not in text for text in texts[1:]), "cancelled before the letter was written"


def test_each_mail_s_timeline_names_the_letter(gw: Gateway, hop: NextHop) -> None:
    held = burst(gw)
    all_told(hop, held)
    letters = []
    for queue_id in held:
        said = gw.cli(
            "log", "query", "--queue-id", queue_id, "--kind", "notice", "--json", "--config", str(gw.config)
        )
        (event,) = [json.loads(line) for line in said.stdout.splitlines()]
        letters.append(event["detail"]["mail"])
    assert len(set(letters)) == len(told(hop)) < MAILS
    assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0


def test_a_kill_while_notices_are_collected_loses_none_and_doubles_none(gw: Gateway, hop: NextHop) -> None:
    held = burst(gw)
    wait_for(lambda: told(hop), "the first notice")
    gw.stop(signal.SIGKILL)
    gw.start()
    texts = all_told(hop, held)
    assert [sum(queue_id in text for text in texts) for queue_id in held] == [1] * MAILS
