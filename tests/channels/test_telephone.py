"""Numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telephone import NoNumber, e164, last_digits

GOOD = {
    "090-1234-5678": "+819012345678",
    "０９０－１２３４－５６７８": "+819012345678",
    "０９０ー１２３４ー５６７８": "+819012345678",  # the long vowel mark, which keyboards give for a hyphen
    "080 1234 5678": "+818012345678",
    "(070)1234.5678": "+817012345678",
    "06012345678": "+816012345678",
    "050-1234-5678": "+815012345678",
    "+81 90 1234 5678": "+819012345678",
    "+81 (0)90-1234-5678": "+819012345678",
    "＋81-90-1234-5678": "+819012345678",
    "+1 (202) 555-0143": "+12025550143",
    "+44 7700 900123": "+447700900123",
    " 09012345678\u3000": "+819012345678",
}

BAD = {
    "": "empty",
    " - ": "empty",
    "0" * 41: "long",
    "090-1234-567": "digits",
    "090-1234-56789": "digits",
    "03-1234-5678": "landline",
    "+81 3 1234 5678": "landline",
    "0120-123-456": "landline",
    "020-1234-5678": "landline",
    "9012345678": "country",
    "0081 90 1234 5678": "country",
    "+0 90 1234 5678": "country",
    "090-1234-5678 内線3": "letters",
    "tanaka@example.jp": "letters",
    "090-1234-5678\x00": "letters",
    "+81+9012345678": "letters",
    "+123": "digits",
    "+1234567890123456": "digits",
    "٠٩٠١٢٣٤٥٦٧٨": "letters",  # digits, of another script
}


@pytest.mark.parametrize(("written", "number"), GOOD.items())
def test_a_number_is_read(written: str, number: str) -> None:
    assert e164(written) == number


@pytest.mark.parametrize(("written", "why"), BAD.items())
def test_what_is_no_number_is_told(written: str, why: str) -> None:
    with pytest.raises(NoNumber) as caught:
        e164(written)
    assert caught.value.why == why
    assert not written.strip() or written not in str(caught.value)


@given(st.text(max_size=30))
def test_whatever_is_read_is_read_the_same_again(written: str) -> None:
    try:
        number = e164(written)
    except NoNumber:
        return
    assert e164(number) == number
    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdigit()


def test_only_the_last_digits_are_shown() -> None:
    assert last_digits("+819012345678") == "…5678"
    assert last_digits("") == ""
