"""Render copies: read an original once, compute what copies share once, then write one header after another.

Promise: deterministic, linear, the body a view of the original and never copied (disclaiming.py writes another original where
a text has to stand under it, once for all copies). Every copy has our Received on top, Date and
Message-ID where there were none, the tags of its view, and no Bcc, Resent-Bcc or Return-Path; all other octets of an ORIGINAL
copy are those that came. A hiding copy differs from others of its kind in the To field only, which makes the next one cheap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from datetime import datetime
from functools import cached_property

from gateway.message.domains import DomainSet, domain_set
from gateway.message.envelope import Envelope
from gateway.message.gather import QUICK_HEADER_OCTETS
from gateway.message.header import HeaderSection, split
from gateway.message.revealing import ALWAYS_DROPPED
from gateway.policy.decision import Decision
from gateway.policy.disclaimers import asked_for
from gateway.transform.author import Author, author_of
from gateway.transform.disclaiming import disclaimed
from gateway.transform.frame import Frame, build_frame, tag_fields, without_tags
from gateway.transform.to_line import to_field
from gateway.transform.trace import Added, added_fields
from gateway.transform.veil import Seen, draw_veil, seen_in
from gateway.transform.view import Variant, View
from gateway.values import dataclass

Kind = tuple[tuple[str, ...], bool, tuple[tuple[str, str], ...]]
"""What hiding copies with the same frame share: companions, hide_internal, tags."""

QUICK_TEXT = 64 << 10
"""Octets of a mail under which a text is put within some milliseconds."""

QUICK_RECIPIENTS = 2_000
"""Envelope recipients whose addresses are looked for in every field within some 20 ms."""


class OtherVariant(Exception):
    """A copy was asked of an original whose files are not as the copy's are to be. Whoever gets it renders nothing."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy: `header` ends with the empty line, `body` lies in the original octets."""

    header: bytes
    body: memoryview

    def to_bytes(self) -> bytes:
        """Return the whole copy in one piece, for previews and tests; delivery sends the two parts."""
        return self.header + bytes(self.body)


@dataclass(frozen=True)
class Original:
    """An original, split once; what only hiding copies need is read when the first of them asks.

    The dicts keep what was computed: an entry per class of recipients, not per recipient. `under` has the mail with the texts
    that stand under some of its copies. `variant` says what was done to its files: it gives copies of that variant and of no
    other, so that nobody whose files are to be protected can get the mail as it came (`carrying`).
    """

    header: HeaderSection
    body: memoryview
    added: Added
    envelope: Envelope
    decision: Decision
    frames: dict[Kind, Frame] = field(default_factory=dict, repr=False, compare=False)
    complete: dict[View, bytes] = field(default_factory=dict, repr=False, compare=False)
    raw: bytes = field(default=b"", repr=False, compare=False)
    under: dict[tuple[str, ...], Original] = field(default_factory=dict, repr=False, compare=False)
    variant: Variant | None = None

    @cached_property
    def author(self) -> Author:
        return author_of(self.envelope, self.header)

    @cached_property
    def seen(self) -> Seen:
        return seen_in(self.header, self.envelope)

    @cached_property
    def internal(self) -> DomainSet:
        return domain_set(self.decision.internal)


def prepare(
    raw: bytes, envelope: Envelope, decision: Decision, queue_id: str, received_at: datetime, hostname: str
) -> Original:
    """Split an original as it came and fix what we add to it. `received_at` is aware, `hostname` our own."""
    header, body_at = split(raw)
    added = added_fields(envelope, queue_id, received_at, hostname)
    return Original(header, memoryview(raw)[body_at:], added, envelope, decision, raw=raw)


def sealed(original: Original, octets: bytes, variant: Variant) -> Original:
    """Return the original of a variant's copies; `octets` are the mail with its files as the variant wants them."""
    header, body_at = split(octets)
    view = memoryview(octets)[body_at:]
    return replace(
        original, header=header, body=view, raw=octets, variant=variant, frames={}, complete={}, under={}
    )


def render(original: Original, view: View) -> Copy:
    """Return the copy that recipients with this view get; raises OtherVariant."""
    original = carrying(original, view)
    if not view.hides:
        return Copy(_complete(original, view), original.body)
    frame = _frame(original, view)
    entries = _entries(frame, view, original.envelope.smtputf8)
    return Copy(b"".join((frame.before, to_field(entries), frame.after)), original.body)


def carrying(original: Original, view: View) -> Original:
    """Return the original that a view's copies are made of, its texts under it, written at the first call.

    Every copy comes through here. Raises OtherVariant where the files are not as they have to be.
    """
    if original.variant != view.variant:
        raise OtherVariant("the files of this mail are not as they have to be in this copy")
    texts = view.disclaimers
    if not texts:
        return original
    found = original.under.get(texts)
    if found is None:
        known = {text.key: text for text in original.decision.texts}
        made = disclaimed(original.raw, asked_for(known, texts)).raw
        found = original if made is original.raw else _with_octets(original, made)
        original.under[texts] = found.under[texts] = found  # whoever has it already asks for nothing more
    return found


def _with_octets(original: Original, raw: bytes) -> Original:
    header, body_at = split(raw)
    view = memoryview(raw)[body_at:]
    return replace(original, header=header, body=view, raw=raw, frames={}, complete={}, under={})


def is_quick(original: Original) -> bool:
    """Tell whether no copy of a mail like this takes long to write: under 50 ms."""
    if original.decision.texts and len(original.raw) > QUICK_TEXT:
        return False
    few = len(original.envelope.recipients) <= QUICK_RECIPIENTS
    return few and sum([len(each.raw) for each in original.header.fields]) <= QUICK_HEADER_OCTETS


def unprepared(original: Original, views: Iterable[View]) -> list[View]:
    """Return those of which nothing was computed yet, one of each kind."""
    missing: dict[View | tuple[tuple[str, ...], Kind], View] = {}
    for view in views:
        made = original.under.get(view.disclaimers) if view.disclaimers else original
        if made is None or not view.hides:
            if made is None or view not in made.complete:
                missing[view] = view
        elif (kind := _kind(view)) not in made.frames:
            missing[view.disclaimers, kind] = view
    return list(missing.values())


def prepare_views(original: Original, views: Iterable[View]) -> None:
    """Compute what copies with these views share, so that `render` is quick whatever the header section holds."""
    for view in views:
        if view.hides:
            frame_of(original, view)
        else:
            _complete(carrying(original, view), view)


def to_entries(original: Original, view: View) -> tuple[bytes, ...]:
    """Return what stands in the To of a hiding copy, entry by entry."""
    return _entries(frame_of(original, view), view, original.envelope.smtputf8)


def _entries(frame: Frame, view: View, smtputf8: bool) -> tuple[bytes, ...]:
    return frame.blind if view.own is None else frame.to_of(view.own, smtputf8)


def frame_of(original: Original, view: View) -> Frame:
    """Return what all hiding copies of this kind share, computed at the first call."""
    return _frame(carrying(original, view), view)


def _frame(original: Original, view: View) -> Frame:
    kind = _kind(view)
    frame = original.frames.get(kind)
    if frame is None:
        veil = draw_veil(
            original.seen, original.author, original.internal, view.companions, view.hide_internal
        )
        group, smtputf8 = original.decision.to_line.group, original.envelope.smtputf8
        header = without_tags(original.header, view.tags, original.decision.tag_names)
        frame = build_frame(header, original.added, view.tags, veil, group, smtputf8)
        original.frames[kind] = frame
    return frame


def _kind(view: View) -> Kind:
    return (view.companions, view.hide_internal, view.tags)


def _complete(original: Original, view: View) -> bytes:
    """Return the original header section with our fields on top. The section puts them below a leading mbox line."""
    header = original.complete.get(view)
    if header is None:
        kept = without_tags(original.header, view.tags, original.decision.tag_names, ALWAYS_DROPPED)
        octets = kept.prepend(original.added.to(kept.fields) + tag_fields(view.tags)).to_bytes()
        header = octets + (b"\r\n" if octets.endswith(b"\r\n") else b"\r\n\r\n")
        original.complete[view] = header
    return header
