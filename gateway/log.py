"""Log events: structlog, JSON when the output is no terminal, the queue id bound where there is one.

Never message content, never a password. One event is one line, in both forms: whatever text a peer chose, control and
format characters (line ends, escape sequences, changes of direction) leave as escapes, so that nobody can write a second
event or speak to the terminal of whoever reads the log. The lines of a traceback are indented in the text form.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import Processor

_QUIET = {
    "mail.log": logging.ERROR,  # aiosmtpd prints content lines at DEBUG
    "asyncio": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,  # links are capabilities: no URL with a token in a log
    "httpx": logging.WARNING,  # a line for each request, with the account in its URL
    "httpcore": logging.WARNING,
    "watchfiles": logging.WARNING,
    "alembic": logging.WARNING,
}

# What a terminal obeys, a program takes for a line end, or a reader cannot see: C0, C1, direction and format characters.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def escaped(text: str) -> str:
    """Return the text with harmful characters as `\\uNNNN`, which in JSON means the same character."""
    return text if text.isascii() and text.isprintable() else _HARMFUL.sub(_as_escape, text)


def _as_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _as_json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    try:
        line = orjson.dumps(event, default=repr)
    except TypeError:  # a lone surrogate, a number beyond 64 bits
        return escaped(json.dumps(event, default=repr, ensure_ascii=False))
    harmless = line.isascii() and b"\x7f" not in line  # JSON itself escapes what is below a space
    return line.decode() if harmless else escaped(line.decode())


def _with_exception(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write out the exception of a line that has one."""
    return structlog.processors.format_exc_info(logger, name, event) if "exc_info" in event else event


def _harmless(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what the console renderer would print as it is."""
    for key, value in event.items():
        if isinstance(value, str):
            lines = value.split("\n") if key == "exception" else [value]
            event[key] = "\n    ".join(escaped(line) for line in lines)
    return event


class _Stamp:
    """Add the time in UTC. To write it out takes longer than all else of a line, so what a second's lines share is kept."""

    def __init__(self) -> None:
        self._latest = (-1, "")  # in one piece: threads write lines, too

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        known, shown = self._latest
        if second != known:
            shown = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._latest = (second, shown)
        event["timestamp"] = f"{shown}.{nanoseconds // 1000:06d}Z"
        return event


def configure(
    level: Literal["debug", "info", "warning", "error"], form: Literal["auto", "json", "text"]
) -> None:
    """Set up structlog and the stdlib loggers of our dependencies to write to standard error."""
    number = getattr(logging, level.upper())
    json_lines = form == "json" or (form == "auto" and not sys.stderr.isatty())
    last: list[Processor] = [_with_exception]
    if json_lines:
        last.append(_as_json)
    else:
        plain = structlog.dev.plain_traceback
        last += [
            _harmless,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
        ]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _Stamp(),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.INFO))
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, number))
