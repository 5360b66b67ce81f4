"""What the reading of a mail tells, piece by piece, and its form as octets between the two processes.

Promise: `from_octets` takes nothing on trust, because what read hostile files may say anything: it raises ValueError for all
that `to_octets` does not write, and never runs what it reads.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import orjson

from gateway.message.address import Address, AddressError, parse_path
from gateway.message.evidence import PASSWORD_OF, UNREAD, FileEvidence, Findings
from gateway.values import dataclass

MAX_OCTETS = 64 << 20
"""Octets of one piece; a million characters of kept text take three."""

_NOTHING = Findings()
_COUNTS = tuple(field.name for field in fields(Findings))
MAIL_IS = ("smime-signed", "smime-encrypted", "pgp-signed", "pgp-encrypted", "tnef", "calendar")


@dataclass(frozen=True, slots=True)
class BodyTold:
    """What the mail itself told; `texts` are folded."""

    found: Findings = _NOTHING
    unread: str = ""
    mail_is: frozenset[str] = frozenset()
    speaks_of_attachment: bool = False
    greets_other: bool | None = None
    password_of: str | None = None
    password_follows: bool | None = None
    subject: str = ""
    texts: tuple[str, ...] = ()
    cut: bool = False
    invited: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class FileTold:
    """What the attachment with this number told; `texts` are folded."""

    number: int
    evidence: FileEvidence
    texts: tuple[str, ...] = ()
    cut: bool = False
    invited: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyTold:
    """Whether a password that stands in the mail opens the attachment with this number; of those that were tried."""

    number: int
    opens: bool


@dataclass(frozen=True, slots=True)
class Done:
    """All was told. The process that read ends now where `retires` says so."""

    retires: bool = False


Told = BodyTold | FileTold | KeyTold | Done


def to_octets(told: Told) -> bytes:
    """Return the piece as JSON."""
    match told:
        case BodyTold():
            value: dict[str, Any] = {
                **{name: getattr(told, name) for name in _BODY_PLAIN},
                "found": asdict(told.found),
                "mail_is": sorted(told.mail_is),
                "texts": told.texts,
                "invited": [str(address) for address in told.invited],
            }
            return orjson.dumps({"body": value})
        case FileTold():
            value = {
                "number": told.number,
                "evidence": {**asdict(told.evidence), "found": asdict(told.evidence.found)},
                "texts": told.texts,
                "cut": told.cut,
                "invited": [str(address) for address in told.invited],
            }
            return orjson.dumps({"file": value})
        case KeyTold():
            return orjson.dumps({"key": asdict(told)})
        case Done():
            return orjson.dumps({"done": told.retires})


_BODY_PLAIN = (
    "unread",
    "speaks_of_attachment",
    "greets_other",
    "password_of",
    "password_follows",
    "subject",
    "cut",
)


def from_octets(octets: bytes) -> Told:
    """Return the piece that JSON tells; raises ValueError where it tells none."""
    try:
        value = orjson.loads(octets)
        (key, inner) = next(iter(value.items()))
        if key == "done":
            return Done(_flag(inner))
        if key == "key":
            return KeyTold(_number(inner["number"]), _flag(inner["opens"]))
        return _body(inner) if key == "body" else _file(inner)
    except (AttributeError, KeyError, TypeError, StopIteration, AddressError) as error:
        raise ValueError("not what a reader says") from error


def _body(value: dict[str, Any]) -> BodyTold:
    return BodyTold(
        found=_findings(value["found"]),
        unread=_word(value["unread"]),
        mail_is=frozenset(word for word in value["mail_is"] if word in MAIL_IS),
        speaks_of_attachment=_flag(value["speaks_of_attachment"]),
        greets_other=_flag_or_none(value["greets_other"]),
        password_of=_of(value["password_of"]),
        password_follows=_flag_or_none(value["password_follows"]),
        subject=_text(value["subject"]),
        texts=_texts(value["texts"]),
        cut=_flag(value["cut"]),
        invited=_addresses(value["invited"]),
    )


def _file(value: dict[str, Any]) -> FileTold:
    told = value["evidence"]
    return FileTold(
        number=_number(value["number"]),
        evidence=FileEvidence(
            kind=_text(told["kind"])[:20],
            encrypted=_flag_or_none(told["encrypted"]),
            macros=_flag_or_none(told["macros"]),
            members=_texts(told["members"]),
            complete=_flag(told["complete"]),
            unread=_word(told["unread"]),
            found=_findings(told["found"]),
        ),
        texts=_texts(value["texts"]),
        cut=_flag(value["cut"]),
        invited=_addresses(value["invited"]),
    )


def _findings(value: dict[str, Any]) -> Findings:
    counts = {name: value[name] for name in _COUNTS}
    if any(type(count) is not int or count < 0 for count in counts.values()):
        raise ValueError("no count")
    return Findings(**counts)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("no flag")
    return value


def _flag_or_none(value: object) -> bool | None:
    return None if value is None else _flag(value)


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no number")
    return value


def _of(value: object) -> str | None:
    if value is not None and value not in PASSWORD_OF:
        raise ValueError("no word of PASSWORD_OF")
    return None if value is None else str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _texts(value: list[object]) -> tuple[str, ...]:
    return tuple([_text(each) for each in value])


def _word(value: object) -> str:
    if value != "" and value not in UNREAD:
        raise ValueError("no word of UNREAD")
    return str(value)


def _addresses(value: list[object]) -> tuple[Address, ...]:
    return tuple([parse_path(_text(each)) for each in value])
