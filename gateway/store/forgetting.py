"""Secrets that came in the environment, taken out of it once they were read: no child inherits them and no dump shows them.

The environment of a process is its own memory: /proc/PID/environ shows the block it was started with, so the octets there are
overwritten, not only the names removed. Who could read the block before (the same user, and root always) has seen it: a file
with mode 0600 or a service manager's credential is the better place.
"""

from __future__ import annotations

import ctypes
import os

from gateway.store.keys import ENVIRONMENT, ENVIRONMENT_PREVIOUS
from gateway.store.where import PASSWORD

SECRETS = (ENVIRONMENT, ENVIRONMENT_PREVIOUS, PASSWORD)


def forget_environment() -> None:
    """Remove all secrets from this process's environment, and overwrite them where /proc/PID/environ shows them."""
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    for name in SECRETS:
        at = libc.getenv(name.encode())
        if at:
            ctypes.memset(at, 0, len(ctypes.string_at(at)))
        os.environ.pop(name, None)
