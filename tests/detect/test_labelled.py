"""Every detector on every text that was written for it: exact, so that a change of mind is seen in the set."""

from __future__ import annotations

import pytest

from gateway.detect.plain import folded
from gateway.detect.salutation import greets_somebody_else
from tests.detect.labelled import Text
from tests.detect.letters import LETTERS, Letter
from tests.detect.sets import DETECTORS

ENOUGH = 20  # texts with and without what is looked for


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, (_, texts) in DETECTORS.items() for text in texts]
)
def test_a_text(kind: str, text: Text) -> None:
    right = DETECTORS[kind][0](folded(text.text)) == text.count
    assert right is not text.missed, text.note


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.text[:12])
def test_a_letter(letter: Letter) -> None:
    right = greets_somebody_else(folded(letter.text), letter.to, letter.names) is letter.wrong
    assert right is not letter.missed, letter.note


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_set_is_large_enough_to_say_something(kind: str) -> None:
    texts = DETECTORS[kind][1]
    assert min(sum(text.count > 0 for text in texts), sum(text.count == 0 for text in texts)) >= ENOUGH
