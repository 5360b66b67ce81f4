"""A mail written with its files as they may leave. Runs in the process that seals.

Each file goes the way that stands in the order: sealed in its own form where that can be, into an archive, or left out. Files
that open with a key only already stay as they are. A text under the mail's own says so; where nothing can stand there, it is
a part of its own before the first file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO

from gateway.message.header import split
from gateway.message.mime import Structure, scan_structure
from gateway.policy.disclaimers import Disclaimer
from gateway.policy.protection import How
from gateway.protect.file import Entropy, File
from gateway.protect.seal import ARCHIVE_TYPE, Form, Recipe, Refused, Sealed, seal
from gateway.protect.zip_records import TooLarge
from gateway.sealing.order import Order
from gateway.sealing.told import UNDECODABLE
from gateway.transform.attachments import CannotRebuild, Replacement, rebuild
from gateway.transform.disclaiming import disclaimed
from gateway.transform.part_content import Undecodable, content_of
from gateway.transform.shown_pictures import files_of

_LEFT_OUT = frozenset({How.LINK, How.BLOCK})


class Unwritable(ValueError):
    """The mail cannot be written so; `why` is one of NOT_WRITTEN (told.py)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def written(raw: bytes, order: Order, entropy: Entropy) -> Iterator[bytes]:
    """Yield the mail; raises Unwritable, also half-way."""
    try:
        mail, structure, note = _noted(raw, order)
        if not {place for place, _ in order.forms} <= set(files_of(mail, structure)):
            raise Unwritable("no-such-file")
        edits = _edits(mail, structure, order, entropy)
        if not edits:
            yield raw
            return
        yield from rebuild(mail, structure, edits, note).chunks()
    except (Refused, CannotRebuild) as refused:
        raise Unwritable(refused.reason) from refused
    except Undecodable as undecodable:
        raise Unwritable(UNDECODABLE) from undecodable
    except TooLarge as large:
        raise Unwritable("too-large") from large


def _scanned(raw: bytes) -> Structure:
    header, body_at = split(raw)
    return scan_structure(raw, header, body_at)


def _noted(raw: bytes, order: Order) -> tuple[bytes, Structure, str]:
    """Put the note under the mail's text, and return what is left of it: all, where it cannot stand there.

    The parts must keep their places: what a text would add a part to gets the note as a part of its own instead.
    """
    before = _scanned(raw)
    text = Disclaimer("note", order.note, order.note_html)
    made = disclaimed(raw, (text,)).raw if order.note else raw
    if made is raw:
        return raw, before, order.note
    after = _scanned(made)
    return (made, after, "") if len(after.parts) == len(before.parts) else (raw, before, order.note)


def _edits(raw: bytes, structure: Structure, order: Order, entropy: Entropy) -> dict[int, Replacement | None]:
    edits: dict[int, Replacement | None] = {place: None for place, how in order.forms if how in _LEFT_OUT}
    return {**edits, **dict(_Sealing(raw, structure, order, entropy).groups())}


class _Sealing:
    """The files that are sealed: those that keep their form, and one archive for each cipher."""

    def __init__(self, raw: bytes, structure: Structure, order: Order, entropy: Entropy) -> None:
        self._raw, self._structure, self._order, self._entropy = raw, structure, order, entropy

    def groups(self) -> Iterator[tuple[int, Replacement | None]]:
        """Yield what stands at each place of a file that is sealed."""
        by: dict[How, list[int]] = {how: [] for how in How}
        for place, how in self._order.forms:
            by[how].append(place)
        keyed = [*by[How.NATIVE], *by[How.ZIP_AES256], *by[How.ZIP_LEGACY]]
        if keyed and not self._order.key:
            raise Unwritable("no-key")
        unfit: list[int] = []
        for places, sealed in self._sealed(by[How.NATIVE], Form.NATIVE, self._order.archive):
            if sealed.content_type != ARCHIVE_TYPE:
                yield places[0], _replacement(sealed)
            else:
                unfit += places
        archives = [(by[How.ZIP_AES256] + unfit, Form.ZIP_AES256), (by[How.ZIP_LEGACY], Form.ZIP_LEGACY)]
        there = [(places, form) for places, form in archives if places]
        for (together, form), name in zip(there, _names(self._order.archive), strict=False):
            for places, sealed in self._sealed(sorted(together), form, name):
                yield places[0], _replacement(sealed)
                yield from ((place, None) for place in places[1:])

    def _sealed(self, places: Sequence[int], form: Form, archive: str) -> Iterator[tuple[list[int], Sealed]]:
        if not places:
            return
        order = self._order
        recipe = Recipe(form, order.key, order.at, self._entropy, archive, order.hide_names, room=BytesIO)
        for sealed in seal([self._file(place) for place in places], recipe).sealed:
            yield [places[number] for number in sealed.holds], sealed

    def _file(self, place: int) -> File:
        part = self._structure.parts[place]
        return File(part.name, lambda: content_of(self._raw, part))


def _names(archive: str) -> tuple[str, str]:
    """Return what the archives of a mail are called: rarely are there two, one for each cipher."""
    return archive, f"{archive.removesuffix('.zip')}-2.zip"


def _replacement(sealed: Sealed) -> Replacement:
    return Replacement(sealed.content_type, sealed.name, sealed.chunks)
