"""What can be wrong with a file, and where: problems, and documents that know the place of every value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from gateway.values import dataclass

Path = tuple[str | int, ...]
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct. `where` is the path of keys, such as `rules[2].when`; lines and columns from 1."""

    file: str
    line: int
    column: int
    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {where}{self.message}{hint}"


class Problems(Exception):
    """Everything wrong with one or several files, in the order of the files and their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        distinct = dict.fromkeys(problems)
        self.problems = tuple(sorted(distinct, key=lambda p: (p.file, p.line, p.column, p.where, p.message)))
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class Hinted(ValueError):
    """A ValueError for validators that know what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Document:
    """One file as plain data (dict, list, str, int, bool, None) and where each key and value stands in it."""

    file: str
    data: Any
    values: dict[Path, Place] = field(default_factory=dict, repr=False)
    keys: dict[Path, Place] = field(default_factory=dict, repr=False)

    def position(self, path: Path) -> Place:
        """Return (line, column) of the value at `path`, or of the nearest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def key_position(self, path: Path) -> Place:
        """Return (line, column) of the key that ends `path`; falls back to `position`."""
        return self.keys.get(path) or self.position(path)

    def problem(self, path: Path, message: str, hint: str = "") -> Problem:
        """Build the problem that stands at `path`."""
        line, column = self.position(path)
        return Problem(self.file, line, column, show_path(path), message, hint)


def show_path(path: Path) -> str:
    """Write a path the way people read it: `rules[2].when.external`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
