"""Log events: structlog, JSON when the output is no terminal, the queue id bound where there is one.

Never message content, never a password. Text that a peer chose has its control characters escaped before it gets here or is
escaped by the renderer, so that nobody can write a second log line (JSON escapes; the console renderer uses repr).
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

_QUIET = {
    "mail.log": logging.ERROR,  # aiosmtpd prints content lines at DEBUG
    "asyncio": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,  # links are capabilities: no URL with a token in a log
    "watchfiles": logging.WARNING,
    "alembic": logging.WARNING,
}


def configure(
    level: Literal["debug", "info", "warning", "error"], form: Literal["auto", "json", "text"]
) -> None:
    """Set up structlog and the stdlib loggers of our dependencies to write to standard error."""
    number = getattr(logging, level.upper())
    json_lines = form == "json" or (form == "auto" and not sys.stderr.isatty())
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.INFO))
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, number))
