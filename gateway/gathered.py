"""What several workers count: gathered in memory, and written down ten times a second where all of them read it.

prometheus_client lets a process of several write each count into a file that all map, at every single count: 9 % of the
samples of a gateway that delivers copies. Who asks for the figures sees those of the other workers a tenth of a second old.
"""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import Any

from prometheus_client import values

EVERY_S = 0.1

_waiting: list[Any] = []  # what has counted since it was written down last


def gather_counts() -> None:
    """Make the counters and histograms that are defined from now on gather; gauges are written at once, as before."""
    values.ValueClass = _gathering(values.ValueClass)


def write_down() -> None:
    """Write what was gathered to where all workers read it."""
    counted = _waiting.copy()
    del _waiting[: len(counted)]  # what counts meanwhile stands behind them
    for value in counted:
        value.write_down()


async def keep_written_down() -> None:
    """Write down until cancelled, and then once more."""
    try:
        while True:
            await asyncio.sleep(EVERY_S)
            write_down()
    finally:
        write_down()


def _gathering(shared: Any) -> Any:
    class Gathered(shared):  # type: ignore[misc]  # a class that prometheus_client makes for this process
        """A value whose counts wait in memory; threads may count."""

        def __init__(self, kind: str, *told: Any, **more: Any) -> None:
            super().__init__(kind, *told, **more)
            self._at_once = kind == "gauge"
            self._gathered = 0.0
            self._listed = False
            self._guard = Lock()

        def inc(self, amount: float) -> None:
            if self._at_once:
                super().inc(amount)
                return
            with self._guard:
                self._gathered += amount
                if not self._listed:
                    self._listed = True
                    _waiting.append(self)

        def get(self) -> float:
            with self._guard:
                return float(super().get()) + self._gathered

        def write_down(self) -> None:
            with self._guard:
                amount, self._gathered, self._listed = self._gathered, 0.0, False
                super().inc(amount)

    return Gathered
