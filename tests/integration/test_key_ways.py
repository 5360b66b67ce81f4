"""The real process: a mail whose key has no way waits whatever an administrator presses, and leaves once there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.protect.opening import opener
from tests.integration.test_attachments import INSIDE, OFFICE, OUTSIDE, POLICY, not_in_clear
from tests.integration.test_main_job import submit
from tests.process import Gateway, NextHop, gateway, next_hop, wait_for
from tests.sealing.making import mail_with, parts_of


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port) as running:
        wanted = "{protect: zip-aes256, password_by: [preagreed]}"
        policy = POLICY.replace("PROTECTION", wanted)
        running.stop()
        (running.folder / "policies" / "default.yaml").write_text(policy, encoding="utf-8")
        running.start()
        yield running


def run(gw: Gateway, *arguments: str) -> tuple[int, str]:
    done = gw.cli(*arguments, "--config", str(gw.config), check=False)
    return done.returncode, done.stdout + done.stderr


def states(gw: Gateway, queue_id: str) -> dict[str, str]:
    _, said = run(gw, "held", "show", queue_id, "--json")
    return {each["address"]: each["state"] for each in json.loads(said)["recipients"]}


def test_a_mail_without_a_way_waits_and_one_with_an_agreed_key_leaves(gw: Gateway, hop: NextHop) -> None:
    waiting = submit(gw, [INSIDE, OUTSIDE], mail_with())
    wait_for(lambda: states(gw, waiting)[INSIDE] == "delivered", "the colleague's copy")
    wait_for(lambda: OFFICE in hop.recipients(), "the notice to the sender")
    code, said = run(gw, "held", "release", waiting)
    assert (code, "nobody can waive" in said) == (1, True)
    assert "how the key gets there" in run(gw, "held", "show", waiting)[1]
    assert states(gw, waiting)[OUTSIDE] == "held"

    code, key = run(gw, "secret", "set", "@example.com", "--generate")
    assert code == 0
    key = key.splitlines()[0]
    leaving = submit(gw, [OUTSIDE], mail_with())
    wait_for(lambda: states(gw, leaving)[OUTSIDE] == "delivered", "the mail with an agreed key")
    (taken,) = [mail for mail in hop.taken if OUTSIDE in mail.recipients]
    not_in_clear(taken)
    ((name, octets),) = parts_of(taken.raw).items()
    opens = opener(name, octets)
    assert opens is not None
    assert opens(key)
    assert not opens(key + "x")

    assert run(gw, "held", "cancel", waiting)[0] == 1  # the colleague has it
    assert states(gw, waiting)[OUTSIDE] == "cancelled"
    told = json.loads(run(gw, "held", "show", waiting, "--json")[1])["keys"]
    assert [each["stage"] for each in told.values()] == ["stopped"]
    everything = gw.log_text + run(gw, "log", "query", "--json")[1] + run(gw, "secret", "list", "--json")[1]
    assert key not in everything
    assert all(key.encode() not in mail.raw for mail in hop.taken)
    assert run(gw, "log", "verify")[0] == 0
