"""The header section: nothing is lost in the cut, what passes the fault check reads one way, decoding gives one line."""

from __future__ import annotations

import re

from gateway.message.header import HeaderSection, split
from gateway.message.header_faults import header_faults
from gateway.message.text import decode_header, encode_header
from gateway.message.write import write_fields
from gateway.receive.content import content_reply
from gateway.transform.readings import fold, fold_with_origin, readings
from tests.transform.leaks import fields

_LOOSE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check(octets: bytes) -> None:
    section, body_at = split(octets)
    _cut_is_whole(octets, section, body_at)
    head = section.to_bytes()
    if header_faults(head) is None:
        assert _LOOSE_END.search(head) is None
        assert [field.raw for field in section.fields] == [
            raw for _, raw in fields(head + b"\r\n")
        ] or not head
    content_reply(octets, 50)
    for field in section.fields:
        assert field.name == field.name.lower()
        _decoding_is_one_line(field.value)
        for text in readings(field):
            folded, origin = fold_with_origin(text)
            assert len(origin) == len(folded)
            fold(text)


def _cut_is_whole(octets: bytes, section: HeaderSection, body_at: int) -> None:
    head = section.to_bytes()
    assert octets[:body_at] in (head, head + b"\r\n")
    assert 0 <= body_at <= len(octets)
    assert section.prepend(b"X-Fuzz: 1\r\n").first("x-fuzz") is not None


def _decoding_is_one_line(value: bytes) -> None:
    text = decode_header(value)
    assert _CONTROL.search(text) is None
    written = write_fields({"Subject": encode_header(text)})
    assert _LOOSE_END.search(written) is None
    assert len(fields(written)) == 1, "encoded text opened a field of its own"
    assert decode_header(encode_header(text)).strip() == text.strip()
