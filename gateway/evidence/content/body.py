"""The mail itself: its text in all the forms it has, what it is as a whole, and what its sender says in their own words.

Promise: never raises but TooSlow; linear; only the standard library reads (small mails are read in the gateway's process).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.detect.attached import speaks_of_attachment
from gateway.detect.password_words import announced
from gateway.detect.passwords import password_of
from gateway.detect.plain import folded
from gateway.detect.salutation import greetings, greets_somebody_else
from gateway.evidence.content.calendars import read_calendar
from gateway.evidence.content.enclosed import part_octets, say_unparted
from gateway.evidence.content.files import File, read_file
from gateway.evidence.content.gathering import Budget, Gathering, Unread
from gateway.evidence.content.judged import judged, text_and_tables
from gateway.evidence.content.kept import Kept
from gateway.evidence.content.octets import text_of
from gateway.evidence.content.pages import say_page
from gateway.evidence.content.quoting import own_text
from gateway.evidence.content.told import BodyTold
from gateway.evidence.content.whole_mail import is_for_machines, mail_is, why_unread
from gateway.message.address_list import parse_mailboxes
from gateway.message.header import HeaderSection
from gateway.message.mime import Part, Structure
from gateway.message.text import decode_header

PLAIN = frozenset({"text/plain", "text/enriched", ""})
"""Types of parts that are read here; any other text goes to the reader of its kind."""


def read_body(
    raw: bytes,
    header: HeaderSection,
    structure: Structure,
    own: Sequence[Part],
    local_parts: Sequence[str],
    kept: Kept,
    budget: Budget,
) -> BodyTold:
    """Read subject and text; `own` are the parts that are neither attachments nor inside of one."""
    subject = folded(" ".join([decode_header(field.body) for field in header.all("subject")]))
    into = Gathering(budget)
    forms = [_form(raw, part, into) for part in own]
    text, tables = text_and_tables(into)
    words = _own_words(own, forms)
    is_a = mail_is(raw, structure, text)
    kept_subject, subject_cut = kept.keep(subject)
    kept_text, cut = kept.keep(text)
    return BodyTold(
        found=judged(f"{subject}\n{text}", tables),
        unread=into.unread or why_unread(is_a, structure),
        mail_is=is_a,
        speaks_of_attachment=speaks_of_attachment(words),
        greets_other=_greets_other(words, header, local_parts),
        password_of=password_of(subject, text),
        password_follows=announced(text),
        subject=kept_subject,
        texts=(kept_text,) if kept_text else (),
        cut=cut or subject_cut,
        invited=tuple(budget.invited),
    )


def _form(raw: bytes, part: Part, into: Gathering) -> str:
    """Read one part of the text; return the text that this part alone gave."""
    before = len(into.prose)
    try:
        _say(raw, part, into)
    except Unread as unread:
        into.note(unread.word)
    except Exception:  # one part that cannot be read must not hide the others
        into.note("damaged")
    return "\n".join(into.prose[before:])


def _say(raw: bytes, part: Part, into: Gathering) -> None:
    octets = part_octets(raw, part)
    if part.content_type == "text/html":
        say_page(text_of(octets, part.charset), into)
    elif part.content_type == "text/calendar":
        read_calendar(text_of(octets, part.charset), into)
    elif part.content_type in PLAIN or part.content_type.startswith("message/"):
        into.say(text_of(octets, part.charset))
    elif part.content_type.startswith("multipart/"):
        say_unparted(raw, part, into)
    elif not is_for_machines(octets):
        read_file(File("", octets, part.charset, part.content_type), into)


def _own_words(parts: Sequence[Part], forms: Sequence[str]) -> str:
    """Return the sender's own words, folded: of the plain form, where there is one, without what it quotes."""
    plain = [
        form for part, form in zip(parts, forms, strict=True) if part.content_type in PLAIN and form.strip()
    ]
    chosen = plain or [
        form for part, form in zip(parts, forms, strict=True) if part.content_type == "text/html"
    ]
    return own_text(folded("\n".join(chosen)))


def _greets_other(words: str, header: HeaderSection, local_parts: Sequence[str]) -> bool | None:
    """Tell whether the greeting is for somebody else than the recipients; None where nobody known is greeted."""
    if not greetings(words):
        return None
    fields = [field for field in header.fields if field.name in ("to", "cc")]
    names = [folded(box.name) for field in fields for box in parse_mailboxes(field.value).items if box.name]
    return greets_somebody_else(words, local_parts, names)
