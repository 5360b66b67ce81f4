"""How many examples a property is tried with: TEST_EXAMPLES is the percentage of what each test asks for."""

from __future__ import annotations

import os

PERCENT = int(os.environ.get("TEST_EXAMPLES", "100"))
FEWEST = 10


def examples(wanted: int) -> int:
    """Return how many examples to try where a test wants this many."""
    return max(min(wanted, FEWEST), wanted * PERCENT // 100)
