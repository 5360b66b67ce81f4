"""The signing keys of an export, one after another: each tied to the next by both their signatures, each signing in its turn.

Pure, for who verifies away from the gateway. A key that was stolen and therefore replaced is still known and still trusted for
what it signed before; nothing that it signs behind its successor is believed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.audit.signed import SUCCESSION, holds, read_public, write_public

ASTRAY = timedelta(days=1)  # by how much a clock may have been put back when the key was replaced


class Wrong(Exception):
    """What is wrong with an export; the text names the first thing."""


def read_keys(listed: list[dict[str, Any]], trusted: bytes) -> list[bytes]:
    """Return the keys of the gateway in order, each tied to the next by both their signatures; one is the trusted one."""
    keys = [read_public(each["public"]) for each in listed]
    if listed and listed[0]["succession"]:
        raise Wrong("the first key follows another one, which is not in this export")
    for number, (each, old, new) in enumerate(zip(listed[1:], keys, keys[1:], strict=False), 2):
        if not _succeeds(json.loads(each["succession"]), number, old, new):
            raise Wrong(
                f"key {number} does not follow key {number - 1}: its succession is not signed by both"
            )
    if trusted not in keys:
        raise Wrong("the key that you trust is none of the keys of this export")
    return keys


def _succeeds(said: Mapping[str, str], number: int, old: bytes, new: bytes) -> bool:
    statement = said["statement"]
    told = json.loads(statement)
    return (
        (told["from"], told["to"], told["number"]) == (write_public(old), write_public(new), number)
        and holds(old, SUCCESSION, statement, octets_of(said["signed_by_old"]))
        and holds(new, SUCCESSION, statement, octets_of(said["signed_by_new"]))
    )


def ends_of(listed: list[dict[str, Any]]) -> list[datetime]:
    """Return until when each key but the last one signed: when its successor was made."""
    statements = [json.loads(each["succession"])["statement"] for each in listed[1:]]
    return [datetime.fromisoformat(json.loads(each)["at"]) for each in statements]


class Turns:
    """Which key signs when: whoever has stolen an old one signs nothing with it that is younger than its successor."""

    def __init__(self, keys: list[bytes], ends: list[datetime]) -> None:
        self.keys = keys
        self._ends = ends
        self._turn = 0

    def check(self, told: Mapping[str, Any]) -> None:
        """Check the next checkpoint; raises Wrong."""
        turn = self.keys.index(read_public(told["key"]))
        over = turn < len(self._ends) and datetime.fromisoformat(told["at"]) > self._ends[turn] + ASTRAY
        if turn < self._turn or over:
            raise Wrong(
                f"checkpoint {told['number']} was signed by key {turn + 1}, which had a successor by then"
            )
        self._turn = turn


def octets_of(text: str) -> bytes:
    """Read octets that stand in hexadecimal; raises ValueError for another spelling of them than ours."""
    octets = bytes.fromhex(text)
    if octets.hex() != text:
        raise ValueError("not octets as we write them")
    return octets
