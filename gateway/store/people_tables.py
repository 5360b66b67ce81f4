"""The tables of people who sign in: who they are, their credentials, sessions and tokens."""

from __future__ import annotations
