"""Plays every attack file against the real process and compares what reaches the next hop, octet by octet.

Files with the same settings share a process and are played at the same time; each file has people of its own, so
that every octet at the next hop belongs to one file. What no file expects must not arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import pytest

from tests.attacks.hop import Arrived, RecordingHop, recording_hop
from tests.attacks.octets import shows
from tests.attacks.script import FOLDER, Script, Wanted, read, take
from tests.attacks.stage import Player, open_stage
from tests.process import Gateway, wait_for

SCRIPTS = {path.stem: read(path) for path in sorted(FOLDER.glob("*.dlg"))}
AT_ONCE = 8
INSIDE = ("sports.example.jp", "city.example.lg.jp")
_SENDER = re.compile(r"^MAIL FROM: ?<([^<>]*)>", re.IGNORECASE)


@dataclass
class Theatre:
    """All stages, all files played, and everything that arrived."""

    hop: RecordingHop
    gateways: list[Gateway]
    played: dict[str, Future[None]]


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    gateways: dict[str, Gateway] = {}
    with ExitStack() as stack:
        hop = stack.enter_context(recording_hop())
        for script in SCRIPTS.values():
            hop.scripts.update(script.hop)
            if script.stage not in gateways:
                folder = tmp_path_factory.mktemp("stage")
                gateways[script.stage] = stack.enter_context(open_stage(folder, hop.port, script))
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        slow_first = sorted(SCRIPTS.values(), key=lambda script: script.stage)
        played = {
            script.name: pool.submit(Player(gateways[script.stage].smtp_port).play, script)
            for script in slow_first
        }
        yield Theatre(hop, list(gateways.values()), played)


@pytest.mark.parametrize("name", SCRIPTS)
def test_dialogue(name: str, theatre: Theatre) -> None:
    theatre.played[name].result(timeout=120)
    for wanted in SCRIPTS[name].wanted:
        arrived = wait_for(partial(_for, theatre, wanted), f"a mail to {set(wanted.recipients)}")
        got = arrived.written
        if wanted.pattern().fullmatch(got) is None:
            expected = "\n".join("| " + line for line in wanted.written())
            pytest.fail(f"wanted\n{expected}\ngot\n{_readable(got)}")


def _for(theatre: Theatre, wanted: Wanted) -> Arrived | None:
    return next((m for m in list(theatre.hop.arrived) if frozenset(m.recipients) == wanted.recipients), None)


def _readable(octets: bytes) -> str:
    lines = octets.removesuffix(b"\r\n").split(b"\r\n")
    return "\n".join("| " + line.decode("ascii", "backslashreplace") for line in lines)


@pytest.fixture(scope="module")
def finished(theatre: Theatre) -> Theatre:
    """Everything was played and what was expected has arrived, or failed to."""
    for future in theatre.played.values():
        future.exception(timeout=120)
    return theatre


def test_every_octet_on_the_way_out_was_clean(finished: Theatre) -> None:
    assert finished.hop.faults == []


def test_nothing_arrived_that_no_file_expects(finished: Theatre) -> None:
    wanted = {w.recipients for script in SCRIPTS.values() for w in script.wanted}
    senders = {
        found[1]
        for script in SCRIPTS.values()
        for kind, text in script.steps
        if kind.startswith("C") and (found := _SENDER.match(text))
    }
    for mail in finished.hop.arrived:
        notice = mail.sender == "" and set(mail.recipients) <= senders
        assert notice or frozenset(mail.recipients) in wanted, mail
    seen = [
        frozenset(mail.recipients) for mail in finished.hop.arrived if frozenset(mail.recipients) in wanted
    ]
    assert len(seen) == len(set(seen)), "each copy arrives once"


@pytest.mark.parametrize("name", [name for name, script in SCRIPTS.items() if script.hidden])
def test_no_hidden_address_reaches_anybody_outside(name: str, finished: Theatre) -> None:
    for mail in finished.hop.arrived:
        if all(recipient.endswith(INSIDE) for recipient in mail.recipients):
            continue
        for address in SCRIPTS[name].hidden:
            assert not shows(mail.octets, address), f"{address} reaches {mail.recipients}"


def test_the_processes_saw_no_error_of_their_own(finished: Theatre) -> None:
    for gateway in finished.gateways:
        assert "Traceback" not in gateway.log_text
        assert "smtp_error" not in gateway.log_text


def test_every_file_says_which_attack_it_is() -> None:
    assert len(SCRIPTS) > 70
    assert [script.name for script in SCRIPTS.values() if len(script.attack) < 20] == []


def test_a_script_that_is_not_understood_is_an_error() -> None:
    with pytest.raises(AssertionError):
        take(Script("x"), "Q: what")
