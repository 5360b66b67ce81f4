"""Addresses inside the local part of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.address import Address, parse_path
from gateway.message.embedded import embedded


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("news+ana=example.com@list.city.example.lg.jp", "ana@example.com"),
        ("ana=example.com@list.example.jp", "ana@example.com"),
        ("bounce+17.3f-ana=EXAMPLE.co.jp@list.example.jp", "17.3f-ana@example.co.jp"),
        ("SRS0=HHH=TT=example.com=ana@relay.example.jp", "ana@example.com"),
        ("srs1=HHH=other.example.net==HHH=TT=example.com=ana@relay.example.jp", "ana@example.com"),
        ("prvs=0123456789=office@sports.example.jp", None),
        ("a=b@example.jp", None),
        ("v=1.2@example.jp", None),
        ("office@sports.example.jp", None),
        ("=example.com@list.example.jp", None),
    ],
)
def test_what_is_spelled(outer: str, inner: str | None) -> None:
    found = embedded(parse_path(outer))
    assert (str(found) if found else None) == inner


@given(st.text(alphabet="a=+.-Sr01s", max_size=100))
def test_any_local_part_is_answered(local: str) -> None:
    found = embedded(Address(local, "example.jp"))
    assert found is None or "=" in local
