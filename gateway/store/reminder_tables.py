"""The tables of reminders, and of when approvers are away."""

from __future__ import annotations
