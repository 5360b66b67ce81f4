"""Words: every message of the code has its Japanese, the catalogue holds nothing else, and times and sizes read well."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway
from gateway.languages import LANGUAGES, SOURCE_LANGUAGE, Words, catalogue, shown, size
from gateway.notices.wording import closed_up
from tests.memory_spool import NOON

PACKAGE = Path(gateway.__file__).parent
METHODS = [("**.py", "python"), ("**/templates/**", "jinja2.ext:babel_extract")]
JINJA = {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
OTHERS = sorted(set(LANGUAGES) - {SOURCE_LANGUAGE})
TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture(scope="module")
def used() -> set[str | tuple[str, ...]]:
    """Every message that the code and the templates ask for; a plural is a tuple."""
    found = extract_from_dir(PACKAGE, method_map=METHODS, options_map={"**/templates/**": JINJA})
    return {message for _, _, message, _, _ in found}


def read(language: str) -> Catalog:
    with (PACKAGE / "locale" / language / "LC_MESSAGES" / "sekisho.po").open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: str, used: set[str | tuple[str, ...]]) -> None:
    assert len(used) > 50
    known = {message.id for message in read(language) if message.id and all(_texts(message.string))}
    assert used - known == set()


@pytest.mark.parametrize("language", OTHERS)
def test_no_entry_is_unused_or_fuzzy(language: str, used: set[str | tuple[str, ...]]) -> None:
    entries = [message for message in read(language) if message.id]
    assert {message.id for message in entries} - used == set()
    assert not [message.id for message in entries if message.fuzzy]


@pytest.mark.parametrize("language", OTHERS)
def test_no_message_is_translated_twice(language: str) -> None:
    """Only one of two would ever be read: a word with two meanings needs two messages."""
    text = (PACKAGE / "locale" / language / "LC_MESSAGES" / "sekisho.po").read_text(encoding="utf-8")
    ids = re.findall(r'^msgid (".+")$', text, re.MULTILINE)
    assert sorted(ids) == sorted({*ids})


@pytest.mark.parametrize("language", OTHERS)
def test_translations_fill_in_the_same_values(language: str) -> None:
    for message in read(language):
        names = {name for text in _texts(message.id) for name in re.findall(r"%\((\w+)\)s", text)}
        for text in _texts(message.string):
            assert set(re.findall(r"%\((\w+)\)s", text)) == names, message.id


def _texts(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, (tuple, list)) else []


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(KeyError):
        catalogue("../../etc")


@pytest.mark.parametrize(
    ("language", "span", "expected"),
    [
        ("ja", timedelta(seconds=59), "1分未満"),
        ("ja", timedelta(minutes=10), "10分"),
        ("ja", timedelta(hours=1, minutes=30, seconds=59), "1時間30分"),
        ("ja", timedelta(days=1, hours=2, minutes=3), "1日2時間"),
        ("en", timedelta(minutes=1), "1 minute"),
        ("en", timedelta(hours=2, minutes=1), "2 hours 1 minute"),
        ("en", timedelta(seconds=-5), "less than a minute"),
    ],
)
def test_durations(language: str, span: timedelta, expected: str) -> None:
    assert Words(language, TOKYO).duration(span) == expected


def test_moments_are_local() -> None:
    assert Words("ja", TOKYO).moment(NOON) == "11月20日(金) 12:00"
    assert Words("en", ZoneInfo("Europe/London")).moment(NOON) == "Fri 20 Nov, 03:00"
    assert Words("ja", TOKYO).zone_name() == "日本時間"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (1536, "1.5 KB"),
        (35 << 20, "35.0 MB"),
        (5 << 40, "5120.0 GB"),
    ],
)
def test_sizes(octets: int, expected: str) -> None:
    assert size(octets) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \r\n b  ", "a b"),
        ("gpj.\u202eexe", "gpj.\ufffdexe"),
        ("\ud800", "\ufffd"),
        ("a\x00b", "a\ufffdb"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("あいうえお", "あい…"),
    ],
)
def test_shown(text: str, expected: str) -> None:
    assert shown(text, 3 if text.startswith("あ") else 20) == expected


@settings(deadline=None)
@given(st.text(alphabet=st.characters()), st.integers(1, 50))
def test_shown_is_one_short_line_that_can_be_written(text: str, limit: int) -> None:
    line = shown(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    line.encode()


@pytest.mark.parametrize("breaks", range(12))
def test_no_two_empty_lines_stand_together(breaks: int) -> None:
    assert closed_up("a" + "\n" * breaks + "b\n") == "a" + "\n" * min(breaks, 2) + "b\n"
