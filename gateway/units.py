"""Durations and sizes as people write them in settings and policies: `10m`, `4h`, `5d`, `35MiB`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OCTETS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_DURATION = re.compile(r"(\d{1,6})([smhd])")
_SIZE = re.compile(r"(\d{1,12})\s?(KiB|MiB|GiB|)")


def parse_duration(value: object) -> timedelta:
    """Read `90s`, `10m`, `4h`, `5d` or a sum such as `1h30m`; raises ValueError that shows the form."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(
            f"not a duration: {text!r}; write a number and s, m, h or d, for example 10m or 1h30m"
        )
    return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in parts))


def format_duration(value: timedelta) -> str:
    """Write a duration the way `parse_duration` reads it, in the fewest units: 5400 s is `1h30m`."""
    rest = int(value.total_seconds())
    out = ""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, _SECONDS[unit])
        out += f"{count}{unit}" if count else ""
    return out or "0s"


def parse_size(value: object) -> int:
    """Read octets: a plain number or `64KiB`, `35MiB`, `1GiB`; raises ValueError that shows the form."""
    match = _SIZE.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"not a size: {value!r}; write octets or KiB, MiB, GiB, for example 35MiB")
    return int(match[1]) * _OCTETS[match[2]]


def format_size(octets: int) -> str:
    """Write a size for people, whole MiB as such: `35 MiB`, `1000 octets`."""
    return f"{octets >> 20} MiB" if octets and octets % (1 << 20) == 0 else f"{octets} octets"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
