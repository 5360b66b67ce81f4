"""Where a text can be put under a mail: its first text/plain and its first text/html part, as places in the octets. Pure.

Only what stands in multipart/mixed, alternative and related is the mail's own text; what is inside a forwarded message or a
report is not. A mail that is signed or encrypted, or whose structure can be read in two ways, is never touched.
"""

from __future__ import annotations

from gateway.message.mime import Part, Structure
from gateway.values import dataclass

OPEN = frozenset({"multipart/mixed", "multipart/alternative", "multipart/related"})
"""What may stand around a text that is the mail's own."""

_SEALED = frozenset(
    {
        "multipart/signed",
        "multipart/encrypted",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-encrypted",
        "application/pgp-signature",
    }
)
_SEALED_SUFFIXES = (".p7m", ".p7s", ".p7c", ".pgp", ".asc")


@dataclass(frozen=True, slots=True)
class Places:
    """The parts that are the mail's text, or why there are none. `before` is where a new first part can go."""

    parts: tuple[Part, ...] = ()
    before: Part | None = None
    why: str = ""


def find_places(structure: Structure) -> Places:
    """Find the texts of a mail."""
    own = _own(structure)
    if any(_is_sealed(part) for part in own):
        return Places(why="signed")
    if structure.unclear:
        return Places(why="unclear")
    found: dict[str, Part] = {}
    for part in own:
        if part.content_type in ("text/plain", "text/html") and not part.is_attachment:
            found.setdefault(part.content_type, part)
    if found:
        return Places(tuple(found.values()))
    if len(structure.parts) > 1 and structure.parts[0].content_type == "multipart/mixed":
        return Places(before=structure.parts[1])
    return Places(why="no-text")


def _own(structure: Structure) -> list[Part]:
    """Return the parts of this mail itself: not what a forwarded message or a report holds."""
    around: list[str] = []
    own = []
    for part in structure.parts:
        del around[part.depth :]
        if all(kind in OPEN or kind in _SEALED for kind in around):
            own.append(part)
        around.append(part.content_type)
    return own


def _is_sealed(part: Part) -> bool:
    return part.content_type in _SEALED or part.name.lower().endswith(_SEALED_SUFFIXES)
