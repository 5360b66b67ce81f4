"""Run one target with atheris: `python -m tests.fuzz.one TARGET [libFuzzer options and folders]`. `tests.fuzz` starts it."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

import structlog

atheris: Any = importlib.import_module("atheris")  # it has no types, and is not there on every Python
with atheris.instrument_imports(include=["gateway"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until the options end it; libFuzzer ends the process itself."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options], TARGETS[name].check)
    atheris.Fuzz()


main()
