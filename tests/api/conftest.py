"""Stores of both kinds, for what the API keeps."""

from __future__ import annotations

from tests.spool.conftest import spool, ticks, where

__all__ = ["spool", "ticks", "where"]
