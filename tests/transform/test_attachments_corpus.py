"""Every mail of the corpus with all its attachments sealed: all other octets stay, all other parts are read again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from gateway.message.header import split
from gateway.message.mime import Part, Structure, scan_structure
from gateway.protect.file import File
from gateway.protect.seal import Form, Recipe, Refused, seal
from gateway.transform.attachment_places import attached
from gateway.transform.attachments import CannotRebuild, Replacement, rebuild
from gateway.transform.part_content import Undecodable, content_of
from tests.protect.sample import entropy

Mails = list[tuple[str, bytes]]
FEWEST = 200
"""Mails of the corpus that have attachments and can be rebuilt; fewer, and this test has stopped looking."""

WORTH_LOOKING_FOR = 12
"""Octets of a file's content that do not stand in a mail by chance."""

FEW_SIGNS = 5
"""Different octets of a line that says nothing: a row of zeros stands in every OLE file."""


def structure_of(raw: bytes) -> Structure:
    header, body_at = split(raw)
    return scan_structure(raw, header, body_at)


def files_of(raw: bytes, structure: Structure, places: tuple[int, ...]) -> list[File]:
    parts = [structure.parts[place] for place in places]
    return [File(part.name, lambda part=part: content_of(raw, part)) for part in parts]  # type: ignore[misc]


def seen(part: Part) -> tuple[str, str, str, int]:
    container = part.content_type.startswith(("multipart/", "message/"))
    return part.content_type, part.name, part.charset, -1 if container else part.size_bytes


def rests(raw: bytes, structure: Structure, touched: tuple[int, ...]) -> list[bytes]:
    """Return the runs of octets outside of the parts that were touched, without the delimiter lines between them."""
    out, at = [], 0
    for number in touched:
        part = structure.parts[number]
        out.append(raw[at : part.header_at].rpartition(b"\n--")[0])
        at = part.end
    return [*out, raw[at:]]


def edits_for(
    structure: Structure, files: list[File], places: tuple[int, ...], form: Form
) -> dict[int, Replacement | None]:
    outcome = seal(files, Recipe(form, "yuzu-take", datetime(2026, 11, 21, tzinfo=UTC), entropy()))
    edits: dict[int, Replacement | None] = {
        places[n]: None for n in range(len(files)) if n not in outcome.left
    }
    for each in outcome.sealed:
        edits[places[each.holds[0]]] = Replacement(each.content_type, each.name, each.chunks)
    return edits


@pytest.mark.corpus
@pytest.mark.parametrize("form", [Form.ZIP_AES256, Form.NATIVE])
def test_all_attachments_sealed(corpus: Mails, form: Form) -> None:
    told: Counter[str] = Counter()
    for name, raw in corpus:
        structure = structure_of(raw)
        places = attached(structure)
        if places:
            told[_one(name, raw, structure, places, form)] += 1
    assert told["rebuilt"] >= FEWEST, told


def _one(name: str, raw: bytes, structure: Structure, places: tuple[int, ...], form: Form) -> str:
    files = files_of(raw, structure, places)
    try:
        edits = edits_for(structure, files, places, form)
        out = b"".join(rebuild(raw, structure, edits).chunks())
    except (CannotRebuild, Undecodable, Refused) as refused:
        return refused.reason
    if not edits:
        assert out == raw, name
        return "left"
    for rest in rests(raw, structure, tuple(sorted(edits))) if 0 not in edits else []:
        assert rest in out, name
    _reads_alike(name, raw, structure, out, edits)
    _nothing_in_clear(name, raw, structure, out, edits)
    return "rebuilt"


def _reads_alike(
    name: str, raw: bytes, structure: Structure, out: bytes, edits: dict[int, Replacement | None]
) -> None:
    gone: list[int] = []
    for number, part in enumerate(structure.parts):
        inside = any(structure.parts[g].body_at <= part.header_at < structure.parts[g].end for g in gone)
        if number in edits or inside:
            gone.append(number)
    left = [seen(part) for number, part in enumerate(structure.parts) if number not in gone and number]
    after = structure_of(out)
    new = [(each.content_type, each.name) for each in edits.values() if each is not None]
    found = [seen(part) for part in after.parts[1:]] if 0 not in edits else []
    assert after.unclear == frozenset(), name
    assert Counter(found) - Counter(left) == Counter(
        [each for each in found if (each[0], each[1]) in new and each not in left]
    ), name
    assert not Counter(left) - Counter(found), name


def _nothing_in_clear(
    name: str, raw: bytes, structure: Structure, out: bytes, edits: dict[int, Replacement | None]
) -> None:
    """Neither the octets of a file nor its lines of base64 are found in what leaves, but where they stand twice."""
    rest = (
        rests(raw, structure, tuple(sorted(edits))) if 0 not in edits else [raw[: structure.parts[0].body_at]]
    )
    kept = b"\0".join(rest)
    for number in edits:
        part = structure.parts[number]
        for line in raw[part.body_at : part.end].split(b"\r\n"):
            telling = len(line) > WORTH_LOOKING_FOR and len(set(line)) > FEW_SIGNS
            if telling and line not in kept and not line.startswith((b"--", b"Content-")):
                assert line not in out, (name, line)
