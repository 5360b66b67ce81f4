"""Conditions on attachments: how many there are of those that fit, by name and size, and by what a look into them told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from pydantic import model_validator

from gateway.detect.kinds import fits_name
from gateway.message.evidence import FileEvidence
from gateway.message.facts import Attachment
from gateway.policy import values
from gateway.policy.bounds import NumberTest, SizeRange, between, check_range
from gateway.policy.conditions.certainty import (
    NOBODY_KNOWS,
    NOTHING_THERE,
    Counted,
    all_of,
    any_of,
    count,
    in_range,
)
from gateway.policy.conditions.content import UnreadOrAny, fits_unread
from gateway.policy.conditions.context import Context, Need, Test
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, told
from gateway.policy.text_match import NameTest, glob

_LOOKS_INSIDE = {"kind", "encrypted", "macros", "member", "unread", "kind_differs"}
_NO_KIND = frozenset(
    {"", "unknown-kind"}
)  # why nothing was read, where the octets were looked at and are of no kind
_NO_LIST = frozenset({"encrypted", "too-large", "too-deep", "too-slow", "damaged"})  # names may be missing


class Attachments(Part):
    """How many attachments there are that fit all of this."""

    at_least: values.Count | None = told("この数以上", "this many or more")
    at_most: values.Count | None = told("この数以下", "this many or fewer")
    name: values.Globs | None = told(
        "ファイル名の型。`*` は任意の文字列、`?` は1文字。いずれか",
        'patterns for the file name, `*` for any characters and `?` for one: `["*.exe", "*名簿*"]`; OR',
    )
    size: SizeRange | None = told(
        "添付ファイル一つの大きさ", "a range for the decoded size of each attachment"
    )
    kind: values.FileKinds | None = told(
        "中身から分かる種類(名前ではなく): `pdf`、`exe`、`xlsm` など。いずれか",
        "what the file is, by its content and not by its name: `pdf`, `exe`, `xlsm`, ...; OR",
    )
    encrypted: values.Flag | None = told(
        "`true`: 開くのにパスワードや鍵が要る", "`true`: it needs a password or a key to be opened"
    )
    macros: values.Flag | None = told("`true`: マクロを含む", "`true`: it holds macros")
    member: values.Globs | None = told(
        "書庫(入れ子も)の中のファイル名の型。いずれか",
        'patterns for a name in an archive, or in one inside it, with or without its folders: `"*.exe"`; OR',
    )
    unread: UnreadOrAny | None = told(
        "`true`: 読めない。または理由のリスト(`unread` の表)",
        "`true`: it could not be read; or for one of these reasons (see `unread`)",
    )
    kind_differs: values.Flag | None = told(
        "`true`: 中身の種類が名前の拡張子と合わない",
        "`true`: what the file is does not fit the ending of its name",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.model_fields_set - {"at_least", "at_most"} or self.bounded:
            check_range(self.at_least, self.at_most)
        return self

    @property
    def bounded(self) -> bool:
        return self.at_least is not None or self.at_most is not None


class AttachmentKeys(Part):
    """Keys that ask for attachments."""

    attachments: Attachments | None = told(
        "条件に合う添付ファイルの数。範囲を書かなければ1つ以上",
        "the number of attachments that fit lies in the range; without a bound, at least one",
    )


def tests(keys: AttachmentKeys, _context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    if keys.attachments is not None:
        yield _attachments(keys.attachments, in_doubt)


def needs(keys: AttachmentKeys) -> Need:
    """Return what has to be looked up: the content, where more than name and size is asked for."""
    wanted = keys.attachments.model_fields_set if keys.attachments is not None else set[str]()
    return Need.CONTENT if wanted & _LOOKS_INSIDE else Need.NOTHING


FileTest = Callable[[Attachment, FileEvidence | None], bool | None]


def _attachments(asked: Attachments, in_doubt: bool) -> Test:
    tests = tuple(_each(asked))

    def counted(mail: Mail) -> Counted:
        if not mail.facts.attachments:
            return NOBODY_KNOWS if mail.facts.unclear else NOTHING_THERE
        files = _files(mail)
        found = [
            all_of(test(a, file) for test in tests)
            for a, file in zip(mail.facts.attachments, files, strict=True)
        ]
        least, most = count(found)
        return Counted(least, None if mail.facts.unclear else most)  # there may be files that nobody saw

    fits = in_range(asked.at_least if asked.bounded else 1, asked.at_most, counted, in_doubt)
    return lambda mail: not (mail.facts.unclear and not in_doubt) and fits(mail)


def _files(mail: Mail) -> list[FileEvidence | None]:
    """Return what a look into each attachment told; None where nobody looked."""
    content = mail.facts.evidence.content
    files = content.files if content is not None else ()
    missing = len(mail.facts.attachments) - len(files)
    return [*files, *[None] * missing] if missing >= 0 else [None] * len(mail.facts.attachments)


def _each(asked: Attachments) -> Iterator[FileTest]:
    """Yield the tests that one attachment has to pass."""
    if asked.name is not None:
        yield _name([glob(name) for name in asked.name])
    if asked.size is not None:
        yield _size(between(asked.size.at_least, asked.size.at_most))
    if asked.kind is not None:
        yield _kind(frozenset(asked.kind))
    if asked.encrypted is not None:
        yield _flag("encrypted", asked.encrypted)
    if asked.macros is not None:
        yield _flag("macros", asked.macros)
    if asked.member is not None:
        yield _member([glob(name) for name in asked.member])
    if asked.unread is not None:
        yield _unread(asked.unread)
    if asked.kind_differs is not None:
        yield _kind_differs(asked.kind_differs)


def _name(names: list[NameTest]) -> FileTest:
    return lambda attachment, _: any_of(name(attachment.name) for name in names)


def _size(fits: NumberTest) -> FileTest:
    return lambda attachment, _: fits(attachment.size_bytes)


def _kind(wanted: frozenset[str]) -> FileTest:
    def test(_: Attachment, file: FileEvidence | None) -> bool | None:
        if file is None or (not file.kind and file.unread not in _NO_KIND):
            return None
        return file.kind in wanted

    return test


def _flag(key: str, wanted: bool) -> FileTest:
    def test(_: Attachment, file: FileEvidence | None) -> bool | None:
        found = getattr(file, key) if file is not None else None
        return None if found is None else found is wanted

    return test


def _member(names: list[NameTest]) -> FileTest:
    def test(_: Attachment, file: FileEvidence | None) -> bool | None:
        if file is None:
            return None
        every = [form for member in file.members for form in {member, member.rpartition("/")[2]}]
        found = any_of(name(member) for member in every for name in names)
        missing = not file.complete or (file.unread in _NO_LIST and not file.members)
        return None if missing and not found else found

    return test


def _unread(wanted: bool | tuple[str, ...]) -> FileTest:
    def test(_: Attachment, file: FileEvidence | None) -> bool | None:
        if file is None:
            return None
        return fits_unread(wanted or True, file.unread) is not (wanted is False)

    return test


def _kind_differs(wanted: bool) -> FileTest:
    def test(attachment: Attachment, file: FileEvidence | None) -> bool | None:
        fits = fits_name(file.kind, attachment.name) if file is not None else None
        return None if fits is None else fits is not wanted

    return test
