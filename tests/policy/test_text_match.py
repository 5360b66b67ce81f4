"""Patterns agree with Python's `re` on the subset they read, and no pattern makes them slow."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.engine import LAST_SPECIAL, MAX_PROGRAM, MAX_STEPS, PIECE, Engine
from gateway.policy.pattern import read_pattern
from gateway.policy.text_match import MAX_TEXT, contains, fold, fold_read, glob, pattern

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
    assert pattern(source)(fold(text)) is bool(re.search(source, text))


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
        ("[０-９Ａ-Ｃ]z", "bz", True),
        (r"^\d{3}-\d{4}$", "123−4567", True),
        ("03—1234", "０３ー１２３４", True),
        ("[−]", "‐", True),
        ("ガード", "ｶﾞｰﾄﾞ", True),
        (r"[]]", "]", False),
    ],
)
def test_patterns_are_folded_like_the_text(source: str, text: str, expected: bool) -> None:
    if source == "[]]":
        with pytest.raises(ValueError, match="empty"):
            pattern(source)
    else:
        assert pattern(source)(fold(text)) is expected


@pytest.mark.parametrize(
    "source", ["(a*)*b", "(a|a)*b", "(a+)+$x", "a*a*a*a*a*a*a*b", "(.*)(.*)(.*)(.*)[^a]", "(x+x+)+y"]
)
def test_what_hangs_a_backtracking_matcher_is_answered(source: str) -> None:
    assert pattern(source)(fold("a" * 100_000)) is False


@given(st.lists(st.sampled_from([*PIECES, "[ab]{90}", r"\w{1,64}", "x"]), max_size=20).map("".join))
def test_no_pattern_takes_more_than_its_steps(source: str) -> None:
    try:
        engine = read_pattern(source)
    except ValueError:
        return
    assert 0 < engine.looked_at * engine.size <= MAX_STEPS
    assert engine.size <= MAX_PROGRAM


@pytest.mark.parametrize("filling", ["ab", "パス", "ß"])
def test_long_texts_are_turned_piece_by_piece_and_fit_over_the_edges(filling: str) -> None:
    text = (filling * PIECE)[: PIECE - 2] + "X123" + filling * PIECE
    seen = fold_read(text)
    assert seen.text == text.casefold()
    assert pattern(r"x\d{3}")(seen)
    engine = read_pattern(r"x\d{3}")
    assert engine.letters(seen.text) == "".join(map(engine.letters, seen.text))


def test_every_character_is_compared_without_its_case() -> None:
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    for text in (everything, f"件名{everything}", "https://example.jp/名簿", "名簿.XLSX", ""):
        assert fold_read(text).text == text.casefold()[:MAX_TEXT]


def test_a_text_beyond_what_is_looked_at_is_in_doubt() -> None:
    long = fold("a" * MAX_TEXT + "b")
    assert pattern("b")(long) is None
    assert pattern("^a")(long) is True
    assert contains("b")(long) is None
    assert contains("b")(fold("a" * MAX_TEXT)) is False
    assert contains("a")(fold("a", cut=True)) is True
    large = read_pattern("[ab]{0,100}" * 9 + "c")
    assert large.looked_at < MAX_TEXT
    assert pattern("[ab]{0,100}" * 9 + "c")(fold("d" * (large.looked_at + 1))) is None


SOME = "".join(
    chr(code)
    for stretch in (
        range(0x3200),
        range(0x9F00, 0xB000, 3),
        range(0xD700, 0x12000),
        range(0x12000, 0x110000, 331),
    )
    for code in stretch
)


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        (r"\d", str.isdecimal),
        (r"\D", lambda c: not c.isdecimal()),
        (r"\w", lambda c: c.isalnum() or c == "_"),
        (r"\s", str.isspace),
        (r"[^\w\s]", lambda c: not (c.isalnum() or c == "_" or c.isspace())),
        (r"[a-f\d]", lambda c: c.isdecimal() or "a" <= c <= "f" or "a" <= c.upper() <= "f"),
        ("[A-F]", lambda c: "A" <= c <= "F" or "A" <= c.upper() <= "F"),
        ("[ぁ-ん]", lambda c: "ぁ" <= c <= "ん"),
        ("[一-龥Ω]", lambda c: "一" <= c <= "龥" or "Ω" in (c, c.upper())),
        (r"[^あ-ん\W]", lambda c: (c.isalnum() or c == "_") and not "あ" <= c <= "ん"),
        (".", lambda c: c != "\n"),
        ("あ", "あ".__eq__),
    ],
)
def test_a_character_is_of_the_class_that_python_says(source: str, holds: Callable[[str], bool]) -> None:
    engine = read_pattern(source)
    fits = {letter: engine.found(c) for c, letter in zip(SOME, engine.letters(SOME), strict=True)}
    wrong = [c for c, letter in zip(SOME, engine.letters(SOME), strict=True) if fits[letter] is not holds(c)]
    assert wrong == []


def test_atoms_are_asked_about_examples_and_not_about_texts() -> None:
    calls = 0

    def is_small(c: str) -> bool:
        nonlocal calls
        calls += 1
        return "a" <= c <= "z"

    engine = Engine("{0}{0}", [is_small], {"a", "{"}, by_kind=True)
    asked = calls
    assert not engine.found(SOME[SOME.index("{") :])
    assert engine.found(SOME)
    assert calls == asked


def test_no_special_character_stands_behind_the_last() -> None:
    behind = map(chr, range(LAST_SPECIAL, 0x110000))
    assert all(c.upper() == c and not c.isdecimal() and not c.isspace() for c in behind)


@given(st.text(max_size=30), st.text(max_size=5))
def test_contains_finds_what_is_there_whatever_its_case(text: str, needle: str) -> None:
    if fold(text + needle).text == fold(text).text + fold(needle).text:
        assert contains(needle)(fold(text + needle))


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
