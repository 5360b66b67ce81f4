"""What a sender asks to be told: reading and writing are inverse, and an ORCPT shows nobody but its recipient."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import xtext
from gateway.message.address import parse_path
from gateway.message.status_request import (
    USUAL,
    Notify,
    RecipientRequest,
    passed_on,
    read_envid,
    read_notify,
    read_original,
    write_notify,
    write_original,
)

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
shown = st.text(st.characters(exclude_categories=("C", "Z")))


@given(printable)
def test_xtext_round_trip(text: str) -> None:
    encoded = xtext.encode(text)
    assert re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", encoded)
    assert xtext.decode(encoded) == text


@given(shown)
def test_utf8_xtext_round_trip(text: str) -> None:
    encoded = xtext.encode_utf8(text)
    assert encoded.isascii()
    assert " " not in encoded
    assert "=" not in encoded
    assert xtext.decode_utf8(encoded) == text


@given(st.text())
def test_whatever_is_decoded_fits_into_one_line(value: str) -> None:
    for decode, encode in (
        (xtext.decode, xtext.encode),
        (xtext.decode_utf8, xtext.encode_utf8),
    ):
        try:
            text = decode(value)
        except ValueError:
            continue
        assert text.isprintable()
        assert decode(encode(text)) == text


@given(st.sampled_from(list(range(8))))
def test_notify_round_trip(value: int) -> None:
    assert read_notify(write_notify(Notify(value))) is Notify(value)


@given(printable.filter(lambda text: text.strip() and len(xtext.encode(text)) <= 490))
def test_orcpt_round_trip(text: str) -> None:
    kind, original = read_original(f"RFC822;{xtext.encode(text)}")
    assert (kind, original) == ("rfc822", text)
    assert read_original(write_original(RecipientRequest(None, kind, original))) == (kind, original)


def test_the_case_of_an_envid_is_kept() -> None:
    assert read_envid("aBc+2Bd") == "aBc+d"


@pytest.mark.parametrize(
    ("notify", "occasion", "wanted"),
    [
        (None, Notify.FAILURE, True),
        (None, Notify.DELAY, True),
        (None, Notify.SUCCESS, False),
        (Notify.NEVER, Notify.FAILURE, False),
        (Notify.NEVER, Notify.DELAY, False),
        (Notify.NEVER, Notify.SUCCESS, False),
        (Notify.FAILURE, Notify.DELAY, False),
        (Notify.SUCCESS | Notify.DELAY, Notify.FAILURE, False),
        (Notify.SUCCESS | Notify.DELAY, Notify.SUCCESS, True),
    ],
)
def test_what_is_wanted(notify: Notify | None, occasion: Notify, wanted: bool) -> None:
    assert RecipientRequest(notify).wants(occasion) is wanted


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (None, None, None),
        (None, Notify.NEVER, USUAL),
        (Notify.NEVER, Notify.NEVER, Notify.NEVER),
        (Notify.NEVER, Notify.SUCCESS, Notify.SUCCESS),
        (Notify.SUCCESS, None, Notify.SUCCESS | USUAL),
    ],
)
def test_a_recipient_named_twice_is_told_of_as_either_asked(
    first: Notify | None, second: Notify | None, both: Notify | None
) -> None:
    joined = RecipientRequest(first, "rfc822", "a@x").joined(RecipientRequest(second, "rfc822", "b@x"))
    assert (joined.notify, joined.original) == (both, "a@x")
    assert RecipientRequest(first).joined(RecipientRequest(second, "rfc822", "b@x")).original == "b@x"


@pytest.mark.parametrize(
    ("kind", "original", "recipient", "shown"),
    [
        ("rfc822", "b@example.com", "b@example.com", True),
        ("rfc822", "B@EXAMPLE.com", "b@example.com", True),
        ("utf-8", "名前@例え.jp", "名前@xn--r8jz45g.jp", True),
        ("rfc822", "c@example.net", "b@example.com", False),
        ("rfc822", "list@example.jp", "b@example.com", False),
        ("rfc822", "@c.example.net:b@example.com", "b@example.com", False),
        ("rfc822", "<b@example.com>", "b@example.com", False),
        ("rfc822", "b@example.com, c@example.net", "b@example.com", False),
        ("rfc822", "c@example.net <b@example.com>", "b@example.com", False),
        ("rfc822", '"c@example.net b"@example.com', "b@example.com", False),
        ("rfc822", "b%example.net@example.com", "b@example.com", False),
        ("rfc822", "b%example.net@example.com", "b%example.net@example.com", True),
        ("rfc822", "nonsense", "b@example.com", False),
        ("x400", "b@example.com", "b@example.com", False),
        ("", "", "b@example.com", False),
    ],
)
def test_an_orcpt_is_passed_on_only_where_it_names_the_recipient_alone(
    kind: str, original: str, recipient: str, shown: bool
) -> None:
    assert passed_on(RecipientRequest(None, kind, original), parse_path(recipient)) is shown
