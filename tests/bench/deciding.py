"""What a decision costs: facts and everything that was looked up are there, the policy of a municipality decides.

In one process, without a network, as the gateway does it for each mail. Beside it, in the same run, what Python's own parser
needs to read the same octets: everybody knows how much that is. Bounded in count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import getaddresses
from pathlib import Path

from gateway.config.policies import read_policy
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.evidence import Content, Evidence, Volume
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.policy.decide import decide
from tests.bench.figures import OURS, Sample
from tests.bench.task import Load

POLICY = Path(__file__).parents[2] / "policies" / "ready" / "municipality"
PARSER = "email.parser"
MAILS = 2_000
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # a Friday, ten in the morning in Japan
_BATCH = 50


def deciding(load: Load) -> Iterator[Sample]:
    """Yield the microseconds of a decision for one recipient and for thirty, and of the parser beside it."""
    rules = read_policy(POLICY)
    for name, recipients in (("decide-1", 1), ("decide-30", 30)):
        raw = mail(recipients)
        facts = looked_up(gather(envelope(recipients), raw))
        contestants: list[tuple[str, Callable[[], object]]] = [
            (OURS, lambda facts=facts: decide(facts, rules, NOW)),  # type: ignore[misc]
            (PARSER, lambda raw=raw: parsed(raw)),  # type: ignore[misc]
        ]
        for who, act in load.turn(contestants):
            yield Sample(name, who, microseconds(act, load.count(MAILS)))


def microseconds(act: Callable[[], object], count: int) -> float:
    """Return what one call takes: the quickest of batches, since whatever else the machine does only adds."""
    best = float("inf")
    for _ in range(max(count // _BATCH, 1)):
        began = time.perf_counter()
        for _ in range(_BATCH):
            act()
        best = min(best, time.perf_counter() - began)
    return best / _BATCH * 1e6


def people(count: int) -> list[str]:
    return [f"citizen{number}@mail{number % 7}.example.com" for number in range(count)]


def envelope(recipients: int) -> Envelope:
    """Return an envelope of a signed-in clerk."""
    sender = parse_path("desk@sports.example.jp")
    return Envelope(sender, tuple(map(parse_path, people(recipients))), Client("192.0.2.1", account="desk"))


def mail(recipients: int) -> bytes:
    """Return a mail of 10 KiB without attachments that shows all its recipients."""
    head = (
        "From: =?utf-8?b?5L2T6IKy6aSo?= <desk@sports.example.jp>\r\n"
        f"To: {(',' + chr(13) + chr(10) + ' ').join(people(recipients))}\r\n"
        "Subject: =?utf-8?b?44OG44OL44K55pWZ5a6k44Gu44GU5qGI5YaF?=\r\n"
        "Date: Fri, 20 Nov 2026 10:00:00 +0900\r\nMessage-ID: <1@sports.example.jp>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return head.encode() + ("教室のご案内です。\r\n".encode() * 350)[: 10 << 10]


def looked_up(facts: Facts) -> Facts:
    """Return the facts with what the gateway would have looked up: a mail in which nothing stands."""
    domains = {address.domain for address in facts.envelope.recipients}
    content = Content(texts={"subject": (facts.subject,), "body": ("教室のご案内です。\n" * 350,)})
    known = {address.key: ("desk@sports.example.jp",) for address in facts.envelope.recipients}
    evidence = Evidence(
        content=content,
        writers=known,
        volume=Volume(),
        replies=False,
        domains=dict.fromkeys(domains, "accepts"),
        look_alikes={},
    )
    return replace(facts, evidence=evidence)


def parsed(raw: bytes) -> int:
    """Read the mail as the standard library does, with its recipients."""
    read = message_from_bytes(raw, policy=policy.SMTP)
    return len(getaddresses([str(value) for value in read.get_all("to", [])]))
