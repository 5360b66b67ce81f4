"""The tables that lists of mail need beside the mail itself."""

from __future__ import annotations
