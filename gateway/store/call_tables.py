"""The tables of the API's answered calls, of web hooks that wait, and of digests that were sent."""

from __future__ import annotations
