"""What protects files, as JSON in a stored decision, and back: protections, handlings, the files themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How, Protection, Way

Json = dict[str, Any]


def protection_json(asked: Protection) -> Json:
    return {
        "rule": asked.rule,
        "how": asked.how.word,
        "ways": [way.value for way in asked.ways],
        "keep": list(asked.keep),
        **_key_json(asked),
    }


def protection_from(data: Json) -> Protection:
    """Rebuild a protection; raises KeyError or ValueError on what no version of this code wrote."""
    return Protection(
        rule=data["rule"],
        how=_how(data["how"]),
        ways=tuple(map(Way, data["ways"])),
        keep=tuple(data["keep"]),
        **_key_from(data),
    )


def handling_json(handling: Handling) -> Json:
    return {
        "rules": list(handling.rules),
        "forms": [[place, how.word] for place, how in handling.forms],
        "obstacle": handling.obstacle,
        "needs_key": handling.needs_key,
        "way": handling.way.value if handling.way is not None else None,
        "ways": [way.value for way in handling.ways],
        **_key_json(handling),
    }


def handling_from(data: Json) -> Handling:
    """Rebuild a handling; raises KeyError or ValueError on what no version of this code wrote."""
    return Handling(
        rules=tuple(data["rules"]),
        forms=tuple((place, _how(word)) for place, word in data["forms"]),
        obstacle=data["obstacle"],
        needs_key=data["needs_key"],
        way=Way(data["way"]) if data["way"] is not None else None,
        ways=tuple(map(Way, data["ways"])),
        **_key_from(data),
    )


def file_json(file: Attached) -> list[Any]:
    return [file.place, file.name, file.kind, file.size_bytes, file.state]


def file_from(data: list[Any]) -> Attached:
    return Attached(*data)


def _how(word: str) -> How:
    return How[word.upper().replace("-", "_")]


def _key_json(of: Protection | Handling) -> Json:
    """Return what both say of a key."""
    return {
        "hide_names": of.hide_names,
        "style": of.style,
        "bits": of.bits,
        "own_key": of.own_key,
        "expires_s": of.expires.total_seconds(),
        "downloads": of.downloads,
        "within_s": of.within.total_seconds(),
    }


def _key_from(data: Json) -> dict[str, Any]:
    return {
        "hide_names": data["hide_names"],
        "style": data["style"],
        "bits": data["bits"],
        "own_key": data["own_key"],
        "expires": timedelta(seconds=data["expires_s"]),
        "downloads": data["downloads"],
        "within": timedelta(seconds=data["within_s"]),
    }
