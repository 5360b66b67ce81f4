"""What becomes of files before the 250: who is asked for what, and that nothing comes in unseen."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.confined.pool import NoChild
from gateway.message.address import Address
from gateway.message.domains import DomainSet
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.header import HeaderSection
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands
from gateway.policy.handling import Attached, Seen
from gateway.policy.memberships import NO_GROUPS
from gateway.policy.model import Policy
from gateway.policy.protection import How, Protection, Way
from gateway.receive.intake import Intake
from gateway.receive.protecting import QUICK_RECIPIENTS, Protecting
from gateway.service.key_ways import KeyWays
from gateway.spool.contract import Spool
from tests.memory_spool import NOON

RAW = b"Subject: x\r\n\r\nbody\r\n"
FILES = Seen((Attached(1, "a.pdf", "pdf", 10, "plain"),))
ASKED = Outcome(True, Demands(protections=frozenset({Protection("r", How.NATIVE, (Way.SMS, Way.SENDER))})))
NOT_ASKED = Outcome(False, Demands())


def envelope(count: int, sender: str | None = "clerk") -> Envelope:
    people = tuple(Address(f"r{number}", "example.com") for number in range(count))
    return Envelope(
        Address(sender, "sports.example.jp") if sender else None, people, Client("192.0.2.1", account="clerk")
    )


class Looking:
    """Counts what it is asked to look at."""

    def __init__(self, seen: Seen | Exception = FILES) -> None:
        self.seen = seen
        self.asked = 0

    async def look(self, raw: bytes) -> Seen:
        self.asked += 1
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


class EveryWay:
    async def of(self, recipients: Sequence[Address]) -> Sequence[frozenset[Way]]:
        return [frozenset({Way.SENDER})] * len(recipients)


def decided(*outcomes: Outcome) -> Decision:
    return Decision("d", outcomes, tuple(range(len(outcomes))))


async def test_a_mail_that_no_rule_protects_is_not_looked_at() -> None:
    looking = Looking()
    plain = decided(NOT_ASKED)
    handled = await Protecting(looking.look, EveryWay()).handled(
        plain, envelope(1), RAW, sender_may_be_told=True
    )
    assert handled is plain
    assert looking.asked == 0


async def test_who_is_protected_gets_a_handling_and_others_none() -> None:
    looking = Looking()
    handled = await Protecting(looking.look, EveryWay()).handled(
        decided(NOT_ASKED, ASKED), envelope(2), RAW, sender_may_be_told=True
    )
    assert handled.of(0).handling is None
    handling = handled.of(1).handling
    assert handling is not None
    assert (handling.forms, handling.way) == (((1, How.NATIVE),), Way.SENDER)
    assert handled.files == FILES.files
    assert not handled.of(1).waits


async def test_a_sender_who_may_not_be_told_is_no_way_for_a_key() -> None:
    handled = await Protecting(Looking().look, EveryWay()).handled(
        decided(ASKED), envelope(1), RAW, sender_may_be_told=False
    )
    handling = handled.of(0).handling
    assert handling is not None
    assert handling.way is None
    assert handled.of(0).waits


async def test_many_recipients_are_decided_on_as_few_are() -> None:
    count = QUICK_RECIPIENTS + 1
    many = Decision("d", (ASKED,), (0,) * count)
    handled = await Protecting(Looking().look, EveryWay()).handled(
        many, envelope(count), RAW, sender_may_be_told=True
    )
    assert len(handled.outcomes) == 1


async def test_ways_are_those_that_the_settings_allow_and_the_person_has() -> None:
    async def agreed(names: object) -> frozenset[str]:
        return frozenset({"r1@example.com"})

    usable = frozenset({Way.SENDER, Way.SMS, Way.PREAGREED})
    ways = KeyWays(lambda: usable, lambda names: frozenset({"r0@example.com"}), agreed)
    assert [set(each) for each in await ways.of(envelope(3).recipients)] == [
        {Way.SENDER, Way.SMS},
        {Way.SENDER, Way.PREAGREED},
        {Way.SENDER},
    ]
    unequipped = KeyWays(lambda: frozenset({Way.SENDER}), lambda names: frozenset({"r0@example.com"}), agreed)
    assert [set(each) for each in await unequipped.of(envelope(2).recipients)] == [{Way.SENDER}] * 2


@pytest.mark.parametrize(
    "protecting", [None, Protecting(Looking(NoChild("busy")).look, EveryWay())], ids=["none", "busy"]
)
async def test_where_nobody_can_look_the_mail_is_put_off(protecting: Protecting | None) -> None:
    there = cast(Policy, SimpleNamespace(domains=DomainSet(("sports.example.jp",)), memberships=NO_GROUPS))
    facts = Facts(envelope(1), HeaderSection(()), (), True, (), "x", (), len(RAW))
    intake = Intake(
        cast(Spool, None),
        lambda: there,
        lambda *_: decided(ASKED),
        lambda *_: facts,
        lambda: NOON,
        protecting=protecting,
    )
    reply = await intake.submit(envelope(1), RAW)
    assert (reply.code, reply.enhanced) == (451, "4.3.0")


@pytest.mark.parametrize(("has_files", "obstacle"), [(True, "unread"), (False, None)])
async def test_who_sees_no_files_where_the_gateway_saw_some_is_not_believed(
    has_files: bool, obstacle: str | None
) -> None:
    handled = await Protecting(Looking(Seen()).look, EveryWay()).handled(
        decided(ASKED), envelope(1), RAW, sender_may_be_told=True, has_files=has_files
    )
    handling = handled.of(0).handling
    assert (handling.obstacle if handling is not None else None) == obstacle
