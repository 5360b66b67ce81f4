"""Stores of both kinds with mail in them, and a server that is told."""

from __future__ import annotations

from tests.spool.conftest import spool, ticks, where

__all__ = ["spool", "ticks", "where"]
