"""One mail read from its octets: body first, then the attachments one by one, each told as soon as it is done.

Promise: never raises on any octets; whatever could not be read has its word. Where a clock is given (`Timer`), no piece takes
longer than its share of the time. Pure but for that clock: no files, no network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib import import_module

from gateway.evidence.content.body import read_body
from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.enclosed import holds_parts, part_octets, say_header, say_part
from gateway.evidence.content.files import File, kind, read_file
from gateway.evidence.content.gathering import Budget, Gathering, TooSlow, Unread
from gateway.evidence.content.judged import judged, text_and_tables
from gateway.evidence.content.kept import Kept
from gateway.evidence.content.octets import whole
from gateway.evidence.content.told import BodyTold, FileTold, KeyTold
from gateway.evidence.content.tried import Timer, tried
from gateway.message.evidence import FileEvidence, Findings
from gateway.message.header import HeaderSection, split
from gateway.message.mime import Part, Structure, scan_structure
from gateway.message.mime_part import IDENTITY
from gateway.protect.state_word import State
from gateway.values import dataclass

_STATE = "gateway.protect.state"  # loads libraries that only the process that reads pays for
MESSAGES = frozenset({"message/rfc822", "message/global"})


def no_timer(_: int) -> AbstractContextManager[None]:
    """Let a piece take what it takes."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail with the places of its parts; `local_parts` are those of the envelope's recipients."""

    raw: bytes
    header: HeaderSection
    structure: Structure
    local_parts: tuple[str, ...]

    @classmethod
    def of(cls, raw: bytes, local_parts: Iterable[str]) -> Letter:
        header, body_at = split(raw)
        return cls(raw, header, scan_structure(raw, header, body_at), tuple(local_parts))


def read_letter(
    letter: Letter, bounds: Bounds, timer: Timer = no_timer
) -> Iterator[BodyTold | FileTold | KeyTold]:
    """Yield what is told: once about the mail, about each attachment in the order of `Facts.attachments`, then of keys."""
    kept, budget = Kept(bounds.characters), Budget.of(bounds)
    own, files = _sorted_out(letter.structure)
    pieces = len(files)
    body = _timed_body(letter, own, kept, budget, timer(pieces + 1))
    yield body
    read: list[FileTold] = []
    for number, file in enumerate(files):
        read.append(_read_part(letter.raw, number, file, kept, budget, partial(timer, pieces - number)))
        yield read[-1]
    yield from tried(body, read, lambda number: _file(letter.raw, files[number][0]), timer)


def _timed_body(
    letter: Letter, own: list[Part], kept: Kept, budget: Budget, time: AbstractContextManager[None]
) -> BodyTold:
    try:
        with time:
            return read_body(
                letter.raw, letter.header, letter.structure, own, letter.local_parts, kept, budget
            )
    except TooSlow:
        return BodyTold(unread="too-slow")


def _sorted_out(structure: Structure) -> tuple[list[Part], list[tuple[Part, list[Part]]]]:
    """Return the parts of the mail's own text, and every attachment with the texts of a message that is one."""
    own: list[Part] = []
    files: list[tuple[Part, list[Part]]] = []
    around: list[tuple[Part, list[Part]]] = []  # messages that the part at hand lies in
    for number, part in enumerate(structure.parts):
        while around and part.body_at >= around[-1][0].end:
            around.pop()
        if part.is_attachment:
            files.append((part, []))
            if part.content_type in MESSAGES and part.encoding in IDENTITY:
                around.append(files[-1])
        elif not holds_parts(structure, number):
            (around[-1][1] if around else own).append(part)
    return own, files


def _read_part(
    raw: bytes,
    number: int,
    files: tuple[Part, list[Part]],
    kept: Kept,
    budget: Budget,
    timer: Callable[[], AbstractContextManager[None]],
) -> FileTold:
    """Read one attachment; where time runs out, what was read before counts."""
    into, before, kind_is = Gathering(budget), len(budget.invited), ""
    text, found = "", Findings()
    try:
        with timer():
            part, texts = files
            file = _file(raw, part)
            kind_is = _kind(file, part)
            _read_into(raw, file, part, texts, into)
            if into.encrypted is None and _is_sealed(file):
                into.encrypted = True
    except TooSlow:
        _note_too_slow(into)
    try:
        with timer():
            text, tables = text_and_tables(into)
            found = judged(text, tables)
    except TooSlow:
        _note_too_slow(into)
    kept_text, cut = kept.keep(text)
    return FileTold(
        number=number,
        evidence=_evidence(kind_is, into, found),
        texts=(kept_text,) if kept_text else (),
        cut=cut,
        invited=tuple(budget.invited[before:]),
    )


def _is_sealed(file: File) -> bool:
    """Tell whether a file of which its reader could not tell is encrypted."""
    try:
        state: State = import_module(_STATE).state_of(file.name, file.octets)
    except MemoryError:  # what was told of it before counts
        return False
    return state in (State.ENCRYPTED, State.PARTLY)


def _note_too_slow(into: Gathering) -> None:
    into.note("too-slow")
    into.tell(encrypted=None, macros=None)


def _file(raw: bytes, part: Part) -> File:
    return File(part.name, part_octets(raw, part), part.charset, part.content_type)


def _kind(file: File, part: Part) -> str:
    """Return what a file is; a message says of itself that it is one, where its words do not."""
    known = kind(file)
    return "eml" if part.content_type in MESSAGES and known in ("", "text") else known


def _read_into(raw: bytes, file: File, part: Part, texts: list[Part], into: Gathering) -> None:
    """Read a file, or the texts of a message whose own attachments are read as the mail's."""
    if part.content_type not in MESSAGES or part.encoding not in IDENTITY:
        read_file(file, into)
        return
    try:
        say_header(split(file.octets)[0], into)
        for text in texts:
            say_part(raw, text, into)
    except Unread as unread:
        into.note(unread.word)
    except Exception:  # one part that cannot be read must not hide the others
        into.note("damaged")


def _evidence(kind_is: str, into: Gathering, found: Findings) -> FileEvidence:
    return FileEvidence(
        kind=kind_is,
        encrypted=into.encrypted,
        macros=into.macros,
        members=tuple([whole(name) for name in into.members]),
        complete=into.complete,
        unread=into.unread,
        found=found,
    )
