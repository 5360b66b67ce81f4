"""What the bench prints of the detectors does not sink below what is said of them."""

from __future__ import annotations

import pytest

from tests.bench.detect import Told, told

LEAST = 0.85  # of precision and of recall, on sets that hold what is known to be got wrong


@pytest.mark.parametrize("row", told(), ids=lambda row: row.name)
def test_a_detector_tells_as_well_as_is_said(row: Told) -> None:
    assert min(row.positives, row.negatives) >= 20
    assert min(row.precision, row.recall) >= LEAST
