"""Command lines as values: verb and argument, MAIL and RCPT with their parameters (RFC 5321 4.1.1, 4.1.2). Pure.

Nothing is repaired: a line that does not follow the grammar is a `SyntaxFault` that carries its reply. The
path is returned as text; what is a mailbox is for `message.address` to say. A path without angle brackets is taken
where it can be read in one way only: copiers and scripts write it, and every MTA they knew before took it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gateway.message.status_request import (
    NOTHING_ASKED,
    NOTHING_SAID,
    MailRequest,
    RecipientRequest,
    Return,
    read_envid,
    read_notify,
    read_original,
    read_return,
)
from gateway.receive.reply import Reply
from gateway.values import dataclass

COMMAND_LINE = 512  # octets with CRLF, RFC 5321 4.5.3.1.4
AUTH_LINE = 12288  # octets, RFC 4954 section 4
# SIZE, BODY, SMTPUTF8, AUTH (RFC 1870, 6152, 6531, 4954), RET, ENVID (RFC 3461).
MAIL_GROWTH = 26 + 17 + 10 + 500 + 9 + 107
RCPT_GROWTH = 29 + 507  # NOTIFY, ORCPT (RFC 3461)
SIZE_DIGITS = 20  # RFC 1870 section 3

_LIMITS = {b"MAIL": COMMAND_LINE + MAIL_GROWTH, b"RCPT": COMMAND_LINE + RCPT_GROWTH, b"AUTH": AUTH_LINE}
_GREETINGS = (b"EHLO", b"HELO")  # some say the name of their PC in whatever alphabet it is written in
_CHUNK = re.compile(rf"([0-9]{{1,{SIZE_DIGITS}}})(?: +([Ll][Aa][Ss][Tt]))?")
_NOT_IN_HELO = re.compile(r"[^A-Za-z0-9._:\[\]-]")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_LONGEST_VERB = 16  # characters
_BARE = r"[^\s<>\"(),:;@\\]++@[^\s<>\"(),:;@\\]++"
_PATH = re.compile(rf'(?:<([^"<>]*+|(?:"(?:[^"\\]|\\.)*"|[^"<>]++)*+)>|({_BARE}))(?: +(.*))?')
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?")


class SyntaxFault(Exception):
    """A command that cannot be read; `reply` says why."""

    def __init__(self, code: int, enhanced: str, text: str) -> None:
        super().__init__(text)
        self.reply = Reply(code, enhanced, text, "syntax")


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM: `path` is empty for the null reverse-path; `size` is 0 where the client named none."""

    path: str
    size: int = 0
    smtputf8: bool = False
    body_8bit: bool = False
    asked: MailRequest = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO, and what its sender wants to be told about it."""

    path: str
    request: RecipientRequest = NOTHING_ASKED


@dataclass(frozen=True, slots=True)
class Chunk:
    """BDAT: so many octets follow its line, as they are."""

    size: int
    last: bool


def parse_command(line: bytes) -> tuple[str, str]:
    """Return verb and argument of one command line with its line end; raises `SyntaxFault`."""
    if not line.endswith(b"\r\n"):
        raise SyntaxFault(500, "5.5.2", "a command ends with CR LF, not with LF alone")
    if len(line) > COMMAND_LINE and len(line) > _LIMITS.get(line[:4].upper(), COMMAND_LINE):
        raise SyntaxFault(500, "5.5.2", "command line too long")
    text = _text(line[:-2], "replace" if line[:4].upper() in _GREETINGS else "strict")
    verb, _, argument = text.partition(" ")
    if not (verb.isascii() and verb.isalpha()) or len(verb) > _LONGEST_VERB:
        raise SyntaxFault(500, "5.5.2", "command not recognised")
    return verb.upper(), argument.strip(" ")


def parse_mail(argument: str, *, extended: bool) -> Mail:
    """Read the argument of MAIL; raises `SyntaxFault` (501 syntax, 555 for a parameter nobody offered)."""
    path, given = _path(argument, "FROM", extended)
    if not given:
        return Mail(path)
    values = _values(given, _MAIL, "MAIL")
    returned = values.get("RET")
    return Mail(
        path=path,
        size=int(values.get("SIZE") or 0),
        smtputf8="SMTPUTF8" in values,
        body_8bit=values.get("BODY") == "8BITMIME",
        asked=MailRequest(Return(returned) if returned else None, values.get("ENVID", "")),
    )


def parse_rcpt(argument: str, *, extended: bool) -> Rcpt:
    """Read the argument of RCPT; raises `SyntaxFault` as `parse_mail` does."""
    path, given = _path(argument, "TO", extended)
    if not given:
        return Rcpt(path)
    values = _values(given, _RCPT, "RCPT")
    notify = read_notify(values["NOTIFY"]) if "NOTIFY" in values else None
    kind, original = read_original(values["ORCPT"]) if "ORCPT" in values else ("", "")
    return Rcpt(path, RecipientRequest(notify, kind, original))


def helo_name(text: str) -> str:
    """Return the name a client gave itself, with what no name holds made visible."""
    return _NOT_IN_HELO.sub("?", text)


def parse_bdat(argument: str) -> Chunk:
    """Read the argument of BDAT (RFC 3030 section 2); raises `SyntaxFault`."""
    match = _CHUNK.fullmatch(argument)
    if match is None:
        raise SyntaxFault(501, "5.5.4", "write BDAT and a number of octets, and LAST with the last chunk")
    return Chunk(int(match[1]), match[2] is not None)


def _text(line: bytes, errors: str) -> str:
    if line.isascii() and (text := line.decode("ascii")).isprintable():  # nearly all of them
        return text
    if _CONTROL.search(line):
        raise SyntaxFault(500, "5.5.2", "the command holds a control character")
    try:
        return line.decode("utf-8", errors)
    except UnicodeDecodeError:
        raise SyntaxFault(500, "5.5.2", "the command is neither ASCII nor UTF-8") from None


def _path(argument: str, keyword: str, extended: bool) -> tuple[str, list[tuple[str, str | None]]]:
    word, colon, rest = argument.partition(":")
    match = _PATH.fullmatch(rest.lstrip(" "))
    if word.upper() != keyword or not colon or match is None:
        raise SyntaxFault(501, "5.5.4", f"write {keyword}:<address>")
    path, bare, given = match.groups()
    parameters = [_parameter(text) for text in given.split()] if given else []
    if parameters and not extended:
        raise SyntaxFault(555, "5.5.4", "parameters need EHLO")
    return bare or path, parameters


def _parameter(text: str) -> tuple[str, str | None]:
    match = _PARAMETER.fullmatch(text)
    if match is None:
        raise SyntaxFault(501, "5.5.4", "a parameter is not of the form NAME or NAME=value")
    return match[1].upper(), match[2]


def _values(
    given: list[tuple[str, str | None]], known: Mapping[str, Callable[[str | None], str]], verb: str
) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in given:
        if name in values:
            raise SyntaxFault(501, "5.5.4", f"{name} is given twice")
        if name not in known:
            raise SyntaxFault(555, "5.5.4", f"{verb} has a parameter that is not offered here")
        values[name] = known[name](value)
    return values


def _size(value: str | None) -> str:
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > SIZE_DIGITS:
        raise SyntaxFault(501, "5.5.4", "SIZE takes a number of octets")
    return value


def _body(value: str | None) -> str:
    if value is None or value.upper() not in ("7BIT", "8BITMIME"):
        raise SyntaxFault(501, "5.5.4", "BODY is 7BIT or 8BITMIME")
    return value.upper()


def _smtputf8(value: str | None) -> str:
    if value is not None:
        raise SyntaxFault(501, "5.5.4", "SMTPUTF8 takes no value")
    return ""


def _auth(value: str | None) -> str:
    """Accept AUTH= of RFC 4954 section 5 and trust nothing in it."""
    if value is None:
        raise SyntaxFault(501, "5.5.4", "AUTH takes a mailbox or <>")
    return value


def _told(read: Callable[[str], object], name: str) -> Callable[[str | None], str]:
    """Return a check of one DSN parameter (RFC 3461 4) that keeps its value as `read` gives it, or as it is."""

    def check(value: str | None) -> str:
        if value is None:
            raise SyntaxFault(501, "5.5.4", f"{name} takes a value")
        try:
            read_value = read(value)
        except ValueError as error:
            raise SyntaxFault(501, "5.5.4", str(error)) from None
        return read_value if isinstance(read_value, str) else value

    return check


_MAIL = {
    "SIZE": _size,
    "BODY": _body,
    "SMTPUTF8": _smtputf8,
    "AUTH": _auth,
    "RET": _told(read_return, "RET"),
    "ENVID": _told(read_envid, "ENVID"),
}
_RCPT = {"NOTIFY": _told(read_notify, "NOTIFY"), "ORCPT": _told(read_original, "ORCPT")}
