"""Runs a program under a seccomp filter that allows the system calls named and answers EPERM to all others, as the unit does.

Usage: python filtered.py NUMBERS PROGRAM ARGUMENT...: NUMBERS are comma separated. The filter is the one of
seccomp(2)'s classic BPF; it cannot be taken off again and is handed on to all children.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2  # linux/prctl.h
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: ld abs word, jeq constant, ret constant
_ALLOW, _EPERM = 0x7FFF0000, 0x00050001  # linux/seccomp.h: SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def confine(numbers: list[int]) -> None:
    """Allow these system calls of our own architecture and no others, for good."""
    steps = [(_LOAD, 0, 0, 0)]
    for number in numbers:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _EPERM))
    octets = b"".join(struct.pack("HBBI", *step) for step in steps)
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(steps), octets)
    for arguments in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the filter cannot be set")


if __name__ == "__main__":
    confine([int(number) for number in sys.argv[1].split(",")])
    os.execvp(sys.argv[2], sys.argv[2:])
