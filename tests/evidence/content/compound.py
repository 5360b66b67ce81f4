"""Compound files (MS-CFB) made for tests: streams by path, in sectors of 512 octets, small ones in the small stream."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import pairwise

_END, _FREE, _TABLE, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_CUTOFF = 4_096


class _Node:
    def __init__(self, name: str, octets: bytes | None) -> None:
        self.name = name
        self.octets = octets
        self.children: dict[str, _Node] = {}
        self.start, self.size = _END, 0


def compound(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file; `/` in a path makes storages."""
    root = _Node("Root Entry", None)
    for path, octets in streams.items():
        *folders, name = path.split("/")
        node = root
        for folder in folders:
            node = node.children.setdefault(folder, _Node(folder, None))
        node.children[name] = _Node(name, octets)
    sectors, table = _laid_out(root)
    return _with_tables(sectors, table, root)


def _nodes(root: _Node) -> list[_Node]:
    return [root, *(node for child in root.children.values() for node in _nodes(child))]


def _laid_out(root: _Node) -> tuple[list[bytes], list[int]]:
    sectors: list[bytes] = []
    table: list[int] = []

    def place(octets: bytes) -> int:
        return _append(sectors, table, octets, 512)

    small: list[bytes] = []
    small_table: list[int] = []
    for node in _nodes(root)[1:]:
        if node.octets is not None:
            node.size = len(node.octets)
            is_small = len(node.octets) < _CUTOFF
            node.start = _append(small, small_table, node.octets, 64) if is_small else place(node.octets)
    root.size = 64 * len(small)
    root.start = place(b"".join(small))
    root.children["\0table"] = _Node("\0table", None)
    root.children["\0table"].start = place(struct.pack(f"<{len(small_table)}I", *small_table))
    return sectors, table


def _append(sectors: list[bytes], table: list[int], octets: bytes, size: int) -> int:
    if not octets:
        return _END
    first = len(sectors)
    for at in range(0, len(octets), size):
        sectors.append(octets[at : at + size].ljust(size, b"\0"))
        table.append(len(sectors))
    table[-1] = _END
    return first


def _with_tables(sectors: list[bytes], table: list[int], root: _Node) -> bytes:
    small_table = root.children.pop("\0table").start
    directory = _append(sectors, table, _directory(root), 512)
    count = -(-(len(table) + 16) // 127)  # sectors of the table, which has an entry for each of its own
    first = len(sectors)
    table += [_TABLE] * count
    table += [_FREE] * (-len(table) % 128)
    octets = struct.pack(f"<{len(table)}I", *table)
    numbers = [first + number for number in range(len(octets) // 512)]
    head = struct.pack("<8s16sHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, 0,
                       len(numbers), directory, 0, _CUTOFF, small_table, 1, _END, 0)  # fmt: skip
    listed = [*numbers, *([_FREE] * (109 - len(numbers)))]
    return head + struct.pack("<109I", *listed) + b"".join(sectors) + octets


def _directory(root: _Node) -> bytes:
    nodes = _nodes(root)
    numbers = {id(node): number for number, node in enumerate(nodes)}
    right: dict[int, int] = {}
    for node in nodes:
        children = list(node.children.values())
        for one, other in pairwise(children):
            right[id(one)] = numbers[id(other)]
    out = b""
    for node in nodes:
        name = node.name.encode("utf-16-le") + b"\0\0"
        kind = 5 if node is root else 2 if node.octets is not None else 1
        child = numbers[id(next(iter(node.children.values())))] if node.children else _NONE
        out += struct.pack("<64sHBBIII16xI16xIQ", name, len(name), kind, 1, _NONE, right.get(id(node), _NONE), child, 0,
                           node.start, node.size)  # fmt: skip
    return out
