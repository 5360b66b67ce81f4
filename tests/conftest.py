"""Fixtures every layer shares: the corpus of real mail beside the checkout, put in wire form."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.postgres import Cluster, cluster, needed
from tests.thoroughness import examples

# Tests start hundreds of processes, each of which would compile the whole program where the result may not be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A machine that is busy is no fault of the code: no example has to be ready in a time.
settings.register_profile("sekisho", deadline=None, max_examples=examples(100))
settings.load_profile("sekisho")

# As the service writes them. The default draws every frame with its variables, which takes seconds for one exception.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

CORPUS = Path(os.environ.get("TEST_CORPUS", Path(__file__).parents[1].parent / "shared" / "corpus"))


def wire_form(raw: bytes) -> bytes:
    """Return the mail with CRLF line ends, as SMTP would carry it; a bare CR stays."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", raw)


def corpus_mails() -> Iterator[tuple[str, bytes]]:
    """Yield (name, octets in wire form) of every corpus mail, in order."""
    for path in sorted(CORPUS.rglob("*")):
        if path.is_file() and path.name != "INDEX.tsv":
            yield str(path.relative_to(CORPUS)), wire_form(path.read_bytes())


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Give back the umask: the command line sets a strict one, and tests run it in this process."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One PostgreSQL server for all tests, each of which takes a database of its own from it."""
    needed()
    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def corpus() -> list[tuple[str, bytes]]:
    """All corpus mails; skips where the corpus is absent, fails where it must be there (TEST_NO_SKIP)."""
    mails = list(corpus_mails()) if CORPUS.is_dir() else []
    if not mails:
        if os.environ.get("TEST_NO_SKIP"):
            pytest.fail("the mail corpus is absent")
        pytest.skip("the mail corpus is absent")
    return mails
