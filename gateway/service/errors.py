"""Why a service does not start: what an admin has to mend first, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class CannotStart(Exception):
    """Something that an admin has to mend; the text says what and where."""


@contextmanager
def listening() -> Iterator[None]:
    """Turn what the system says about an address into CannotStart."""
    try:
        yield
    except OSError as error:
        raise CannotStart(f"cannot listen: {error.strerror or error}") from error
