"""The first steps of a confined process, whatever it is for: limits and walls, then silence, then `ready` on its pipe."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import warnings
from collections.abc import Iterable

from gateway.confined.frames import write_frame
from gateway.confined.limits import Memory, NotConfined, confine

CANNOT_BEGIN = 3
"""The exit code where the limits cannot be set."""

IN, OUT = 0, 1
"""The descriptors of the two pipes."""

_LEFT_TO_THE_PARENT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that a terminal or a service manager sends to all processes at once."""


def begin(ready: bytes, devices: Iterable[str] = ()) -> Memory:
    """Confine the process to as many octets as its first argument says, and tell the parent; exits where it cannot.

    `devices` are what it may read besides its own program.
    """
    try:
        memory = Memory()
        confine(int(sys.argv[1]), devices)
    except (NotConfined, OSError):
        sys.exit(CANNOT_BEGIN)
    for stop in _LEFT_TO_THE_PARENT:
        signal.signal(stop, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)  # parsers quote what they read
    warnings.simplefilter("ignore")
    gc.freeze()
    write_frame(OUT, ready)
    return memory
