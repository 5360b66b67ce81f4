"""Whether a mail carries the password of a file: told as well as is said of it, on mails written for it."""

from __future__ import annotations

import pytest

from gateway.detect.password_words import announced
from gateway.detect.plain import folded
from tests.bench.detect import tells_file_password
from tests.detect.labelled import Text
from tests.detect.ppap_texts import ANNOUNCE, CARRY, DO_NOT_ANNOUNCE, DO_NOT_CARRY

LEAST_PRECISION, LEAST_RECALL = 0.95, 0.9


@pytest.mark.parametrize("text", [*CARRY, *DO_NOT_CARRY], ids=lambda text: text.text[:24])
def test_a_mail(text: Text) -> None:
    right = tells_file_password(text.text) is (text.count > 0)
    assert right is not text.missed, text.note


def test_the_set_says_something() -> None:
    found = sum(tells_file_password(text.text) for text in CARRY)
    wrongly = sum(tells_file_password(text.text) for text in DO_NOT_CARRY)
    assert min(len(CARRY), len(DO_NOT_CARRY)) >= 60
    assert found / (found + wrongly) >= LEAST_PRECISION
    assert found / len(CARRY) >= LEAST_RECALL


@pytest.mark.parametrize("text", ANNOUNCE)
def test_a_mail_that_says_that_another_one_follows(text: str) -> None:
    assert announced(folded(text))


@pytest.mark.parametrize("text", DO_NOT_ANNOUNCE)
def test_a_mail_that_says_nothing_of_the_kind(text: str) -> None:
    assert not announced(folded(text))
