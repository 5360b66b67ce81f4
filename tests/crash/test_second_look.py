"""kill -9 around the commit that gives, or ends, what a mail waits for: it leaves once approved, and never before."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.crash.test_every_step import start_with_fuse
from tests.integration.test_main_job import submit
from tests.integration.test_second_look import (
    CHIEF,
    CITIZEN,
    DEPUTY,
    RULE,
    arrived,
    notice_to,
    page_of,
    press,
    states,
)
from tests.process import Gateway, mail, next_hop, wait_for


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_killed_while_somebody_decides(verb: str, when: str, tmp_path: Path) -> None:
    with next_hop() as hop:
        gw = Gateway(tmp_path, hop.port, window="1s")
        gw.write()
        policy = tmp_path / "policies" / "default.yaml"
        policy.write_text(policy.read_text() + RULE.format(then=f"{{approve: [{CHIEF}, {DEPUTY}]}}"))
        process = start_with_fuse(gw, f"commit consents.{verb} {when}")
        try:
            queue_id = submit(gw, [CITIZEN], mail([CITIZEN], "ご案内"))
            page = page_of(notice_to(hop, CHIEF, "approval"))
            with pytest.raises(OSError, match=r"."):
                press(gw, page, verb, ("comment", "宛先が違います"))
            assert process.wait(30) == -signal.SIGKILL, gw.log_text
            gw.start()
            if when == "before":
                assert states(gw, queue_id) == ["held"]
                assert not arrived(hop)
                press(gw, page, verb, ("comment", "宛先が違います"))
            if verb == "approve":
                wait_for(lambda: states(gw, queue_id) == ["delivered"], "the mail")
            else:
                assert states(gw, queue_id) == ["cancelled"]
            assert arrived(hop) == (verb == "approve")
            assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0
        finally:
            if gw.process is not None and gw.process.poll() is None:
                gw.stop()


def test_killed_while_time_decides(tmp_path: Path) -> None:
    with next_hop() as hop:
        gw = Gateway(tmp_path, hop.port, window="1s")
        gw.write()
        policy = tmp_path / "policies" / "default.yaml"
        then = f"{{approve: {{by: [{CHIEF}, {DEPUTY}], within: 3s, otherwise: release}}}}"
        policy.write_text(policy.read_text() + RULE.format(then=then))
        process = start_with_fuse(gw, "gateway.spool.deadlines:settle before")
        try:
            queue_id = submit(gw, [CITIZEN], mail([CITIZEN], "ご案内"))
            assert process.wait(30) == -signal.SIGKILL, gw.log_text
            assert not arrived(hop)
            gw.start()
            wait_for(lambda: states(gw, queue_id) == ["delivered"], "the mail")
        finally:
            if gw.process is not None and gw.process.poll() is None:
                gw.stop()
