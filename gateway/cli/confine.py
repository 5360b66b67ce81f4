"""What the process gives up before it takes mail: core dumps, being looked into, and root.

A core dump would hold keys and mail, so there are none, and only root may look into the process. Started as root with `run_as`
it becomes that user for good; of root's powers it keeps binding ports below 1024, and nothing else.
"""

from __future__ import annotations

import contextlib
import ctypes
import grp
import os
import pwd
import resource
from pathlib import Path

from gateway.cli.figures import keep_figures
from gateway.service.errors import CannotStart

# linux/prctl.h and linux/capability.h
_PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 4, 8, 38
_CAP_NET_BIND_SERVICE = 10
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Set(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def no_dumps() -> None:
    """Make core dumps empty and the process's memory and environment unreadable to other processes of the same user."""
    # A service manager that forbids the call has set the limit itself.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)


def become(name: str, state: Path) -> None:
    """Become the user `name` for good, with its groups; raises CannotStart. Call it before any thread begins.

    The state directory, where it is new, becomes the user's.
    """
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise CannotStart(f"run_as: there is no user {name!r}") from None
    if user.pw_uid == 0:
        raise CannotStart("run_as: it names root; name a user of its own")
    if os.geteuid() == user.pw_uid:
        return
    if os.geteuid() != 0:
        raise CannotStart(f"run_as: only root can become {name}; start as root or as {name}")
    if state.is_dir() and not any(state.iterdir()):
        os.chown(state, user.pw_uid, user.pw_gid)
    keep_figures(user.pw_uid, user.pw_gid)
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([group.gr_gid for group in grp.getgrall() if name in group.gr_mem])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    _keep_only(1 << _CAP_NET_BIND_SERVICE)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _keep_only(capabilities: int) -> None:
    header = _Header(_CAPABILITY_VERSION_3, 0)
    sets = (_Set * 2)(_Set(capabilities, capabilities, 0), _Set(0, 0, 0))
    if _libc().capset(ctypes.byref(header), ctypes.byref(sets)) != 0:
        raise CannotStart(f"run_as: capabilities cannot be dropped: {os.strerror(ctypes.get_errno())}")


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, value, 0, 0, 0) != 0:
        raise CannotStart(f"prctl({option}) failed: {os.strerror(ctypes.get_errno())}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
