"""Drawn mails of any nesting: whatever is replaced, left out or noted, all else stays and is read again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import count

from hypothesis import event, given, settings
from hypothesis import strategies as st

from gateway.message.header import split
from gateway.message.mime import Part, Structure, scan_structure
from gateway.transform.attachment_places import attached
from gateway.transform.attachments import CannotRebuild, Replacement, rebuild
from tests.thoroughness import examples

Tree = tuple[str, list["Tree"]]
"""A container's subtype with what is in it; a leaf has the subtype of a leaf and nothing in it."""

LEAVES = ("text", "html", "file", "picture", "forwarded")
CONTAINERS = ("mixed", "related", "alternative", "digest", "strange")


def trees() -> st.SearchStrategy[Tree]:
    leaf: st.SearchStrategy[Tree] = st.sampled_from(LEAVES).map(lambda kind: (kind, []))
    return st.recursive(
        leaf,
        lambda inner: st.tuples(st.sampled_from(CONTAINERS), st.lists(inner, min_size=1, max_size=4)),
        max_leaves=10,
    )


def octets_of(tree: Tree, number: Callable[[], int]) -> bytes:
    """Return a part with its header section; every leaf holds a text that stands nowhere else."""
    kind, inside = tree
    mark = b"mark %d of many" % number()
    if inside:
        boundary = b"b%d" % number()
        line = b"\r\n--" + boundary
        parts = b"".join(line + b"\r\n" + octets_of(each, number) for each in inside)
        head = b"Content-Type: multipart/" + kind.encode() + b"; boundary=" + boundary
        return head + b"\r\n\r\n" + mark + parts + line + b"--\r\n"
    if kind == "file":
        head = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64"
        return head + b"\r\n\r\n" + base64.b64encode(mark * 4)
    if kind == "picture":
        return b"Content-Type: image/png\r\nContent-ID: <x>\r\n\r\n" + mark
    if kind == "forwarded":
        return b"Content-Type: message/rfc822\r\n\r\nSubject: " + mark + b"\r\n\r\n" + mark
    return b"Content-Type: text/" + (b"html" if kind == "html" else b"plain") + b"\r\n\r\n" + mark


def structure_of(raw: bytes) -> Structure:
    header, body_at = split(raw)
    return scan_structure(raw, header, body_at)


def seen(part: Part) -> tuple[str, str, str]:
    return part.content_type, part.name, part.content_id


@settings(max_examples=examples(300), deadline=None)
@given(trees(), st.data())
def test_all_else_stays(tree: Tree, data: st.DataObject) -> None:
    numbers = count()
    raw = b"From: a@example.jp\r\nMIME-Version: 1.0\r\n" + octets_of(tree, lambda: next(numbers))
    structure = structure_of(raw)
    assert structure.unclear == frozenset()
    edits = {
        place: Replacement("application/zip", "添付.zip", lambda: (b"sealed",))
        if data.draw(st.booleans())
        else None
        for place in attached(structure)
    }
    note = data.draw(st.sampled_from(["", "鍵は電話で"]))
    try:
        planned = rebuild(raw, structure, edits, note)
    except CannotRebuild as refused:
        told = refused.reason
    else:
        told = ""
        assert_law(raw, structure, b"".join(planned.chunks()), edits, noted=bool(note))
    event(told)
    assert told == "" or (told in ("nothing-left", "structure") and None in edits.values())


def assert_law(
    raw: bytes, structure: Structure, out: bytes, edits: dict[int, Replacement | None], *, noted: bool
) -> None:
    after = structure_of(out)
    assert after.unclear == frozenset()
    inside = [range(structure.parts[place].header_at, structure.parts[place].end) for place in edits]
    for number, part in enumerate(structure.parts):
        touched = any(part.header_at in each for each in inside) or number in edits
        octets = raw[part.body_at : part.end]
        if not part.content_type.startswith(("multipart/", "message/")):
            assert (octets in out) is not touched
    kept = [
        seen(part)
        for number, part in enumerate(structure.parts)
        if number
        and not part.content_type.startswith("multipart/")
        and not any(part.header_at in each for each in inside)
    ]
    found = iter([seen(part) for part in after.parts])
    assert all(each in found for each in kept)
    new = [part for part in after.parts if part.content_type == "application/zip"]
    assert len(new) == sum(each is not None for each in edits.values())
    assert sum(part.content_type == "text/plain" for part in after.parts) >= noted
