"""No network, no other program, and no file but the program's own: what the kernel closes for a confined process.

Two of the kernel's means, each used where it is there: a filter of system calls (seccomp, on x86-64 and aarch64), and Landlock
(Linux 5.13) for files. They come on top of the limits in limits.py, without which the process does not begin; where the
kernel lacks one, or a service manager's filter forbids it, the process works without that one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

# linux/prctl.h, linux/filter.h, linux/seccomp.h
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _MACHINE_AT = 0, 4
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_OTHER_NUMBERS = 0x40000000  # x32: the same calls under other numbers

# By machine its name in the filter (linux/audit.h), and the numbers of: socket, socketpair, connect, execve, execveat, clone,
# clone3, fork, vfork, ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, io_uring_setup, kill, tkill, tgkill.
_REFUSED: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        (41, 53, 42, 59, 322, 56, 435, 57, 58, 101, 310, 311, 438, 425, 62, 200, 234),
    ),
    "aarch64": (0xC00000B7, (198, 199, 203, 221, 281, 220, 435, 117, 270, 271, 438, 425, 129, 130, 131)),
}

# linux/landlock.h; its system calls have one number everywhere
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS_OF_VERSION = ((5, 1 << 15), (3, 1 << 14), (2, 1 << 13))
_FIRST_RIGHTS = (1 << 13) - 1


_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/local/lib")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def close_calls() -> bool:
    """Refuse network, other programs, other processes; return whether that is so now. Needs PR_SET_NO_NEW_PRIVS."""
    known = _REFUSED.get(platform.machine())
    if known is None:
        return False
    octets = _filter(*known)
    program = _Program(len(octets) // 8, octets)
    return bool(_libc().prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def close_files(readable: Iterable[str]) -> bool:
    """Leave these directories and files to be read, no others; return whether that is so now. Needs PR_SET_NO_NEW_PRIVS."""
    version = _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    if version < 1:
        return False
    rights = _FIRST_RIGHTS
    for since, right in _RIGHTS_OF_VERSION:
        rights |= right if version >= since else 0
    handled = struct.pack("Q", rights)
    ruleset = _call(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow_reading(ruleset, path)
        return _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    finally:
        os.close(ruleset)


def own_program() -> list[str]:
    """Return the directories of the interpreter, of its packages and of the system's libraries."""
    paths = {sys.prefix, sys.base_prefix, *sys.path, *sysconfig.get_paths().values(), *_LIBRARIES}
    return sorted(path for path in paths if Path(path).is_dir())


def _allow_reading(ruleset: int, path: str) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = (
            _READ_FILE | _READ_DIR if Path(path).is_dir() else _READ_FILE
        )  # the kernel refuses what a file has not
        rule = struct.pack("=Qi", rights, folder)
        _call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(folder)


def _filter(machine: int, refused: Iterable[int]) -> bytes:
    """Return the filter: another machine's calls end the process, those named are refused, all others allowed."""
    steps = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, _OTHER_NUMBERS),
        (_RETURN, 0, 0, _REFUSE),
    ]
    for number in refused:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _call(number: int, *arguments: object) -> int:
    return int(_libc().syscall(ctypes.c_long(number), *arguments))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
