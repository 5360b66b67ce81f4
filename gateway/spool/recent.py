"""What was parsed lately, bounded by count and by size: one text may be a thousand times as long as another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """A function of a text that remembers its latest results; for any thread. Failures are not remembered."""

    def __init__(self, parse: Callable[[str], T], count: int, characters: int) -> None:
        self._parse = parse
        self._count = count
        self._characters = characters
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()
        self._last: tuple[str, T] | None = None  # most texts are the one before: compared, not hashed
        self.size = 0  # characters of all texts kept

    def __call__(self, text: str) -> T:
        last = self._last
        if last is not None and last[0] == text:
            return last[1]
        value = self._look_up(text)
        if len(text) <= self._characters:
            self._last = text, value
        return value

    def _look_up(self, text: str) -> T:
        with self._lock:
            if text in self._kept:
                self._kept.move_to_end(text)
                return self._kept[text]
        value = self._parse(text)
        with self._lock:
            self._keep(text, value)
        return value

    def __len__(self) -> int:
        return len(self._kept)

    def _keep(self, text: str, value: T) -> None:
        if text in self._kept or len(text) > self._characters:
            return
        self._kept[text] = value
        self.size += len(text)
        while len(self._kept) > self._count or self.size > self._characters:
            oldest, _ = self._kept.popitem(last=False)
            self.size -= len(oldest)
