"""Which file is protected how: the files of one mail, a form and a key in; sealed files out, and what was left alone.

The rules, in this order. What opens with a key only already is left as it is: a key inside a key helps nobody. An archive
only part of which is encrypted is refused: to leave it would send the rest in clear, and to wrap it would ask for two
keys; its sender can make it whole. `native` keeps PDF and Office documents what they are, where their name says so too; what
cannot be (signed, damaged, too large, of another kind) goes with all others into one archive. A damaged file is wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from gateway.detect.kinds import fits_name, kind_of
from gateway.protect import office, pdf
from gateway.protect.archive import zip_aes256, zip_legacy
from gateway.protect.file import Entropy, File, Room, spooled
from gateway.protect.state import State, state_of
from gateway.values import dataclass

MAX_LOOKED_AT_OCTETS = 64 << 20
"""Octets of a file that is looked at in memory; a larger one is packed whatever it is. A mail seldom holds as much."""

ARCHIVE_TYPE = "application/zip"
_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "docm": "application/vnd.ms-word.document.macroEnabled.12",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    "xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "pptm": "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
}


class Form(StrEnum):
    """How files are protected; what each is worth stands in the module that makes it."""

    ZIP_AES256 = "zip-aes256"
    ZIP_LEGACY = "zip-legacy"
    NATIVE = "native"


class Refused(ValueError):
    """A file that must not be protected by a program; `reason` is a word, `number` the file's place."""

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(f"file {number}: {reason}")
        self.reason = reason
        self.number = number


@dataclass(frozen=True, slots=True)
class Recipe:
    """What all files are sealed with. `at` is the receiver's clock; `archive` the name of the one archive of a mail."""

    form: Form
    key: str = field(repr=False)
    at: datetime
    entropy: Entropy = field(repr=False)
    archive: str = "attachments.zip"
    hide_names: bool = False
    allowed: pdf.Allowed = field(default_factory=pdf.Allowed)
    room: Room = field(default=spooled, repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file as it may leave. `holds` are the places of the files in it; `chunks` gives its octets, sealed anew each time."""

    name: str
    content_type: str
    holds: tuple[int, ...]
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What leaves in place of the files. `left` are those that were encrypted already.

    `packed` says, by place, why a file went into the archive though its form was to be kept.
    """

    sealed: tuple[Sealed, ...]
    left: tuple[int, ...]
    packed: dict[int, str]


def seal(files: Sequence[File], recipe: Recipe) -> Outcome:
    """Decide for each file and prepare what leaves; nothing is encrypted before its chunks are asked for.

    Raises Refused. Chunks may raise TooLarge (zip_records.py).
    """
    left: list[int] = []
    kept: list[Sealed] = []
    packed: dict[int, str] = {}
    together: list[int] = []
    for number, file in enumerate(files):
        octets = file.octets(MAX_LOOKED_AT_OCTETS)
        if octets is not None and _is_sealed(file.name, octets, number):
            left.append(number)
            continue
        native, reason = _native(file, octets, number, recipe)
        if native is not None:
            kept.append(native)
            continue
        together.append(number)
        if reason:
            packed[number] = reason
    sealed = [*kept, _archive(files, tuple(together), recipe)] if together else kept
    return Outcome(tuple(sealed), tuple(left), packed)


def _is_sealed(name: str, octets: bytes, number: int) -> bool:
    state = state_of(name, octets)
    if state is State.PARTLY:
        raise Refused("partly-encrypted", number)
    return state is State.ENCRYPTED


def _native(file: File, octets: bytes | None, number: int, recipe: Recipe) -> tuple[Sealed | None, str]:
    """Return the file sealed in its own form, or why it cannot be; neither where nobody asked for it."""
    if recipe.form is not Form.NATIVE:
        return None, ""
    if octets is None:
        return None, "too-large"
    kind = kind_of(file.name, octets)
    if kind not in _TYPES:
        return None, "no-form"
    reason = (pdf if kind == "pdf" else office).why_not(octets)
    if reason or not fits_name(kind, file.name):
        return None, reason or "other-name"
    return Sealed(file.name, _TYPES[kind], (number,), lambda: _encrypted(file, kind, recipe)), ""


def _encrypted(file: File, kind: str, recipe: Recipe) -> Iterator[bytes]:
    octets = file.octets(MAX_LOOKED_AT_OCTETS) or b""
    if kind == "pdf":
        return pdf.encrypt_pdf(
            octets, recipe.key, entropy=recipe.entropy, allowed=recipe.allowed, room=recipe.room
        )
    return office.encrypt_office(octets, recipe.key, entropy=recipe.entropy)


def _archive(files: Sequence[File], numbers: tuple[int, ...], recipe: Recipe) -> Sealed:
    chosen = [files[number] for number in numbers]
    return Sealed(recipe.archive, ARCHIVE_TYPE, numbers, lambda: _archived(chosen, recipe))


def _archived(files: Sequence[File], recipe: Recipe) -> Iterator[bytes]:
    write = zip_legacy if recipe.form is Form.ZIP_LEGACY else zip_aes256
    return write(
        files,
        recipe.key,
        at=recipe.at,
        entropy=recipe.entropy,
        hide_names=recipe.hide_names,
        room=recipe.room,
    )
