"""What a case says of the inside of its mail, told as it would be told of a mail that came.

Texts go through the detectors themselves. A case that says nothing has a mail that was read and in which nothing was found. So
nothing is in doubt in a case but what it calls `unread`.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.detect.attached import speaks_of_attachment
from gateway.detect.findings import findings
from gateway.detect.kinds import KINDS, kind_of, suffix_of
from gateway.detect.password_words import announced
from gateway.detect.passwords import password_of
from gateway.detect.plain import folded
from gateway.detect.salutation import greets_somebody_else
from gateway.message.evidence import Content, FileEvidence
from gateway.message.facts import Facts
from gateway.policy import values
from gateway.policy.conditions.content import Unread
from gateway.policy.parts import Part, told


class CaseFile(Part):
    """What is in a file of the case's mail."""

    text: str = told("中の文章", "the text in it", "")
    kind: values.FileKind | None = told(
        "中身の種類。なければ拡張子から", "what it is; by the ending of its name, if it is not said"
    )
    encrypted: values.Flag = told("`true`: 暗号化されている", "`true`: it is encrypted, and so unread", False)
    macros: values.Flag = told("`true`: マクロを含む", "`true`: it holds macros", False)
    members: tuple[str, ...] = told("書庫の中の名前", "the names in an archive", ())
    unread: Unread | None = told("読めない理由", "why it could not be read")
    key_told: values.Flag | None = told(
        "`true`: メールにあるパスワードで開く。`false`: 開かない",
        "`true`: a password that stands in the mail opens it; `false`: none does; without it nobody tried",
    )


class CaseInside(Part):
    """What is in the mail."""

    body: str = told("本文", "the text of the mail, without what it quotes", "")
    body_unread: Unread | None = told("本文が読めない理由", "why the text could not be read")


def content_of(inside: CaseInside, files: Iterable[tuple[str, CaseFile]], facts: Facts) -> Content:
    """Return what a look into the mail would have told; `files` are names and what is in them."""
    words = folded(inside.body)
    every = tuple(files)
    local_parts = [address.local for address in facts.envelope.recipients]
    return Content(
        body=findings(words),
        body_unread=inside.body_unread or "",
        files=tuple(_file(name, file) for name, file in every),
        speaks_of_attachment=speaks_of_attachment(words),
        greets_other=greets_somebody_else(words, local_parts),
        password_of=password_of(folded(facts.subject), words),
        password_follows=announced(words),
        texts={"body": (words,), "attachments": tuple(folded(file.text) for _, file in every if file.text)},
    )


def _file(name: str, file: CaseFile) -> FileEvidence:
    suffix = suffix_of(name)
    return FileEvidence(
        kind=file.kind or (suffix if suffix in KINDS else kind_of(name, b"text")),
        encrypted=file.encrypted,
        macros=file.macros,
        members=file.members,
        unread=file.unread or ("encrypted" if file.encrypted else ""),
        found=findings(folded(file.text)),
        key_told=file.key_told,
    )
