"""Parts written new, read again by our reader and by the standard library."""

from __future__ import annotations

import base64
import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.header import split
from gateway.message.mime import Part, scan_structure
from gateway.message.mime_fields import safe_name
from gateway.transform.part_writer import base64_lines, file_fields, note_part

NAMES = [
    "a.zip",
    "添付ファイル.zip",
    "令和8年度_体育館・プール利用者名簿（確定版）_20261121_目黒区スポーツ振興課_最終_修正2.xlsx",
    "長" * 200 + ".pdf",
    "𠮷田😀.txt",
    "half ﾊﾝｶｸ.txt",
    "semi;colon=and 'quote'.pdf",
    "percent%41.pdf",
    "=?utf-8?b?eA==?=.pdf",
    "a" * 240 + ".pdf",
]


def part_of(raw: bytes) -> Part:
    header, body_at = split(raw)
    structure = scan_structure(raw, header, body_at)
    assert structure.unclear == frozenset()
    return structure.parts[0]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_read_again_by_everybody(name: str) -> None:
    raw = file_fields("application/zip", name)
    shown = safe_name(name)
    part = part_of(raw)
    assert (part.name, part.content_type, part.encoding, part.disposition) == (
        shown,
        "application/zip",
        "base64",
        "attachment",
    )
    assert email.message_from_bytes(raw, policy=email.policy.default).get_filename() == shown
    only_type = raw[: raw.index(b"Content-Disposition")] + b"\r\n"
    assert part_of(only_type).name == shown


@given(st.text(max_size=400))
def test_whatever_the_name_the_part_is_one_part(name: str) -> None:
    raw = file_fields("application/zip", name)
    assert raw.count(b"\r\n\r\n") == 1
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert part_of(raw).name == (safe_name(name) or "file")


@pytest.mark.parametrize("kind", ["", "zip", "a/b; c=d", "a/b\r\nX: y", "a /b"])
def test_a_strange_type_is_an_error(kind: str) -> None:
    with pytest.raises(ValueError, match="no content type"):
        file_fields(kind, "a.zip")


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_base64_in_lines(chunks: list[bytes]) -> None:
    out = b"".join(base64_lines(chunks))
    assert base64.b64decode(out) == b"".join(chunks)
    lines = out.split(b"\r\n")
    assert all(len(line) == 76 for line in lines[:-1])
    assert len(lines[-1]) <= 76
    assert not out.endswith(b"\r\n")


def test_base64_of_large_chunks_is_the_same() -> None:
    octets = bytes(range(256)) * 2000
    whole = b"".join(base64_lines([octets]))
    assert whole == b"".join(base64_lines([octets[at : at + 70_001] for at in range(0, len(octets), 70_001)]))
    assert base64.b64decode(whole) == octets


def test_a_note_is_a_text_in_its_place() -> None:
    raw = note_part("鍵は別の方法で\nお知らせします。")
    part = part_of(raw)
    assert (part.content_type, part.charset, part.is_attachment) == ("text/plain", "utf-8", False)
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert read.get_content().splitlines() == ["鍵は別の方法で", "お知らせします。"]
