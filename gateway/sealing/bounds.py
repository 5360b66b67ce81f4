"""How much a process that seals may take. Memory, the number of processes and the wait for one are settings (`sealing`)."""

from __future__ import annotations

FLOOR_S = 20.0
"""Seconds for any mail: one of a few KiB takes some ten milliseconds, on a machine that has nothing else to do."""

LOOK_S_PER_MIB, WRITE_S_PER_MIB = 1.0, 4.0
"""Seconds more for each MiB of the mail. Writing: the old cipher takes one for each MiB of a file, all others a tenth."""

GRACE_S = 2.0
"""Seconds beyond that after which the process is killed; its own limit of processor time ends it before, where it works."""

MAX_LOOKED_AT = 64 << 20
"""Octets of a file that is looked at; a larger one is of no known kind, and packed whatever it is (protect/seal.py)."""

MAX_FILES = 10_000
"""Files of one mail that are told; a mail with more of them is an obstacle. Scanners stop at fewer parts."""

MAX_NAME = 1_000
"""Characters of a file's name that are told."""

MAX_TOLD = 16 << 20
"""Octets of what is told of one mail's files."""

MAX_CHUNK = 1 << 20
"""Octets of a mail that come back at once."""

GROWTH, ROOM = 3, 16 << 20
"""A written mail is at most so many times as large as the one handed over, and so many octets more: a file in 7bit becomes
base64 (by a third) of a document (a few KiB more), and a text may be written anew. More is no mail of ours."""

MOST_MAILS = 100
"""Mails that one process works on before another takes its place: what leaks, or was left behind by a hostile file, goes with
it."""


def seconds_to_look(octets: int) -> float:
    """Return how long a mail of this size may be looked at."""
    return FLOOR_S + LOOK_S_PER_MIB * octets / (1 << 20)


def seconds_to_write(octets: int) -> float:
    """Return how long a mail of this size may be written."""
    return FLOOR_S + WRITE_S_PER_MIB * octets / (1 << 20)


def most_written(octets: int) -> int:
    """Return how large a mail may become."""
    return octets * GROWTH + ROOM
