"""The tables of incidents: mail that went to the wrong people, and what was done about it."""

from __future__ import annotations
