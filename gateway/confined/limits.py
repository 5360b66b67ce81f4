"""What a confined process gives up before it sees a mail: memory, files, children, new privileges, being looked into.

It ends when its parent does. Where one of the limits cannot be set it does not begin: one without them is not what was
promised. That it has no secrets is its parent's doing (process.py): an empty environment and no descriptor but its pipes.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Iterable

from gateway.confined.walls import close_calls, close_files, own_program

# linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38

OPEN_FILES = 32
"""Descriptors: the two pipes, and the modules that are imported one after the other."""

_PAGE = os.sysconf("SC_PAGE_SIZE")

MARGIN_S = 2
"""Seconds of processor time beyond the time for a mail; the parent measures the time itself, this is for its absence."""


class NotConfined(Exception):
    """A limit could not be set; the text says which."""


def confine(memory_octets: int, devices: Iterable[str] = ()) -> None:
    """Set all limits, and close what the kernel lets close; raises NotConfined where a limit cannot be set.

    `devices` stay readable.
    """
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_AS, memory_octets),
    ):
        _limit(what, value)
    close_files([*own_program(), *devices])
    close_calls()


def allow_processor_time(seconds: float) -> None:
    """Let the process use so much processor time from now on, then end."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + MARGIN_S
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


class Memory:
    """What the process occupies. Made before `confine`, behind which no file of the system can be opened.

    Not from `ru_maxrss`: it begins with what the parent occupied (Linux keeps it over execve), so that every child of a
    large gateway would seem to have used too much from the start.
    """

    def __init__(self) -> None:
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    def octets(self) -> int:
        """Return how much of it is in memory now (proc(5): the second figure, in pages)."""
        return int(os.pread(self._statm, 100, 0).split()[1]) * _PAGE


def _limit(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(what, (lowest, lowest))
    except (OSError, ValueError) as error:
        raise NotConfined(f"setrlimit({what}): {error}") from error


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise NotConfined(f"prctl({option}): {os.strerror(ctypes.get_errno())}")
