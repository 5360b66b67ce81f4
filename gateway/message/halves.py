"""The two halves of a file sent with its password by one and the same way: what of them a mail holds. Pure.

A file that opens with a password, and a text that tells one. Answers are yes, no, or None where nobody can tell. What is
encrypted for its receivers as a whole (S/MIME, PGP) holds neither: its key is nothing that anybody writes into a mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.message.evidence import Content, FileEvidence

FILE, PERHAPS_FILE, PASSWORD = 1, 2, 4
"""What is noted of a mail for later ones: a file that is encrypted, one of which that cannot be told, a password."""

_FOR_RECEIVERS = frozenset({"smime-encrypted", "pgp-encrypted"})
_BY_PRIVATE_KEY = frozenset({"p7m", "pgp"})
_SAID_OF_IT = frozenset({"file"})
_OF_A_FILE = frozenset({"file", "unsaid"})


def holds_both(content: Content | None, attachments: int) -> bool | None:
    """Tell whether a file stands in a mail together with its password.

    Certain where the password was tried and opens it, whatever the text says of it; else as the text says: a password of a
    file, or one that is not said to be of anything and was not refused by the file.
    """
    if content is None or content.mail_is & _FOR_RECEIVERS:
        return None if content is None and attachments else False
    return _any(_is_opened(file, content) for file in _files(content, attachments))


def holds_file(content: Content | None, attachments: int) -> bool | None:
    """Tell whether a file is attached that opens with a password."""
    if content is None:
        return None if attachments else False
    if content.mail_is & _FOR_RECEIVERS:
        return False
    return _any(_opens_with_password(file) for file in _files(content, attachments))


def tells_password(content: Content | None) -> bool | None:
    """Tell whether the mail's own text tells a password that may be of a file."""
    if content is None or content.mail_is & _FOR_RECEIVERS:
        return None if content is None else False
    if content.password_of in _OF_A_FILE:
        return True
    return None if content.password_of is None or content.body_unread else False


def halves_of(content: Content | None, attachments: int) -> int:
    """Return what is noted of a mail: FILE or PERHAPS_FILE, and PASSWORD."""
    file = holds_file(content, attachments)
    noted = FILE if file else PERHAPS_FILE if file is None else 0
    return noted | (PASSWORD if tells_password(content) else 0)


def _is_opened(file: FileEvidence | None, content: Content) -> bool | None:
    if file is not None and file.key_told:
        return True
    locked = _opens_with_password(file)
    if locked is False:
        return False
    told = tells_password(content)
    if told and content.password_of not in _SAID_OF_IT and file is not None and file.key_told is False:
        return None if content.body_unread else False  # the file refused all that may be one
    return locked if told else told


def _opens_with_password(file: FileEvidence | None) -> bool | None:
    if file is None:
        return None
    return False if file.kind in _BY_PRIVATE_KEY else file.encrypted


def _files(content: Content, attachments: int) -> Sequence[FileEvidence | None]:
    """Return what a look into each attachment told; None where nobody looked."""
    missing = attachments - len(content.files)
    return [*content.files, *[None] * missing] if missing >= 0 else [None] * attachments


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    return True if True in found else None if None in found else False
