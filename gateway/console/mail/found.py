"""What stands in and beside a mail, as it was found before the decision: files by name and kind, and what their text holds.

Pure. Counts and names only: no number and no word of a text is recorded, and none is shown. What nobody looked at says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.console import view
from gateway.languages import Words, shown, size
from gateway.message.evidence import Content, FileEvidence, Findings
from gateway.message.facts import Attachment, Facts
from gateway.values import dataclass

MEMBERS = 50  # names in an archive that are listed; the count tells the rest
KIND = 80  # characters of a media type


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One file. `bad` are findings that somebody should look at, `told` what is worth to know; `more` members are not
    listed."""

    name: str
    kind: str
    size: str
    bad: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in the text, and in each file; `looked` is false where nobody looked inside."""

    text: tuple[str, ...]
    files: tuple[FoundFile, ...]
    more_files: int
    looked: bool


def found(facts: Facts | None, seen: Sequence[Attachment] | None, words: Words) -> Found:
    """Return what was found; `seen` are the attachments as they are read now, where no facts were recorded."""
    attachments = facts.attachments if facts is not None else tuple(seen or ())
    content = None if facts is None else facts.evidence.content
    evidence: Sequence[FileEvidence | None] = (
        content.files
        if content is not None and len(content.files) == len(attachments)
        else [None] * len(attachments)
    )
    pairs = list(zip(attachments, evidence, strict=True))[: view.SHOWN_ATTACHMENTS]
    return Found(
        text=() if content is None else _of_text(content, words),
        files=tuple([_file(attachment, looked, words) for attachment, looked in pairs]),
        more_files=len(attachments) - len(pairs),
        looked=content is not None,
    )


def _of_text(content: Content, words: Words) -> tuple[str, ...]:
    said = _counted(content.body, words)
    if content.body_unread:
        said.append(_unread(content.body_unread, words))
    if content.greets_other:
        said.append(words.gettext("The greeting names somebody who is not among the recipients."))
    return tuple(said)


def _file(attachment: Attachment, looked: FileEvidence | None, words: Words) -> FoundFile:
    name = shown(attachment.name, view.FILE_NAME) or words.gettext("(no name)")
    kind = shown(attachment.content_type, KIND)
    if looked is None:
        return FoundFile(name, kind, size(attachment.size_bytes))
    listed = [shown(member, view.FILE_NAME) for member in looked.members[:MEMBERS]]
    return FoundFile(
        name=name,
        kind=looked.kind.upper() or kind,
        size=size(attachment.size_bytes),
        bad=(*_dangers(attachment, looked, words), *_counted(looked.found, words)),
        told=tuple(_told(looked, words)),
        members=tuple(listed),
        more=len(looked.members) - len(listed),
    )


_PROGRAMS = frozenset({"exe", "dll", "script", "msi", "lnk", "jar", "apk", "elf", "hta"})


def _dangers(attachment: Attachment, looked: FileEvidence, words: Words) -> list[str]:
    said = []
    if looked.kind in _PROGRAMS:
        said.append(words.gettext("A program, whatever its name says."))
    if looked.macros:
        said.append(words.gettext("Holds macros."))
    return said


def _told(looked: FileEvidence, words: Words) -> list[str]:
    _ = words.gettext
    said = []
    if looked.encrypted:
        said.append(_("Encrypted: a key is needed to open it."))
        if looked.key_told:
            said.append(_("A password that stands in the mail opens it."))
    elif looked.unread:
        said.append(_unread(looked.unread, words))
    if not looked.complete:
        said.append(_("Not all names in it could be read."))
    return said


def _counted(findings: Findings, words: Words) -> list[str]:
    """Say how many of each kind there are; what is only possible is said where nothing certain is."""
    return [sentence for name in _KINDS if (sentence := _sentence(name, findings, words))]


_KINDS = (
    "my_number",
    "corporate_number",
    "card",
    "phone",
    "postal_address",
    "mail_address",
    "person",
    "password",
)


def _sentence(name: str, findings: Findings, words: Words) -> str:
    count = int(getattr(findings, name))
    if count:
        return _certain(words, count)[name]
    maybe = int(getattr(findings, f"{name}_possible", 0))
    return _possible(words, maybe)[name] if maybe else ""


def _certain(words: Words, n: int) -> Mapping[str, str]:
    return {
        "my_number": words.ngettext("%(n)s My Number", "%(n)s My Numbers", n),
        "corporate_number": words.ngettext("%(n)s corporate number", "%(n)s corporate numbers", n),
        "card": words.ngettext("%(n)s credit card number", "%(n)s credit card numbers", n),
        "phone": words.ngettext("%(n)s telephone number", "%(n)s telephone numbers", n),
        "postal_address": words.ngettext("%(n)s postal address", "%(n)s postal addresses", n),
        "mail_address": words.ngettext("%(n)s mail address", "%(n)s mail addresses", n),
        "person": words.ngettext("%(n)s name of a person", "%(n)s names of persons", n),
        "password": words.ngettext("%(n)s password", "%(n)s passwords", n),
    }


def _possible(words: Words, n: int) -> Mapping[str, str]:
    return {
        "my_number": words.ngettext(
            "%(n)s number that may be a My Number", "%(n)s numbers that may be My Numbers", n
        ),
        "corporate_number": words.ngettext(
            "%(n)s number that may be a corporate number", "%(n)s numbers that may be corporate numbers", n
        ),
        "card": words.ngettext(
            "%(n)s number that may be a credit card number",
            "%(n)s numbers that may be credit card numbers",
            n,
        ),
    }


def _unread(word: str, words: Words) -> str:
    _ = words.gettext
    return {
        "encrypted": _("Encrypted: nobody could look inside."),
        "too-large": _("Too large to be looked at to its end."),
        "too-deep": _("Archives in archives, too deep to be looked at."),
        "too-slow": _("Looking inside took too long."),
        "damaged": _("Damaged: it is not what it says."),
    }.get(word, _("Nobody here can look into this kind of file."))
