"""The courier and the scripted next hop of the delivery tests, for attacks on our own client."""

from __future__ import annotations

from tests.delivery.conftest import connect

__all__ = ["connect"]
