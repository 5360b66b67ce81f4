"""Patterns agree with Python's `re` on the subset they read, and no pattern makes them slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.automaton import Automaton, Char, Choice, Repeat, Sequel
from gateway.policy.text_match import contains, fold, glob, pattern

PIECES = [
    "a",
    "b",
    "(a|b)",
    "(?:ab)*",
    "a*",
    "(ab)+",
    "b?",
    "^",
    "$",
    "[ab]",
    "[^a]",
    "a{1,2}",
    "b{2,}",
    ".",
    "|",
]


@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join), st.text("abc", max_size=7))
def test_patterns_mean_what_re_means(source: str, text: str) -> None:
    assert pattern(source)(text) is bool(re.search(source, text))


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        (r"\d{3}-\d{4}", "〒１２３-４５６７", True),
        ("ｶﾞｲﾄﾞ", "ガイド", True),
        ("[A-C]x", "bX", True),
        ("[^A-C]x", "bx", False),
        (r"\(社\)", "(社)見本", True),
        (r"^\s*$", "", True),
        (r"[\d\-]+$", "a1-2", True),
        (r"[]]", "]", False),
    ],
)
def test_patterns_are_folded_like_the_text(source: str, text: str, expected: bool) -> None:
    if source == "[]]":
        with pytest.raises(ValueError, match="empty"):
            pattern(source)
    else:
        assert pattern(source)(text) is expected


@pytest.mark.parametrize(
    "source", ["(a*)*b", "(a|a)*b", "(a+)+$x", "a*a*a*a*a*a*a*b", "(.*)(.*)(.*)(.*)[^a]"]
)
def test_each_character_is_looked_at_once_per_state(source: str) -> None:
    """What takes a backtracking matcher for ever asks each state about each character at most once."""
    calls = 0

    def is_a(char: str) -> bool:
        nonlocal calls
        calls += 1
        return char == "a"

    nested = Repeat(Repeat(Char(is_a), 0, None), 0, None)
    node = Sequel([nested, Choice([nested, nested]), Char("b".__eq__)])
    assert not Automaton(node).found("a" * 4000)
    assert calls < 100
    assert not pattern(source)("a" * 4000)


@given(st.text(max_size=30), st.text(max_size=5))
def test_contains_finds_what_is_there_whatever_its_case(text: str, needle: str) -> None:
    if fold(text + needle) == fold(text) + fold(needle):
        assert contains(needle)(text + needle)


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        ("*.exe", "Setup.EXE", True),
        ("*.exe", "setup.exe.txt", False),
        ("*名簿*", "2026年名簿.xlsx", True),
        ("?.txt", "ab.txt", False),
        ("[a].txt", "a.txt", False),
        ("[a].txt", "[A].txt", True),
    ],
)
def test_globs(source: str, name: str, expected: bool) -> None:
    assert glob(source)(name) is expected
