"""Intake: what is decided is stored before it is said, refusals are in the policy's words, causes stay inside."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway import rule_effects
from gateway.message.address import Address, parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.gather import QUICK_OCTETS
from gateway.message.header import HeaderSection
from gateway.metrics import ACCEPTED, HELD, RULE_MAILS
from gateway.policy.decision import Decision, Outcome, Reason, Watched
from gateway.policy.demands import NOTHING_FOR_THE_MAIL, Confirmation, Demands, Language, Refusal, Text
from gateway.policy.handling import Handling
from gateway.policy.memberships import Memberships
from gateway.policy.model import Policy
from gateway.receive.answering import accepted_text, refusal_text
from gateway.receive.intake import Intake
from gateway.receive.judging import QUICK_CHARACTERS, QUICK_RECIPIENTS
from gateway.spool.contract import Spool, StoreUnavailable
from gateway.spool.values import NewMessage
from gateway.yaml_source import Problem, Problems

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
TEN = timedelta(minutes=10)
ENVELOPE = Envelope(
    sender=parse_path("alice@example.jp"),
    recipients=(parse_path("bob@example.com"), parse_path("carol@example.jp")),
    client=Client(ip="192.0.2.1", account="alice"),
)
MIXED = Decision(
    digest="d",
    outcomes=(
        Outcome(external=True, demands=Demands(window=TEN)),
        Outcome(external=False, demands=Demands()),
    ),
    assigned=(0, 1),
)
MEMBERSHIPS = Memberships(
    {"sports": ["alice@example.jp"], "city": [".example.jp", "example.jp"], "z": ["z.jp"]}
)
NO = Refusal("my-number", Text("マイナンバーを含むため送信できません", "the mail holds a My Number"))


@dataclass
class Store:
    """A spool that remembers the two verbs that intake uses."""

    accepted: list[NewMessage] = field(default_factory=list)
    refusals: list[Decision] = field(default_factory=list)
    groups: list[Sequence[str]] = field(default_factory=list)
    error: Exception | None = None

    async def accept(self, message: NewMessage) -> str:
        if self.error is not None:
            raise self.error
        self.accepted.append(message)
        return "4bxQ"

    async def refused(
        self, envelope: Envelope, decision: Decision, subject: str, at: datetime, groups: Sequence[str] = ()
    ) -> None:
        if self.error is not None:
            raise self.error
        self.refusals.append(decision)
        self.groups.append(groups)


def intake(store: Store, decision: Decision, **options: Any) -> Intake:
    def gather(envelope: Envelope, raw: bytes) -> Facts:
        store_threads.append(threading.current_thread())
        return Facts(envelope, HeaderSection(()), (), True, (), subject, (), len(raw))

    def decide(facts: Facts, policy: Policy, now: datetime) -> Decision:
        deciders.append(threading.current_thread())
        return decision

    store_threads: list[threading.Thread] = options.pop("threads", [])
    deciders: list[threading.Thread] = options.pop("deciders", [])
    subject: str = options.pop("subject", "the subject")
    return Intake(
        cast(Spool, store),
        policy=lambda: cast(Policy, SimpleNamespace(memberships=MEMBERSHIPS)),
        decide=decide,
        gather=gather,
        clock=lambda: NOW,
        **options,
    )


async def test_250_carries_the_queue_id_and_what_happens_next() -> None:
    store = Store()
    before = (ACCEPTED._value.get(), HELD._value.get())
    reply = await intake(store, MIXED).submit(ENVELOPE, b"raw")
    assert reply.code == 250
    assert reply.text == "4bxQ queued, 1 of 2 held until 2026-11-21T10:10:00Z"
    (message,) = store.accepted
    assert (message.raw, message.decision, message.received_at) == (b"raw", MIXED, NOW)
    assert message.subject == "the subject"
    assert message.facts is not None
    assert (ACCEPTED._value.get(), HELD._value.get()) == (before[0] + 1, before[1] + 1)


async def test_the_groups_of_the_sender_go_with_the_mail_and_with_a_refusal() -> None:
    store = Store()
    await intake(store, MIXED).submit(ENVELOPE, b"raw")
    assert store.accepted[0].groups == ("city", "sports")
    await intake(store, replace(MIXED, refusals=(NO,))).submit(replace(ENVELOPE, sender=None), b"raw")
    assert store.groups == [()]


async def test_rules_are_counted_for_what_they_did() -> None:
    rule_effects.in_force({"wait": True, "mark": False, "trial": True, "no": False})
    reasons = tuple(Reason(rule, NO.text) for rule in ("wait", "mark"))
    outcome = Outcome(external=True, demands=Demands(window=TEN), rules=("mark", "wait"))
    watched = (Watched("trial", 1, Demands(), NOTHING_FOR_THE_MAIL),)
    held = Decision("d", (outcome,), (0, 0), reasons=reasons, watched=watched)
    await intake(Store(), held).submit(ENVELOPE, b"raw")
    refused = Decision(
        "d", (Outcome(True, Demands()),), (0, 0), (replace(NO, rule="no"),), (Reason("no", NO.text),)
    )
    await intake(Store(), refused).submit(ENVELOPE, b"raw")
    counted = {
        (s.labels["rule"], s.labels["effect"]) for f in RULE_MAILS.collect() for s in f.samples if s.value
    }
    rule_effects.in_force({})
    assert counted >= {
        ("wait", "matched"), ("mark", "matched"), ("trial", "watched"), ("wait", "held"), ("no", "matched"), ("no", "refused")
    }  # fmt: skip
    assert ("mark", "held") not in counted


@pytest.mark.parametrize(
    ("recipients", "held", "text"),
    [
        (2, [], "queued"),
        (2, [TEN, TEN * 2], "held until 2026-11-21T10:20:00Z"),
        (3, [TEN], "queued, 1 of 3 held until 2026-11-21T10:10:00Z"),
    ],
)
def test_accepted_text(recipients: int, held: list[timedelta], text: str) -> None:
    assert accepted_text(recipients, [Outcome(True, Demands(window=window)) for window in held], NOW) == text


def test_a_mail_that_waits_for_people_has_no_time_to_tell() -> None:
    confirm = frozenset([Confirmation("tick", "recipients", timedelta(hours=1), "cancel")])
    held = [Outcome(True, each) for each in (Demands(window=timedelta(minutes=10)), Demands(confirm=confirm))]
    assert accepted_text(3, held, NOW) == "queued, 2 of 3 held until confirmed or approved"
    unprotected = Outcome(True, Demands(), handling=Handling(("r",), obstacle="signed"))
    assert accepted_text(1, [unprotected], NOW) == "held until the attachments can be protected"


async def test_the_owner_s_language_beats_the_policy_s() -> None:
    store = Store()
    await intake(store, MIXED, language_of={"alice": Language.EN}.get).submit(ENVELOPE, b"")
    await intake(store, MIXED, language_of={"bob": Language.EN}.get).submit(ENVELOPE, b"")
    assert [message.decision.language for message in store.accepted] == [Language.EN, Language.JA]


async def test_a_refusal_is_an_event_and_nothing_is_kept() -> None:
    store = Store()
    refused = Decision("d", MIXED.outcomes, MIXED.assigned, refusals=(NO,))
    reply = await intake(store, refused).submit(ENVELOPE, b"raw")
    assert (reply.code, reply.enhanced, reply.why) == (550, "5.7.1", "policy")
    assert reply.wire() == b"550 5.7.1 the mail holds a My Number\r\n"
    assert store.refusals == [refused]
    assert not store.accepted


@pytest.mark.parametrize("refusals", [(), (NO,)])
async def test_a_store_that_fails_is_temporary(refusals: tuple[Refusal, ...]) -> None:
    store = Store(error=StoreUnavailable("disk full at /var/lib"))
    decision = Decision("d", MIXED.outcomes, MIXED.assigned, refusals=refusals)
    reply = await intake(store, decision).submit(ENVELOPE, b"raw")
    assert (reply.code, reply.enhanced, reply.why) == (451, "4.3.0", "store")
    assert "/var" not in reply.text


async def test_a_full_disk_is_said_as_such() -> None:
    store = Store(error=StoreUnavailable("disk full at /var/lib", full=True))
    reply = await intake(store, MIXED).submit(ENVELOPE, b"raw")
    assert (reply.code, reply.enhanced, reply.why) == (452, "4.3.1", "store")


@pytest.mark.parametrize(
    ("raw", "here"),
    [
        (b"From: a@example.jp\r\n\r\n" + b"x" * 500_000, True),
        (b"From: a@example.jp\r\n\r\n" + b"x" * QUICK_OCTETS, False),
        (b"To: " + b"a@example.jp,\r\n " * 1000 + b"b@example.jp\r\n\r\nx", False),
        (b"To: " + b"a@example.jp,\r\n " * 1000, False),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 1000, False),
        (b"From: a@example.jp\r\n\r\n" + b"--b\r\n" * 1000, True),
    ],
    ids=["ordinary", "large", "many addresses", "no body", "many parts", "many lines"],
)
async def test_a_mail_that_may_take_long_is_taken_apart_in_a_thread(raw: bytes, here: bool) -> None:
    threads: list[threading.Thread] = []
    await intake(Store(), MIXED, threads=threads).submit(ENVELOPE, raw)
    assert [thread is threading.main_thread() for thread in threads] == [here]


def test_refusal_text_in_both_worlds() -> None:
    japanese_only = Refusal("kenpo", Text("個人情報", "個人情報"))
    many = Decision("d", (), (), refusals=(NO, japanese_only))
    assert refusal_text(many, utf8=False) == (
        "the mail holds a My Number\nrefused by rule kenpo of the mail policy"
    )
    assert refusal_text(many, utf8=True) == (
        "the mail holds a My Number\nマイナンバーを含むため送信できません\n個人情報"
    )


async def test_without_any_policy_the_mail_stays_with_the_client() -> None:
    def none() -> Policy:
        raise Problems([Problem("policies/default.yaml", 3, 1, "", "unknown key", "")])

    intake = Intake(
        cast(Spool, None), none, lambda *_: MIXED, lambda envelope, raw: cast(Facts, None), lambda: NOW
    )
    reply = await intake.submit(ENVELOPE, b"Subject: x\r\n\r\nbody\r\n")
    assert (reply.code, reply.enhanced) == (451, "4.3.5")


@pytest.mark.parametrize(
    ("recipients", "subject", "on_the_loop"),
    [(1, "short", True), (QUICK_RECIPIENTS + 1, "short", False), (1, "x" * (QUICK_CHARACTERS + 1), False)],
)
async def test_what_takes_long_to_decide_is_decided_in_a_thread(
    recipients: int, subject: str, on_the_loop: bool
) -> None:
    deciders: list[threading.Thread] = []
    people = tuple(Address(f"r{number}", "example.com") for number in range(recipients))
    decision = replace(MIXED, assigned=(0,) * recipients)
    taken = intake(Store(), decision, deciders=deciders, subject=subject)
    reply = await taken.submit(replace(ENVELOPE, recipients=people, requests=()), b"raw")
    assert reply.code == 250
    assert [each is threading.current_thread() for each in deciders] == [on_the_loop]
