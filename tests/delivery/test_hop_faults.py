"""A table of next hops at fault: the verdict of each recipient, the copies the hop really took, and what is left.

After the fault the same courier delivers a second mail to the hop, which behaves by then: the fault must have
left no reply, no place, no socket and no task behind. `no-answer` is what the spool marks as "may have arrived".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.delivery.conftest import QUICK, connected, mail
from tests.delivery.next_hop import CLOSE, EXTENSIONS, HANG, NextHop

SHORT = replace(QUICK, greeting=0.15, command=0.15, data=0.15, block=0.3, final=0.15)
Script = Callable[[str, int], str | None]
STAGES = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "END")
PAIR = ("a@example.com", "b@example.com")


@dataclass(frozen=True)
class Fault:
    """What the hop does in its first transaction, and what must come of it."""

    name: str
    script: Script
    reasons: tuple[str, ...]
    copies: int = 0
    delay: float = 0.0


def first(stage: str, reply: str) -> Script:
    """Script: this reply to the first command of a stage, the usual ones after it."""
    return lambda line, number: reply if line.startswith(stage) and number == 0 else None


def both(state: str, reason: str) -> tuple[str, str]:
    return (f"{state} {reason}", f"{state} {reason}")


def at_each_stage(what: str, reply: str, before: str, after: str) -> list[Fault]:
    """Make one fault for each stage; a hop that begins to say 250 to the end of data has taken the mail."""
    return [
        Fault(
            f"{what} at {stage}",
            first(stage, reply),
            both("deferred", after if stage == "END" else before),
            copies=1 if stage == "END" and reply.startswith("250") else 0,
        )
        for stage in STAGES
    ]


FAULTS = [
    *at_each_stage("hangs", HANG, "no-connection", "no-answer"),
    *at_each_stage("closes", CLOSE, "no-connection", "no-answer"),
    *at_each_stage("garbage", "\x00\xff what is this", "no-connection", "no-answer"),
    *at_each_stage("endless line", "2" + "5" * 100_000, "no-connection", "no-answer"),
    *at_each_stage("endless lines", "250-more\r\n" * 200 + "250 done", "no-connection", "no-answer"),
    *at_each_stage("half a reply, then silence", "250-begun", "no-connection", "no-answer"),
    *at_each_stage("421", "421 4.3.2 going down", "remote-reply", "remote-reply"),
    Fault("takes it and answers late", lambda line, number: None, both("deferred", "no-answer"), 1, 0.4),
    Fault("451 to MAIL", first("MAIL", "451 4.3.0 later"), both("deferred", "remote-reply")),
    Fault("550 to MAIL", first("MAIL", "550 5.7.1 no"), both("bounced", "remote-reply")),
    Fault("554 to DATA", first("DATA", "554 5.5.1 no"), both("bounced", "remote-reply")),
    Fault("554 to the dot", first("END", "554 5.6.0 no"), both("bounced", "remote-reply")),
    Fault(
        "greylists one",
        first("RCPT", "450 4.2.0 grey-listed"),
        ("deferred remote-reply", "delivered remote-reply"),
        1,
    ),
    Fault(
        "refuses one",
        first("RCPT", "550 5.1.1 nobody"),
        ("bounced remote-reply", "delivered remote-reply"),
        1,
    ),
    Fault(
        "full after one",
        lambda line, number: "452 4.5.3 full" if line.startswith("RCPT") and number == 1 else None,
        both("delivered", "remote-reply"),
        2,
    ),
    Fault(
        "answers one twice and refuses the other",  # a reply too late, its refusal would count for the whole mail
        lambda line, number: (
            ("250 2.1.5 ok\r\n250 2.1.5 ok", "550 5.1.1 nobody")[number] if line.startswith("RCPT") else None
        ),
        both("deferred", "no-connection"),
    ),
    Fault("greets twice", first("GREETING", "220 hop\r\n250 hop"), both("deferred", "no-connection")),
    Fault(
        "250 and a goodbye in one breath",
        first("END", "250 ok\r\n421 bye"),
        both("delivered", "remote-reply"),
        1,
    ),
]


@pytest.mark.parametrize("extensions", [EXTENSIONS, EXTENSIONS[1:]], ids=["pipelined", "stop-and-wait"])
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_a_next_hop_at_fault(
    fault: Fault, extensions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.delivery.pool.REST", 0.0)
    hop = NextHop(fault.script, extensions, delay=fault.delay)
    async with connected(hop, timeouts=SHORT, per_host=1, total=1) as line:
        delivery = await line.send(mail(*PAIR))
        said = tuple(f"{verdict.state.value} {verdict.reason.value}" for verdict in delivery.verdicts)
        assert said == fault.reasons
        await asyncio.sleep(fault.delay)
        taken = [each for each in hop.taken if each.rcpt_to and each.data]
        assert len(taken) == fault.copies
        hop.script, hop.delay = lambda line, number: None, 0.0
        assert await line.states(mail("c@example.com", body=b"second\r\n")) == ["delivered"]
        assert hop.taken[-1].rcpt_to == ["<c@example.com>"]
        assert hop.taken[-1].content.endswith(b"second\r\n")
    await asyncio.sleep(0.05)
    assert line.pool._closing == set()
    assert [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_capabilities_are_those_of_the_connection_at_hand() -> None:
    hop = NextHop()
    async with connected(hop, max_messages=1) as line:
        assert await line.states(mail()) == ["delivered"]
        hop.extensions = ()
        assert await line.states(mail()) == ["delivered"]
        assert [taken.mail_from.partition(" ")[2][:5] for taken in hop.taken] == ["SIZE=", ""]


async def test_a_connection_reset_while_the_body_is_sent_leaves_no_doubt() -> None:
    """The end of data was never sent: nobody has the mail, and the spool need not say that somebody may."""

    hop = NextHop()
    async with connected(hop, timeouts=SHORT) as line:
        hop.script = lambda text, number: _reset(hop) if text == "DATA" else None
        [verdict] = (await line.send(mail(body=b"y" * 70 + b"\r\n" + b"z\r\n" * 4_000_000))).verdicts
        assert (verdict.state.value, verdict.reason.value) == ("deferred", "no-connection")
        assert hop.taken == []


def _reset(hop: NextHop) -> None:
    """Let the usual 354 go out, and cut the connection a moment later."""
    asyncio.get_running_loop().call_later(0.02, hop.close_all)
