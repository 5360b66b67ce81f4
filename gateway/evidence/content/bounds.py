"""How much of one mail is read. What goes beyond is told as unread or cut, never left out in silence."""

from __future__ import annotations

from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds on reading one mail, all its files together; settings.md explains them under `content`."""

    seconds: float = 10.0
    memory_octets: int = 512 << 20
    characters: int = 1_000_000
    members: int = 10_000
    depth: int = 5
    unpacked_octets: int = 256 << 20


FILE_CHARACTERS = 2_000_000
"""Characters of one file that detectors look at, what is in it included; more is `too-large`."""

MAX_PAGES = 2_000
"""Pages of one PDF that are read; a page of text takes a hundredth of a second."""

MAX_COLUMNS = 1_024
"""Columns of a table that are read; a list of people has some twenty."""

MAX_INVITED = 5_000
"""ATTENDEE addresses of one mail that are kept; limits.recipients is a thousand by default."""

MAX_NAME = 255
"""Characters of a member's name that are kept, from its end, as of a part's name."""

MAX_SHOWN_MEMBERS_OCTETS = 2 << 20
"""Characters of all member names of one mail; more is an incomplete listing."""
