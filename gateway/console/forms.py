"""What a posted form of ours says: whom it names and which files, and nothing that our pages cannot have sent."""

from __future__ import annotations

from gateway.console.pages import Failure

DIGITS = 6  # of a recipient's or a file's number; a mail has up to 100,000 recipients
Fields = list[tuple[str, str]]


def numbers(fields: Fields, wanted: str) -> frozenset[int]:
    """Return the numbers under one name; raises Failure on what our page cannot have sent."""
    ticked = [value for name, value in fields if name == wanted]
    if not all(value.isascii() and value.isdigit() and len(value) <= DIGITS for value in ticked):
        raise Failure(400)
    return frozenset(map(int, ticked))


def chosen(fields: Fields) -> frozenset[int] | None:
    """Return the recipients that a form ticks, None for all of them; raises Failure on what our page cannot have sent."""
    which = [value for name, value in fields if name == "which"]
    if which == ["all"]:
        return None
    if which != ["ticked"]:
        raise Failure(400)
    return numbers(fields, "recipient")
