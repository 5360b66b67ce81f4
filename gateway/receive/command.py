"""Command lines as values: verb and argument, MAIL and RCPT with their parameters (RFC 5321 4.1.1, 4.1.2). Pure.

Nothing is repaired: a line that does not follow the grammar is a `SyntaxFault` that carries its reply. The
path between the angle brackets is returned as text; what is a mailbox is for `message.address` to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.receive.reply import Reply

COMMAND_LINE = 512  # octets with CRLF, RFC 5321 4.5.3.1.4
AUTH_LINE = 12288  # octets, RFC 4954 section 4
MAIL_GROWTH = 26 + 17 + 10 + 500  # SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954)
SIZE_DIGITS = 20  # RFC 1870 section 3

_LIMITS = {b"MAIL": COMMAND_LINE + MAIL_GROWTH, b"AUTH": AUTH_LINE}
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_VERB = re.compile(r"[A-Za-z]{1,16}")
_PATH = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|[^"<>])*)>(?: +(.*))?')
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?")


class SyntaxFault(Exception):
    """A command that cannot be read; `reply` says why."""

    def __init__(self, code: int, enhanced: str, text: str) -> None:
        super().__init__(text)
        self.reply = Reply(code, enhanced, text, "syntax")


@dataclass(frozen=True, slots=True)
class Command:
    verb: str
    argument: str


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM: `path` is empty for the null reverse-path; `size` is 0 where the client named none."""

    path: str
    size: int = 0
    smtputf8: bool = False
    body_8bit: bool = False


def parse_command(line: bytes) -> Command:
    """Read one command line with its line end; raises `SyntaxFault`."""
    if not line.endswith(b"\r\n"):
        raise SyntaxFault(500, "5.5.2", "a command ends with CR LF, not with LF alone")
    if len(line) > _LIMITS.get(line[:4].upper(), COMMAND_LINE):
        raise SyntaxFault(500, "5.5.2", "command line too long")
    text = _text(line[:-2])
    verb, _, argument = text.partition(" ")
    if not _VERB.fullmatch(verb):
        raise SyntaxFault(500, "5.5.2", "command not recognised")
    return Command(verb.upper(), argument.strip(" "))


def parse_mail(argument: str, *, extended: bool) -> Mail:
    """Read the argument of MAIL; raises `SyntaxFault` (501 syntax, 555 for a parameter nobody offered)."""
    path, parameters = _path(argument, "FROM", extended)
    values: dict[str, str | None] = {}
    for name, value in parameters:
        if name in values:
            raise SyntaxFault(501, "5.5.4", f"{name} is given twice")
        values[name] = _PARAMETERS[name](value) if name in _PARAMETERS else _unknown("MAIL")
    return Mail(
        path=path,
        size=int(values.get("SIZE") or 0),
        smtputf8="SMTPUTF8" in values,
        body_8bit=values.get("BODY") == "8BITMIME",
    )


def parse_rcpt(argument: str, *, extended: bool) -> str:
    """Read the argument of RCPT and return the path; it takes no parameters here."""
    path, parameters = _path(argument, "TO", extended)
    if parameters:
        _unknown("RCPT")
    return path


def _text(line: bytes) -> str:
    if _CONTROL.search(line):
        raise SyntaxFault(500, "5.5.2", "the command holds a control character")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise SyntaxFault(500, "5.5.2", "the command is neither ASCII nor UTF-8") from None


def _path(argument: str, keyword: str, extended: bool) -> tuple[str, list[tuple[str, str | None]]]:
    word, colon, rest = argument.partition(":")
    match = _PATH.fullmatch(rest.lstrip(" "))
    if word.upper() != keyword or not colon or match is None:
        raise SyntaxFault(501, "5.5.4", f"write {keyword}:<address>")
    parameters = [_parameter(text) for text in (match[2] or "").split()]
    if parameters and not extended:
        raise SyntaxFault(555, "5.5.4", "parameters need EHLO")
    return match[1], parameters


def _parameter(text: str) -> tuple[str, str | None]:
    match = _PARAMETER.fullmatch(text)
    if match is None:
        raise SyntaxFault(501, "5.5.4", "a parameter is not of the form NAME or NAME=value")
    return match[1].upper(), match[2]


def _unknown(verb: str) -> str:
    raise SyntaxFault(555, "5.5.4", f"{verb} has a parameter that is not offered here")


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


_PARAMETERS = {"SIZE": _size, "BODY": _body, "SMTPUTF8": _smtputf8, "AUTH": _auth}
