"""The text message: what it says, how long it is, and what a stranger's words can do to it."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.text import MAX_SEGMENTS, segments, text_of
from gateway.languages import Words
from gateway.message.address import Address
from gateway.policy.demands import Language
from gateway.protect.keys import MAX_BITS, Style, new_key
from gateway.spool.values import Stored
from tests.channels.conftest import KEY, delivered
from tests.memory_spool import MemorySpool

WORDS = {language: Words(language, ZoneInfo("Asia/Tokyo")) for language in ("ja", "en")}


def mail(sender: Address | None = None) -> Stored:
    stored = delivered(MemorySpool())
    return stored if sender is None else replace(stored, envelope=replace(stored.envelope, sender=sender))


def test_it_says_which_mail_and_the_key() -> None:
    japanese = text_of(mail(), KEY, WORDS["ja"])
    english = text_of(mail(), KEY, WORDS["en"])
    for said in (japanese, english):
        assert KEY in said
        assert "clerk@sports.example.jp" in said
        assert "12:00" in said
        assert "http" not in said
        assert "名簿の送付" not in said  # a lock screen shows this to whoever looks
    assert "11月20日(金) 12:00" in japanese
    assert segments(japanese) == 2
    assert segments(english) == 1


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("style", list(Style))
def test_the_longest_key_still_goes(language: str, style: Style) -> None:
    entropy = Random(5).randbytes
    longest = max((new_key(style, entropy, MAX_BITS).text for _ in range(20)), key=len)
    said = text_of(mail(Address("a" * 64, "b" * 60 + ".example.jp")), longest, WORDS[language])
    assert longest in said
    assert segments(said) <= MAX_SEGMENTS


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128))
def test_no_sender_makes_it_longer_or_more_lines(local: str) -> None:
    said = text_of(mail(Address(local, "example.jp")), KEY, WORDS["ja"])
    assert KEY in said
    assert len(said.splitlines()) == 1
    assert segments(said) <= 3


def test_without_a_sender_it_still_makes_sense() -> None:
    stored = delivered(MemorySpool(), Language.EN)
    said = text_of(replace(stored, envelope=replace(stored.envelope, sender=None)), KEY, WORDS["en"])
    assert KEY in said


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("あ" * 70, 1),
        ("あ" * 71, 2),
        ("あ" * 134, 2),
        ("あ" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("aa…", 1),
    ],
)
def test_segments(text: str, count: int) -> None:
    assert segments(text) == count
