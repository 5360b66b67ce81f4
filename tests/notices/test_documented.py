"""docs/notices.md lists every letter, every variable of each, and what may not be lost: compared with the samples."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from gateway.notices.required import REQUIRED
from gateway.notices.samples import samples
from gateway.spool.notice import NoticeKind
from tests.notices.test_words import TOKYO

PAGE = (Path(__file__).parents[2] / "docs" / "notices.md").read_text(encoding="utf-8")
ALWAYS = {"subject", "language", "s", "url", "who", "everybody"}  # said once for all letters
SAMPLES = samples(TOKYO)
NAMES = sorted({name for name, _ in SAMPLES})


def listed(heading: str) -> set[str]:
    """Return the names in the first column of the table below a heading."""
    found = re.search(rf"(?ms)^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE)
    assert found, heading
    return set(re.findall(r"(?m)^\| `(\w+)`", found[1]))


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_of_a_letter_is_listed(name: str) -> None:
    used = {variable for values in SAMPLES[name, "ja"] for variable in values}
    assert used - ALWAYS <= listed(f"`{name}`") <= used


def kinds_of_values() -> dict[str, set[str]]:
    """Return the fields of everything that a variable may hold, by its type's name."""
    found: dict[str, set[str]] = {}
    waiting = [value for cases in SAMPLES.values() for values in cases for value in values.values()]
    while waiting:
        value = waiting.pop()
        name = type(value).__name__
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            waiting += value
        elif is_dataclass(value) or hasattr(value, "_fields"):
            names = [each.name for each in fields(value)] if is_dataclass(value) else [*value._fields]
            if name not in found:
                found[name] = set()
            found[name] |= set(names)
            waiting += [getattr(value, each) for each in names]
    return found


def test_every_value_is_described() -> None:
    for name, names in kinds_of_values().items():
        assert listed(f"{name.lstrip('_')} (the values)") == names, name


def test_what_all_letters_have_is_listed() -> None:
    assert listed("Variables of all letters") == ALWAYS


def test_what_may_not_be_lost_is_listed() -> None:
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (`.*`) must", PAGE))
    assert {name: tuple(re.findall(r"`([^`]+)`", said)) for name, said in rows.items()} == REQUIRED


def test_every_kind_is_told_of() -> None:
    assert [kind for kind in NoticeKind if f"`{kind}`" not in PAGE] == []
