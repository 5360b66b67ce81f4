"""A mail that speaks of an attachment, told from one that uses the word."""

from __future__ import annotations

import pytest

from gateway.detect.attached import MAX_READ, speaks_of_attachment
from gateway.detect.plain import folded
from tests.detect.attached_texts import DO_NOT_SPEAK, MISSED, MISTAKEN, SPEAK


@pytest.mark.parametrize("text", SPEAK)
def test_it_speaks_of_one(text: str) -> None:
    assert speaks_of_attachment(folded(text))


@pytest.mark.parametrize("text", DO_NOT_SPEAK)
def test_it_does_not(text: str) -> None:
    assert not speaks_of_attachment(folded(text))


def test_what_is_known_to_be_got_wrong() -> None:
    assert [text for text in MISSED if speaks_of_attachment(folded(text))] == []
    assert [text for text in MISTAKEN if not speaks_of_attachment(folded(text))] == []


def test_one_sentence_of_many_is_enough() -> None:
    assert speaks_of_attachment(folded("\n".join([*DO_NOT_SPEAK, "地図を添付します。", *DO_NOT_SPEAK])))


def test_what_stands_far_below_is_not_read() -> None:
    assert not speaks_of_attachment("あ" * MAX_READ + "地図を添付します。")
