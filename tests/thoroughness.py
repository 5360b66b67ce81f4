"""How many examples a property is tried with: TEST_EXAMPLES is the percentage of what each test asks for."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
PERCENT = int(os.environ.get("TEST_EXAMPLES", "100"))
FEWEST = 10


def examples(wanted: int) -> int:
    """Return how many examples to try where a test wants this many."""
    return max(min(wanted, FEWEST), wanted * PERCENT // 100)


def part_of(mails: Sequence[T]) -> Sequence[T]:
    """Return all of them, or every so-manyth, beginning anywhere: what one run leaves out another tries."""
    step = max(1, 100 // PERCENT)
    return mails[random.randrange(step) :: step]
