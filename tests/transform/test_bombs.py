"""Mails made to cost much are read, judged and rendered, and what is over a bound is unclear, never harmless.

Nothing here measures time. Each bomb is large enough that an algorithm which costs the square of it would not end in a day
of tests, and small enough to be nothing for one that does not.
"""

from __future__ import annotations

import pytest

from gateway.message.gather import gather, is_quick
from gateway.message.mime_part import UNCLEAR
from gateway.policy.demands import Form
from gateway.transform.render import prepare_views, render
from gateway.transform.view import View
from tests.bench.bombs import BOMBS
from tests.transform.leaks import leaks
from tests.transform.sample import decision, envelope, original

OUTSIDE = ("a@example.com", "b@example.net")
SENT = envelope(*OUTSIDE)
LARGE = ("parts", "lines with dashes", "nearly delimiters", "long part headers", "nested multiparts")
"""Bombs whose octets stand in the body; these five are made of parts."""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_and_rendered(name: str) -> None:
    raw = BOMBS[name](40_000)
    facts = gather(SENT, raw)
    assert facts.unclear <= UNCLEAR
    mail = original(raw, SENT, decision(Form.BCC, count=2))
    header = render(mail, View(Form.BCC)).header
    assert leaks(header, OUTSIDE) == []


@pytest.mark.parametrize("name", LARGE)
def test_a_bomb_of_parts_is_unclear_and_bounded(name: str) -> None:
    raw = BOMBS[name](3_000_000)
    facts = gather(SENT, raw)
    assert facts.unclear
    assert len(facts.attachments) <= 1000
    assert not is_quick(raw)


def test_the_parts_headers_are_bounded_together() -> None:
    part = b"--b\r\n" + b"X: y\r\n" * 10_000 + b"\r\nx\r\n"
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 20 + b"--b--\r\n"
    assert "too-many-parts" in gather(SENT, raw).unclear
    assert gather(SENT, raw.replace(part * 20, part * 2)).unclear == frozenset()


def test_many_beginnings_of_an_uuencoded_file_count_as_one() -> None:
    head = b"From: a@example.jp\r\n\r\n"
    assert gather(SENT, head + b"begin 644 \r\n" * 10).unclear == frozenset()
    assert gather(SENT, head + b"begin 644 \r\n" * 2000).unclear == {"uuencoded"}


def test_views_prepared_ahead_are_the_views_rendered() -> None:
    raw = BOMBS["addresses in To"](20_000)
    views = [View(Form.BCC), View(Form.ORIGINAL), View(Form.INDIVIDUAL, own=SENT.recipients[0])]
    ahead, plain = (original(raw, SENT, decision(Form.BCC, count=2)) for _ in range(2))
    prepare_views(ahead, views)
    assert ahead.frames
    assert ahead.complete
    assert [render(ahead, view) for view in views] == [render(plain, view) for view in views]
