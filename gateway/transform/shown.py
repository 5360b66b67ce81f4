"""What a recipient will see in the To line, as people read it: for the hold notice and the page.

Taken from the same entries that are written into the copy, so the preview cannot differ from what leaves.
"""

from __future__ import annotations

from gateway.message.text import decode_header
from gateway.transform.render import Original, to_entries
from gateway.transform.view import View


def to_line_of(original: Original, view: View) -> str:
    """Return the To line of a copy, decoded, on one line; an ORIGINAL copy shows its own To fields, joined."""
    if view.hides:
        return ", ".join(decode_header(entry) for entry in to_entries(original, view))
    return ", ".join(decode_header(field.value) for field in original.header.all("to"))
