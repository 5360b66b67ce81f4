"""Copies begun behind each other, taken by a real Postfix that hangs up on whoever speaks out of turn."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.delivery.courier import Courier
from gateway.delivery.hop import Hop
from gateway.delivery.pool import Pool
from gateway.delivery.route import Router
from gateway.delivery.session import Opener
from gateway.delivery.timeouts import Timeouts
from tests.delivery.conftest import NoDns
from tests.delivery.lane import send_all
from tests.interop.conftest import missing
from tests.peers.postfix import available, postfix
from tests.process import wait_for

STRICT = {
    "smtpd_forbid_unauth_pipelining": "yes",
    "smtpd_data_restrictions": "reject_unauth_pipelining",
    "smtpd_end_of_data_restrictions": "reject_unauth_pipelining",
    "default_transport": "discard:",
    "relay_transport": "discard:",
}


async def test_postfix_takes_what_is_said_ahead() -> None:
    if not available():
        missing("Postfix is not installed, or this is not root")
    with TemporaryDirectory() as folder, postfix(Path(folder), STRICT) as mta:
        hop = Hop("127.0.0.1", mta.port, tls="off")
        pool = Pool(Opener("gw.example.jp", Timeouts()), 5, 20)
        courier = Courier(pool, Router("gw.example.jp", NoDns(), hop, lambda hosts: None), Timeouts())
        states = await send_all(courier, hop, 30)
        await pool.close()
        assert states == ["delivered"] * 30
        wait_for(lambda: "disconnect from" in mta.log, "the end of the session in Postfix's log", 10)
        assert re.search(r"disconnect from \S+ ehlo=1 mail=30 rcpt=30 data=30 quit=1", mta.log)
        assert "pipelining" not in mta.log
