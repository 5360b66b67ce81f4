"""Whether a password that stands in a mail opens what is attached to it: tried, so that the answer is certain.

Only where something is encrypted and something in the text may be a password, and only in the process that reads: it opens
files of strangers. Promise: bounded tries within the time for the mail; what cannot be tried, or not in time, is not told.
Nothing of a password leaves this room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module

from gateway.detect.passwords import candidates
from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import TooSlow
from gateway.evidence.content.told import BodyTold, FileTold, KeyTold

MAX_TRIES = 24
"""Passwords of one mail that are tried on each file: those that are told as such come first, of which no mail has more."""

MAX_SLOW_TRIES = 8
"""Of those, how many are tried on an Office document: each takes a fifth of a second, by the format's own will."""

MAX_FILES = 10
"""Encrypted files of one mail that are tried."""

Timer = Callable[[int], AbstractContextManager[None]]
"""Given how many pieces are still to come, a context in which the next one is interrupted by TooSlow."""

_OLE_START = b"\xd0\xcf\x11\xe0"
_OPENING = "gateway.protect.opening"  # loads libraries that only the process that reads pays for


def tried(
    body: BodyTold, files: Sequence[FileTold], file_of: Callable[[int], File], timer: Timer
) -> Iterator[KeyTold]:
    """Yield for each encrypted attachment that can be tried whether a password in the mail opens it."""
    sealed = [file.number for file in files if file.evidence.encrypted][:MAX_FILES]
    if not sealed:
        return
    keys = candidates(body.subject, _texts(body, files), MAX_TRIES)
    for place, number in enumerate(sealed if keys else ()):
        try:
            with timer(len(sealed) - place + 1):
                opens = _opens(file_of(number), keys)
        except TooSlow:
            opens = None
        if opens is not None:
            yield KeyTold(number, opens)


def _texts(body: BodyTold, files: Sequence[FileTold]) -> list[str]:
    return [*body.texts, *[text for file in files for text in file.texts]]


def _opens(file: File, keys: Sequence[str]) -> bool | None:
    try:
        opens = import_module(_OPENING).opener(file.name, file.octets)
        few = keys[:MAX_SLOW_TRIES] if file.octets.startswith(_OLE_START) else keys
        return None if opens is None else any(opens(key) for key in few)
    except MemoryError:
        return None
