"""The tables of what proves something later: signed checkpoints of the chains, certificates of deletion."""

from __future__ import annotations
