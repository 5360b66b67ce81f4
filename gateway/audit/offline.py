"""Verify an export with proof: no gateway, no settings, no database, only the file and a public key that one trusts.

Checked in this order, and the first thing that is wrong is named: the keys (each succession signed by both keys, one of them
the trusted one), the checkpoints (signature, number, the hash of the one before, no key that had a successor), the events
(number, hash, and that each chain runs through every checkpoint to the last). The file may come from anybody: everything in
it is bounded.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from gateway.audit.key_turns import Turns, Wrong, ends_of, octets_of, read_keys
from gateway.audit.signed import CHECKPOINT, NoPublicKey, holds, read_public, write_public
from gateway.values import dataclass

FORMAT = 1
MAX_LINE = 64 << 20  # octets: the acceptance of a mail to 100,000 with long addresses is 30 MiB
MAX_SMALL = 16 << 20  # octets of keys.json and proof.json
MAX_CHAINS = 10_000
_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)

Heads = dict[str, tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `problem` is empty where all is well; `since` and `until` are the times of the outer checkpoints,
    `since` empty where the export goes back to the very first event."""

    problem: str = ""
    events: int = 0
    checkpoints: int = 0
    since: str = ""
    until: str = ""
    keys: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return not self.problem


@dataclass(slots=True)
class _Stand:
    """How far the verification came."""

    events: int = 0
    checkpoints: int = 0
    since: str = ""
    until: str = ""
    keys: list[str] = field(default_factory=list)

    def report(self, problem: str = "") -> Report:
        return Report(problem, self.events, self.checkpoints, self.since, self.until, tuple(self.keys))


def verify_export(path: Path, trusted: bytes) -> Report:
    """Verify a file that `sekisho log export --proof` wrote against a public key of 32 octets."""
    stand = _Stand()
    try:
        with zipfile.ZipFile(path) as archive:
            _verify(archive, trusted, stand)
    except Wrong as wrong:
        return stand.report(str(wrong))
    except _BROKEN as error:
        return stand.report(f"the file cannot be read: {error or type(error).__name__}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return stand.report(f"the file is not what an export holds: {type(error).__name__} {error}")
    return stand.report()


def _verify(archive: zipfile.ZipFile, trusted: bytes, stand: _Stand) -> None:
    about = json.loads(_small(archive, "proof.json"))
    if about["format"] != FORMAT:
        raise Wrong(f"this export has format {about['format']}, which this version does not know")
    chains = {str(each["node"]): str(each["file"]) for each in about["chains"]}
    _check_members(archive, chains, len(about["chains"]))
    listed = json.loads(_small(archive, "keys.json"))
    keys = read_keys(listed, trusted)
    stand.keys = [write_public(key) for key in keys]
    ways = _checkpoints(archive, Turns(keys, ends_of(listed)), about["begins_at"], stand)
    if set(chains) != set(ways):
        raise Wrong("the chains of the export are not those that its last checkpoint names")
    for node, heads in ways.items():
        _chain(archive, chains[node], node, heads, stand)


def _check_members(archive: zipfile.ZipFile, chains: Mapping[str, str], said: int) -> None:
    wanted = {"proof.json", "keys.json", "checkpoints.jsonl", *chains.values()}
    names = archive.namelist()
    if len(names) > MAX_CHAINS or len({*chains.values()}) != said:
        raise Wrong("the export names more chains than can be, or one of them twice")
    if len(names) != len({*names}) or {*names} != wanted:
        raise Wrong(f"the export lacks a part, or holds one too many: {sorted({*names} ^ wanted)[:3]}")


def _checkpoints(
    archive: zipfile.ZipFile, turns: Turns, begins_at: int | None, stand: _Stand
) -> dict[str, Heads]:
    """Check all checkpoints; return, for each chain, what they say: by number of the checkpoint, its end."""
    previous: tuple[int, str] | None = None
    last, ways = dict[str, tuple[int, bytes]](), dict[str, Heads]()
    for line in _lines(archive, "checkpoints.jsonl"):
        told, digest = _checkpoint(line, turns.keys, previous, begins_at)
        turns.check(told)
        ends = {node: (int(seq), bytes.fromhex(hash_)) for node, seq, hash_ in told["chains"]}
        _check_growth(told["number"], last, ends)
        for node, end in ends.items():
            ways.setdefault(node, {})[str(told["number"])] = end
        stand.checkpoints += 1
        stand.since = stand.since or ("" if begins_at is None else told["at"])
        stand.until, previous, last = told["at"], (told["number"], digest), ends
    if previous is None:
        raise Wrong("the export holds no checkpoint")
    return ways


def _checkpoint(
    line: bytes, keys: list[bytes], previous: tuple[int, str] | None, begins_at: int | None
) -> tuple[dict[str, Any], str]:
    given = json.loads(line)
    told = signed_checkpoint(given["statement"], octets_of(given["signature"]), keys)
    _check_order(told, previous, begins_at)
    return told, hashlib.sha256(given["statement"].encode()).hexdigest()


def signed_checkpoint(statement: str, signature: bytes, keys: Sequence[bytes]) -> dict[str, Any]:
    """Return what a checkpoint says, signed by one of these keys; raises Wrong."""
    told: dict[str, Any] = json.loads(statement)
    number = told["number"]
    try:
        key = read_public(told["key"])
    except NoPublicKey as error:
        raise Wrong(f"checkpoint {number}: {error}") from None
    if key not in keys:
        raise Wrong(f"checkpoint {number} was signed by a key that is none of the gateway's")
    if not holds(key, CHECKPOINT, statement, signature):
        raise Wrong(f"checkpoint {number} was altered: its signature does not hold")
    return told


def _check_order(told: dict[str, Any], previous: tuple[int, str] | None, begins_at: int | None) -> None:
    number = told["number"]
    if previous is None:
        if begins_at not in (None, number) or (begins_at is None and (number != 1 or told["previous"])):
            raise Wrong(
                f"the export says that it begins at {begins_at or 'the first event'}, but its first checkpoint is {number}"
            )
    elif (number, told["previous"]) != (previous[0] + 1, previous[1]):
        raise Wrong(
            f"checkpoint {number} does not follow checkpoint {previous[0]}: one is missing or was replaced"
        )


def _check_growth(
    number: int, last: Mapping[str, tuple[int, bytes]], ends: Mapping[str, tuple[int, bytes]]
) -> None:
    for node, (seq, _) in last.items():
        if node not in ends or ends[node][0] < seq:
            raise Wrong(f"checkpoint {number} names fewer events of the chain {node!r} than the one before")


def _chain(archive: zipfile.ZipFile, name: str, node: str, ends: Heads, stand: _Stand) -> None:
    """Follow one chain through all checkpoints. The first end is where it begins, unless it begins with its first event."""
    seq, hash_ = 0, bytes(32)
    wanted = list(ends.items())
    if stand.since and len(wanted) == stand.checkpoints:  # it was there at the first checkpoint
        (_, (seq, hash_)), *wanted = wanted
    lines = _lines(archive, name)
    where = f" of the chain {node!r}" if node else ""
    for number, (end, expected) in wanted:
        while seq < end:
            line = next(lines, None)
            if line is None:
                raise Wrong(
                    f"event {seq + 1}{where} is missing; checkpoint {number} names events up to {end}"
                )
            seq, hash_ = _event(line, node, seq, hash_, where)
            stand.events += 1
        if hash_ != expected:
            raise Wrong(f"event {seq}{where} is not the one that checkpoint {number} names")
    if next(lines, None) is not None:
        raise Wrong(f"event {seq + 1}{where} stands behind the last checkpoint")


def _event(line: bytes, node: str, last: int, prev: bytes, where: str) -> tuple[int, bytes]:
    hash_, _, covered = line.partition(b" ")
    columns = json.loads(covered)
    if node and columns.pop(0) != node:
        raise Wrong(f"event {last + 1}{where} is one of another chain")
    if columns[0] != last + 1:
        raise Wrong(f"event {last + 1}{where} is missing: the next one is {columns[0]}")
    computed = hashlib.sha256(prev + covered).digest()
    if computed.hex().encode() != hash_:
        raise Wrong(f"event {last + 1}{where} was altered: its hash does not match what it says")
    return last + 1, computed


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        octets = member.read(MAX_SMALL + 1)
    if len(octets) > MAX_SMALL:
        raise Wrong(f"{name} is too large")
    return octets


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as member:
        while line := member.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE or not line.endswith(b"\n"):
                raise Wrong(f"a line of {name} is too long, or was cut off")
            yield line[:-1]
