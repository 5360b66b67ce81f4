"""Put the texts that rules ask for under a mail: original octets and texts in, other octets out. Pure; linear in the mail.

The one demand that changes the body. Only the text parts it concerns are written, every other octet stays; what comes out has
the same parts as what went in. A mail that cannot carry a text leaves without it, and the reason, one of WHY, is recorded with
the decision. docs/decisions/0054-what-leaves-and-to-whom.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.message.header import HeaderSection, parse_fields, split
from gateway.message.mime import Part, Structure, scan_structure
from gateway.message.mime_fields import parse_value
from gateway.policy.decision import Decision, LeftOut
from gateway.policy.disclaimers import Disclaimer, asked_for
from gateway.transform.carried import not_carried
from gateway.transform.part_octets import decoded, encoded_anew
from gateway.transform.splice import Cut, cut, spliced
from gateway.transform.text_places import Places, find_places
from gateway.transform.under_html import put_into
from gateway.transform.under_plain import Body, Written, put_under
from gateway.values import dataclass

WHY = frozenset(
    {
        "signed",  # or encrypted: a changed octet breaks it
        "unclear",  # the structure can be read in two ways
        "no-text",  # there is no text, and no place for one
        "too-large",  # a text above MAX_TEXT
        "encoding",  # the text is not what its transfer encoding allows
        "charset",  # nobody can tell what the text says
        "part-header",  # the part's header section cannot be written anew
        "structure",  # the mail would have other parts than before
    }
)
"""Why a mail leaves without a text."""

MAX_TEXT = 4 << 20
"""Octets of a text part under which a text is put; a longer one is no letter, and every copy of it is held in memory."""


@dataclass(frozen=True, slots=True)
class Disclaimed:
    """The mail with its texts; the very octets that came where `why` says that it cannot carry them, or has them all."""

    raw: bytes
    why: str = ""


class _Impossible(Exception):
    """The mail cannot carry the texts; the argument is one of WHY."""


def disclaimed(raw: bytes, texts: Sequence[Disclaimer]) -> Disclaimed:
    """Put the texts under the mail, each once, in this order; what it carries already it is not given again."""
    if not texts:
        return Disclaimed(raw)
    header, body_at = split(raw)
    structure = scan_structure(raw, header, body_at)
    places = find_places(structure)
    if places.why:
        return Disclaimed(raw, places.why)
    for anew in (False, True):
        try:
            edits = _edits(raw, structure, places, texts, anew=anew)
        except _Impossible as reason:
            return Disclaimed(raw, str(reason))
        if not edits:
            return Disclaimed(raw)
        made = b"".join(spliced(raw, edits))
        if _has_the_same_parts(structure, made, places):
            return Disclaimed(made)
    return Disclaimed(raw, "structure")


def with_left_out(decision: Decision, raw: bytes) -> Decision:
    """Return the decision with what cannot stand under this mail, and why: what is recorded is then what leaves."""
    known = {text.key: text for text in decision.texts}
    found = []
    for keys in sorted({tuple(sorted(each.demands.disclaimers)) for each in decision.outcomes}):
        why = disclaimed(raw, asked_for(known, keys)).why
        if why:
            found.append(LeftOut(keys, why))
    return replace(decision, left_out=tuple(found))


def _edits(
    raw: bytes, structure: Structure, places: Places, texts: Sequence[Disclaimer], *, anew: bool
) -> list[Cut]:
    if places.before is not None:
        return [_new_part(raw, places.before, texts, anew=anew)]
    found = [_edit(raw, part, texts, is_root=part is structure.parts[0], anew=anew) for part in places.parts]
    return sorted([each for each in found if each is not None], key=lambda each: each.start)


def _edit(raw: bytes, part: Part, texts: Sequence[Disclaimer], *, is_root: bool, anew: bool) -> Cut | None:
    if part.end - part.body_at > MAX_TEXT:
        raise _Impossible("too-large")
    body = _body(raw, part)
    plain = decoded(body.octets, part.encoding)
    if plain is None:
        raise _Impossible("encoding")
    if b"-----BEGIN PGP " in plain:
        raise _Impossible("signed")
    html = part.content_type == "text/html"
    missing = not_carried(plain, part.charset, texts, html=html)
    if not missing:
        return None
    if html:
        written = put_into(body, plain, missing, anew=anew)
    else:
        written = put_under(body, plain, [text.text for text in missing], anew=anew)
    return _as_edit(raw, part, written, is_root=is_root)


def _body(raw: bytes, part: Part) -> Body:
    section = raw[part.header_at : _section_end(raw, part)]
    kind = HeaderSection(parse_fields(section)).first("content-type")
    form = parse_value(kind.value).parameters.get("format", "") if kind is not None else ""
    return Body(
        section, raw[part.body_at : part.end], part.encoding, part.charset, flowed=form.lower() == "flowed"
    )


def _section_end(raw: bytes, part: Part) -> int:
    """Return where a part's header section ends, before the empty line."""
    empty = raw.startswith(b"\r\n", part.body_at - 2)
    return max(part.body_at - 2, part.header_at) if empty else part.body_at


def _as_edit(raw: bytes, part: Part, written: Written, *, is_root: bool) -> Cut:
    if written.why:
        raise _Impossible(written.why)
    if written.section is None:
        if not raw.startswith(b"\r\n", part.body_at - 2):  # a header section that runs into nothing
            raise _Impossible("structure")
        return cut(part.body_at, part.end, written.octets)
    section = written.section
    if is_root and b"\nmime-version:" not in b"\n" + section.lower():
        section += b"MIME-Version: 1.0\r\n"
    return cut(part.header_at, part.end, section + b"\r\n" + written.octets)


def _new_part(raw: bytes, first: Part, texts: Sequence[Disclaimer], *, anew: bool) -> Cut:
    """Return a text part before the first one: its delimiter line, written once more."""
    start = raw.rfind(b"\n", 0, first.header_at - 1) + 1
    delimiter = raw[start : first.header_at]
    text = "\n\n".join([each.text for each in texts]).replace("\n", "\r\n") + "\r\n"
    encoding, octets = encoded_anew(text.encode(), opaque=anew)
    head = (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n"
        % encoding.encode()
    )
    return cut(start, start, delimiter + head + octets.removesuffix(b"\r\n") + b"\r\n")


def _has_the_same_parts(before: Structure, made: bytes, places: Places) -> bool:
    """Tell whether the mail reads as it did: the same parts, the untouched ones of the same size, a new one in its place."""
    header, body_at = split(made)
    after = scan_structure(made, header, body_at)
    parts = after.parts
    if places.before is not None:
        parts = parts[:1] + parts[2:]
    touched = {id(part) for part in places.parts}
    return (
        not after.unclear
        and len(parts) == len(before.parts)
        and all(map(lambda was, now: _alike(was, now, touched=id(was) in touched), before.parts, parts))
    )


def _alike(was: Part, now: Part, *, touched: bool) -> bool:
    same = (was.depth, was.within, was.content_type, was.name, was.disposition, was.content_id) == (
        now.depth,
        now.within,
        now.content_type,
        now.name,
        now.disposition,
        now.content_id,
    )
    holds = was.content_type.startswith(("multipart/", "message/"))
    return same and (touched or holds or was.size_bytes == now.size_bytes)
