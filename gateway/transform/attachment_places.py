"""Where the parts of a mail lie, down to the lines that part them, and which of them must not be touched. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

from gateway.message.mime import MAX_DEPTH, Part, Structure
from gateway.values import dataclass

_REFUSING = {
    "multipart/signed": "signed",
    "multipart/encrypted": "encrypted",
    "multipart/appledouble": "two-halves",
}
"""What a part must not be inside of."""

_WHOLE = {
    "application/pkcs7-mime": "encrypted",
    "application/x-pkcs7-mime": "encrypted",
    "application/pkcs7-signature": "signed",
    "application/x-pkcs7-signature": "signed",
    "application/pgp-encrypted": "encrypted",
    "application/pgp-signature": "signed",
    "multipart/signed": "signed",
    "multipart/encrypted": "encrypted",
}
"""What a part must not be itself."""

_KEEPS_ORDER = frozenset(
    {"multipart/alternative", "multipart/related", "multipart/report", "multipart/digest"}
)
"""Containers in which a further part would be taken for something else than a text to be read."""

MESSAGES = frozenset({"message/rfc822", "message/global"})
"""Parts whose one child is a mail of its own, with a header section that is more than a part's."""

_Edit = TypeVar("_Edit")


def attached(structure: Structure, beside: Container[int] = ()) -> tuple[int, ...]:
    """Return the places of the files that a person sees beside the text: the outermost, without pictures in the text.

    A forwarded mail is one file, with all that is attached to it. `beside` are pictures that no text shows
    (shown_pictures.py).
    """
    found: list[int] = []
    outside = MAX_DEPTH + 1
    for number, part in enumerate(structure.parts):
        if part.depth <= outside:
            outside = MAX_DEPTH + 1
            if part.is_attachment and (not part.inline or number in beside):
                found.append(number)
                outside = part.depth
    return tuple(found)


@dataclass(frozen=True)
class Places:
    """The parts of one mail, with what is around each."""

    raw: bytes
    structure: Structure

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """The place of the container around each part; -1 for the mail itself."""
        around: list[int] = []
        found = []
        for number, part in enumerate(self.structure.parts):
            del around[part.depth :]
            found.append(around[-1] if around else -1)
            around.append(number)
        return tuple(found)

    def ancestors(self, number: int) -> Iterator[int]:
        """Yield the containers around a part, from the inside."""
        at = self.parents[number]
        while at >= 0:
            yield at
            at = self.parents[at]

    def why_not(self, edits: Iterable[int]) -> str:
        """Return why these parts must not be touched; empty where they may be. Raises ValueError at parts inside others."""
        numbers = frozenset(edits)
        if self.structure.unclear:
            return "unclear"
        for number in sorted(numbers):
            if numbers.intersection(self.ancestors(number)):
                raise ValueError(f"part {number} is inside of another that is replaced")
            reason = self._why_not(number)
            if reason:
                return reason
        ended = self.raw.startswith(b"\r\n\r\n", max(self.structure.parts[0].body_at - 4, 0))
        return "" if ended or self.raw.startswith(b"\r\n") else "no-body"

    def without_empty(self, edits: Mapping[int, _Edit | None]) -> dict[int, _Edit | None] | None:
        """Leave containers out with the last of their parts; None where nothing of the mail would be left."""
        wanted = dict(edits)
        for number in range(
            len(self.structure.parts) - 1, 0, -1
        ):  # from the inside: parts stand behind what holds them
            parent = self.parents[number]
            held = self._children(parent)
            if parent not in wanted and all(each in wanted and wanted[each] is None for each in held):
                for each in held:
                    del wanted[each]
                wanted[parent] = None
        return None if 0 in wanted and wanted[0] is None else wanted

    def of_note(self, edits: Mapping[int, object]) -> int | None:
        """Return the first of the parts before which a text can stand; None where there is none."""
        parts = self.structure.parts
        for number in sorted(edits):
            kind = parts[self.parents[number]].content_type
            forwarded = any(parts[at].content_type in MESSAGES for at in self.ancestors(number))
            if kind.startswith("multipart/") and kind not in _KEEPS_ORDER and not forwarded:
                return number
        return None

    def line_before(self, part: Part) -> int:
        """Return where the delimiter line before a part begins."""
        return self.raw.rfind(b"\n", 0, part.header_at - 1) + 1

    def delimiter(self, part: Part) -> bytes:
        """Return the delimiter line before a part, as it stands."""
        return self.raw[self.line_before(part) : part.header_at]

    def line_behind(self, part: Part) -> int:
        """Return where the delimiter line behind a part begins."""
        if self.raw.startswith(b"\r\n", part.end):
            return part.end + 2
        return part.end + (1 if self.raw.startswith(b"\n", part.end) else 0)

    def line_end(self, part: Part) -> bytes:
        """Return the line end that a part without any before its delimiter lacks."""
        return b"\r\n" if self.line_behind(part) == part.end else b""

    def _why_not(self, number: int) -> str:
        parts = self.structure.parts
        for at in self.ancestors(number):
            if parts[at].content_type in _REFUSING:
                return _REFUSING[parts[at].content_type]
        if number and parts[self.parents[number]].content_type in MESSAGES:
            return "forwarded"
        if number == 0 and parts[0].name.lower().endswith(".p7m"):
            return "encrypted"
        return _WHOLE.get(parts[number].content_type, "")

    def _children(self, number: int) -> list[int]:
        return self._held[number]

    @cached_property
    def _held(self) -> dict[int, list[int]]:
        held: dict[int, list[int]] = {}
        for number, parent in enumerate(self.parents):
            held.setdefault(parent, []).append(number)
        return held
