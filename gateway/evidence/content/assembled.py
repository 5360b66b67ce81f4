"""From the pieces that were told to the Content of a mail; what was not told is unread, and its texts count as cut. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.detect.plain import folded
from gateway.evidence.content.told import BodyTold, FileTold, KeyTold, Told
from gateway.message.address_list import distinct
from gateway.message.evidence import Content, FileEvidence
from gateway.message.facts import Facts

_OF_MAIL = {"tnef": "tnef", "ics": "calendar"}
"""What a mail is by the kind of a file in it."""


def assembled(facts: Facts, told: Iterable[Told], missing: str) -> Content:
    """Put together what was told; `missing` is the word of UNREAD for all that was not."""
    body, files = _sorted_out(told, len(facts.attachments))
    evidence = tuple(
        [FileEvidence(unread=missing, encrypted=None) if f is None else f.evidence for f in files]
    )
    known = body if body is not None else BodyTold(unread=missing, subject=folded(facts.subject), cut=True)
    texts = {
        "subject": (known.subject,),
        "body": known.texts,
        "attachments": tuple([text for file in files if file is not None for text in file.texts]),
    }
    invited = [*known.invited, *(address for file in files if file is not None for address in file.invited)]
    return Content(
        body=known.found,
        body_unread=known.unread,
        files=evidence,
        mail_is=known.mail_is | {_OF_MAIL[file.kind] for file in evidence if file.kind in _OF_MAIL},
        invited=distinct(invited),
        speaks_of_attachment=known.speaks_of_attachment,
        greets_other=known.greets_other,
        password_of=known.password_of,
        password_follows=known.password_follows,
        texts=texts,
        cut=frozenset(
            [place for place, is_cut in (("body", known.cut), ("attachments", _cut(files))) if is_cut]
        ),
    )


def _sorted_out(told: Iterable[Told], count: int) -> tuple[BodyTold | None, list[FileTold | None]]:
    body: BodyTold | None = None
    files: list[FileTold | None] = [None] * count
    for piece in told:
        if isinstance(piece, BodyTold):
            body = piece
        elif isinstance(piece, FileTold) and piece.number < count:
            files[piece.number] = piece
        elif isinstance(piece, KeyTold) and piece.number < count:
            _tell_key(files, piece)
    return body, files


def _tell_key(files: list[FileTold | None], told: KeyTold) -> None:
    file = files[told.number]
    if file is not None:
        files[told.number] = replace(file, evidence=replace(file.evidence, key_told=told.opens))


def _cut(files: list[FileTold | None]) -> bool:
    return any(file is None or file.cut for file in files)
