"""PDF that stays PDF: encrypted in AES-256 (ISO 32000-2 7.6.4, revision 6), which every reader of the last ten years opens.

Promise: pages, forms and annotations stay as they are; nothing is repaired, thrown away or made smaller. What an encryption
would break or what forbids it is told (`why_not`), so that the file goes into an archive, whole. Parses what a stranger may
have made, in C++: call it in a worker process.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, cast

import pikepdf

from gateway.protect.file import CHUNK, Entropy, Room, spooled
from gateway.values import dataclass

MAX_OCTETS = 64 << 20
"""Octets of a PDF that is opened: it is in memory as a whole, and its objects beside it."""

MAX_KEY_OCTETS = 127
"""Octets of a key that revision 6 takes into account."""

_OWNER_OCTETS = 24
_SIGNATURE = b"/ByteRange"
"""What every signature names, in plain: it stands outside of what it covers (ISO 32000-2 12.8.1)."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What somebody with the key may do; a request to the reader's program, not a lock."""

    print: bool = True
    copy: bool = True
    change: bool = True

    def permissions(self) -> pikepdf.Permissions:
        """Return the flags of the format; reading aloud for the blind is never forbidden."""
        return pikepdf.Permissions(
            accessibility=True,
            extract=self.copy,
            modify_annotation=self.change,
            modify_assembly=self.change,
            modify_form=self.change,
            modify_other=self.change,
            print_lowres=self.print,
            print_highres=self.print,
        )


def why_not(octets: bytes) -> str:
    """Return why a PDF cannot be encrypted as it is: `signed`, `encrypted`, `damaged` or `too-large`; empty where it can."""
    if len(octets) > MAX_OCTETS:
        return "too-large"
    if _SIGNATURE in octets:
        return "signed"
    try:
        with _opened(octets) as pdf:
            if pdf.is_encrypted:
                return "encrypted"
            return "signed" if _is_signed(pdf) else ""
    except pikepdf.PasswordError:
        return "encrypted"
    except (pikepdf.PdfError, ValueError, RuntimeError):
        return "encrypted" if b"/Encrypt" in octets else "damaged"


def opens_without_key(octets: bytes) -> bool | None:
    """Tell whether anybody can read a PDF; None where it cannot be told, because it is damaged or locked in a strange way.

    One that is encrypted only so that nobody prints it opens without a key, and counts as such.
    """
    try:
        with _opened(octets):
            return True
    except pikepdf.PasswordError:
        return False
    except (pikepdf.PdfError, ValueError, RuntimeError):
        return None


def encrypt_pdf(
    octets: bytes, key: str, *, entropy: Entropy, allowed: Allowed | None = None, room: Room = spooled
) -> Iterator[bytes]:
    """Yield a PDF that opens with the key alone. `why_not` has said yes to it.

    The owner's password, which would lift what is not `allowed`, is random and known to nobody.
    """
    if not key.isascii() or not 0 < len(key) <= MAX_KEY_OCTETS:
        raise ValueError(f"a key of a PDF is of 1 to {MAX_KEY_OCTETS} ASCII characters")
    with room() as waiting:
        with _opened(octets) as pdf:
            pdf.save(
                cast(BinaryIO, waiting),  # it has all that is asked for, but not by its type
                encryption=pikepdf.Encryption(
                    user=key,
                    owner=entropy(_OWNER_OCTETS).hex(),
                    R=6,
                    allow=(allowed or Allowed()).permissions(),
                ),
                fix_metadata_version=False,
                compress_streams=False,
                object_stream_mode=pikepdf.ObjectStreamMode.preserve,
            )
        waiting.seek(0)
        yield from iter(lambda: waiting.read(CHUNK), b"")


def _opened(octets: bytes) -> pikepdf.Pdf:
    """Open without repairs: what needs them is not the file that the sender attached any more."""
    return pikepdf.open(BytesIO(octets), attempt_recovery=False, suppress_warnings=True)


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    """Tell by the document's own word: the flag of its form (12.7.3), or rights that hang on a signature (12.8.6)."""
    if "/Perms" in pdf.Root:
        return True
    form = pdf.Root.get("/AcroForm")
    flags = form.get("/SigFlags", 0) if isinstance(form, pikepdf.Dictionary) else 0
    return isinstance(flags, int) and bool(flags & 1)
