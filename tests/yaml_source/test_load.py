"""YAML as people write it: text stays text, every value has a place, every problem is told at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from gateway.yaml_source import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, Document, Problems, load, validate


def problems_of(text: str) -> list[str]:
    with pytest.raises(Problems) as caught:
        load(text, "f.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *((word, word) for word in ("yes", "no", "on", "off", "y", "N", "Yes", "NO")),
        ("10:00", "10:00"),
        ("1_000", "1_000"),
        ("2026-01-05", "2026-01-05"),
        ("0123", "0123"),
        ("0x1f", "0x1f"),
        ("1e3", "1e3"),
        ("1.5", "1.5"),
        (".inf", ".inf"),
        ("12", 12),
        ("-3", -3),
        ("'12'", "12"),
        ('"true"', "true"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("9" * 19, "9" * 19),
        ("目黒区 # a comment", "目黒区"),
    ],
)
def test_what_a_plain_value_is(written: str, read: object) -> None:
    value = load(f"key: {written}\n", "f.yaml").data["key"]
    assert value == read
    assert type(value) is type(read)


def test_keys_are_text() -> None:
    assert load("{yes: 1, 12: 2, null: 3}", "f.yaml").data == {"yes": 1, "12": 2, "null": 3}


def test_places_are_lines_and_columns_from_one() -> None:
    document = load("a:\n  - x\n  - b: {c: d}\n", "f.yaml")
    assert document.position(("a", 0)) == (2, 5)
    assert document.position(("a", 1, "b", "c")) == (3, 12)
    assert document.position(("a", 1, "b")) == (3, 5)
    assert document.position(("a", 1, "b", "absent", "deeper")) == (3, 5)
    assert document.position(("nowhere",)) == (1, 1)
    assert document.key_position(("a", 1, "b", "c")) == (3, 9)


def test_duplicate_keys_name_both_lines() -> None:
    assert problems_of("a: 1\nb: 2\na: {x: [1]}\n") == [
        "f.yaml:3:1: a: the key 'a' stands here twice (first in line 1)"
    ]


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("a: &x 1\n", "1:4", "anchors"),
        ("a: *x\n", "1:4", "aliases"),
        ("<<: {a: 1}\n", "1:1", "merge keys"),
        ("a: !!python/object:os.system x\n", "1:4", "tags"),
        ("a: !x {b: c}\n", "1:4", "tags"),
        ("? [a]\n: b\n", "1:3", "key must be plain text"),
        ("a: b\n---\nc: d\n", "2:1", "second document"),
        ("a: [b\n", "2:1", "not YAML"),
        ("a: b: c\n", "1:5", "not YAML"),
        ("a:\n\tb: c\n", "2:1", "spaces, not with tabs"),
        ("a: @x\n", "1:4", "quotes"),
        ("ok: 1\na: b\x07\n", "2:5", "control characters"),
    ],
)
def test_what_is_refused_and_where(text: str, place: str, word: str) -> None:
    assert any(line.startswith(f"f.yaml:{place}: ") and word in line for line in problems_of(text))


def test_several_problems_at_once() -> None:
    assert len(problems_of("a: &x 1\nb: !t 2\nc: *x\na: 3\n")) == 4


@pytest.mark.parametrize(
    "text",
    [
        "#" * (MAX_CHARACTERS + 1),
        "[" + "a," * MAX_VALUES + "]",
        "[" * (MAX_DEPTH + 2),
        "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
    ],
)
def test_size_depth_and_number_are_bounded(text: str) -> None:
    assert problems_of(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(load(text, "f.yaml"), Document)
    except Problems as problems:
        assert problems.problems  # noqa: PT017 - either outcome is right, an empty refusal is not


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid")

    for_: str = Field("x", alias="for")
    count: int = 0


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    leaves: tuple[Leaf, ...] = ()
    named: dict[str, Leaf | None] = Field(default_factory=dict)


def test_validate_reports_everything_with_places_and_hints() -> None:
    text = "leaves:\n  - {four: a}\n  - count: many\nnamed:\n  x: {cuont: 1}\nnmae: y\n"
    with pytest.raises(Problems) as caught:
        validate(Tree, load(text, "f.yaml"))
    assert str(caught.value).splitlines() == [
        "f.yaml:1:1: name: this key is required and missing",
        "f.yaml:2:6: leaves[0].four: unknown key 'four' (did you mean 'for'?)",
        "f.yaml:3:12: leaves[1].count: a whole number is expected here (write it in half-width digits without quotes: 10)",
        "f.yaml:5:7: named.x.cuont: unknown key 'cuont' (did you mean 'count'?)",
        "f.yaml:6:1: nmae: unknown key 'nmae' (did you mean 'name'?)",
    ]


def test_validate_returns_the_model_and_an_empty_file_lacks_its_keys() -> None:
    assert validate(Tree, load("name: a\nleaves: [{for: b}]\n", "f.yaml")).leaves[0].for_ == "b"
    with pytest.raises(Problems, match="name: this key is required"):
        validate(Tree, load("", "f.yaml"))
