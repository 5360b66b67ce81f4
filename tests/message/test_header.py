"""The header section: nothing lost, nothing touched, whatever is broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.header import Field, HeaderSection, parse_fields, split

# Octets that matter to the splitter come often, so that short inputs reach every corner.
octets = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b" ", b"\t", b":", b"To", b"From ", b"a@b.jp", b"\x00", b"\xe5", b"-"]
    ),
    max_size=40,
).map(b"".join)


def names(section: HeaderSection) -> list[str]:
    return [field.name for field in section.fields]


@given(octets | st.binary(max_size=200))
def test_an_untouched_section_is_the_octets_that_came(raw: bytes) -> None:
    section, body_at = split(raw)
    kept = section.to_bytes()
    if body_at == 0 or body_at == len(
        kept
    ):  # no empty line: all of it is body, or all of it is header section
        assert kept == raw[:body_at]
    else:
        assert kept + b"\r\n" == raw[:body_at]
    assert all(field.raw for field in section.fields)


@given(octets)
def test_only_the_last_field_may_lack_its_line_end(raw: bytes) -> None:
    section, _ = split(raw)
    assert all(field.raw.endswith(b"\r\n") for field in section.fields[:-1])
    assert all(not field.raw.startswith((b" ", b"\t")) for field in section.fields[1:])


@given(octets)
def test_fields_are_split_the_same_way_one_by_one(raw: bytes) -> None:
    for field in split(raw)[0].fields:
        assert parse_fields(field.raw) == (field,)


@given(octets, octets)
def test_an_edit_leaves_every_other_field_alone(raw: bytes, other: bytes) -> None:
    section, _ = split(raw)
    rest = [field for field in section.fields if field.name != "to"]
    assert list(section.drop("To").fields) == rest
    replaced = section.replace("to", b"To: new@example.jp\r\n")
    assert [f.raw.rstrip(b"\r\n") for f in replaced.fields if f.name != "to"] == [
        f.raw.rstrip(b"\r\n") for f in rest
    ]
    assert [f.raw for f in replaced.all("to")] == [b"To: new@example.jp\r\n"]


@given(octets)
def test_what_is_prepended_or_appended_stays_a_field_of_its_own(raw: bytes) -> None:
    section, _ = split(raw)
    added = section.prepend(b"X-One: 1\r\n").append(b"X-Two: 2\r\n")
    again = parse_fields(added.to_bytes())
    assert again.count(Field("x-one", b"X-One: 1\r\n")) == 1
    assert again[-1] == Field("x-two", b"X-Two: 2\r\n")


@pytest.mark.parametrize(
    ("raw", "expected", "body"),
    [
        (b"", [], b""),
        (b"\r\nbody", [], b"body"),
        (b"\r\n", [], b""),
        (b"To: a\r\n\r\nbody", ["to"], b"body"),
        (b"To: a\r\n", ["to"], b""),
        (b"To: a", ["to"], b""),
        (b"To : a\r\n\r\n", ["to"], b""),
        (b"TO\t : a\r\n b\r\nCc:x\r\n\r\n", ["to", "cc"], b""),
        (b" first\r\nTo: a\r\n\r\n", ["", "to"], b""),
        (b"no field\r\n folded\r\nTo: a\r\n\r\n", ["", "to"], b""),
        (b"From me@example.jp Sat Nov 21 10:00:00 2026\r\nTo: a\r\n\r\n", ["", "to"], b""),
        (b"To: a\r\n \r\nCc: b\r\n\r\n", ["to", "cc"], b""),
        (b": nameless\r\nTo: a\r\n\r\n", ["", "to"], b""),
        (b"T\xc3\xb6: a\r\n\r\n", [""], b""),
        (b"To: a\nBcc: b\rCc: c\r\n\r\n", ["to"], b""),
        (b"To: a\r\r\nCc: b\r\n\r\n", ["to", "cc"], b""),
    ],
)
def test_what_is_a_field(raw: bytes, expected: list[str], body: bytes) -> None:
    section, body_at = split(raw)
    assert names(section) == expected
    assert raw[body_at:] == body


def test_a_value_is_unfolded_and_stripped() -> None:
    section, _ = split(b"To :  a@example.jp,\r\n\tb@example.jp \r\n\r\n")
    assert section.fields[0].value == b"a@example.jp,\tb@example.jp"
    assert section.fields[0].body == b"  a@example.jp,\r\n\tb@example.jp \r\n"


def test_replace_puts_the_new_field_where_the_first_was_and_drops_the_others() -> None:
    section, _ = split(b"A: 1\r\nTo: x\r\nB: 2\r\nto : y\r\nC: 3\r\n\r\n")
    assert section.replace("To", b"To: z\r\n").to_bytes() == b"A: 1\r\nTo: z\r\nB: 2\r\nC: 3\r\n"


@pytest.mark.parametrize(
    "first", [b" stray\r\n", b"From a Sat Nov 21 2026\r\n", b">From a Sat\r\n\tmore\r\n"]
)
def test_prepend_stays_below_lines_that_would_swallow_or_end_it(first: bytes) -> None:
    section, _ = split(first + b"To: a\r\n\r\n")
    assert section.prepend(b"Received: us\r\n").to_bytes() == first + b"Received: us\r\nTo: a\r\n"


def test_first_and_all_ignore_case() -> None:
    section, _ = split(b"SUBJECT: 1\r\nsubject: 2\r\n\r\n")
    first = section.first("Subject")
    assert first is not None
    assert first.value == b"1"
    assert [field.value for field in section.all("Subject")] == [b"1", b"2"]
    assert section.first("to") is None


@pytest.mark.parametrize(
    "hostile", [b"a" * 300_000, b"\r" * 300_000, b": " * 200_000, b" \r\n" * 100_000, b"a \t" * 100_000]
)
def test_hostile_sections_are_split_all_the_same(hostile: bytes) -> None:
    section, body_at = split(hostile)
    assert section.to_bytes() == hostile[: len(section.to_bytes())]
    assert body_at <= len(hostile)


@pytest.mark.corpus
def test_every_corpus_mail_keeps_its_header_section(corpus: list[tuple[str, bytes]]) -> None:
    for name, raw in corpus:
        section, body_at = split(raw)
        kept = section.to_bytes()
        assert raw.startswith(kept), name
        assert raw[len(kept) : body_at] in (b"\r\n", b""), name


def test_without_an_empty_line_and_without_any_field_all_is_body() -> None:
    assert split(b"only text\r\nand more\r\n") == (HeaderSection(()), 0)
    assert split(b"Subject: a field\r\n")[1] == len(b"Subject: a field\r\n")
