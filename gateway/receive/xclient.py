"""XCLIENT: what a server in front says about its client (Postfix XCLIENT_README). Pure.

Promise: a command is read whole or not at all; every value is bounded, printable and of its attribute's form.
`[UNAVAILABLE]` and `[TEMPUNAVAIL]` are None: the front knows nothing there.
"""

from __future__ import annotations

import re

from gateway.message.xtext import decode_octets
from gateway.receive.command import SyntaxFault, helo_name
from gateway.receive.limits import plain_address

ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT")
MAX_VALUE = 255  # characters, the length of a domain (RFC 5321 4.5.3.1.2) and of what logs should show

_UNKNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_NAME = re.compile(r"[!-~]+")
_PORT = re.compile(r"[0-9]{1,5}")


def parse_xclient(argument: str) -> dict[str, str | None]:
    """Return the attributes of one command; raises `SyntaxFault` 501."""
    claims: dict[str, str | None] = {}
    for text in argument.split():
        name, equals, value = text.partition("=")
        name = name.upper()
        if not equals or name not in ATTRIBUTES or name in claims:
            raise _fault("an attribute is unknown, given twice or without a value")
        claims[name] = _value(name, value)
    if not claims:
        raise _fault("write XCLIENT NAME=value ...")
    return claims


def _value(name: str, value: str) -> str | None:
    if value.upper() in _UNKNOWN:
        return None
    try:
        text = decode_octets(value)
    except ValueError:
        raise _fault(f"the value of {name} is not xtext") from None
    if not 0 < len(text) <= MAX_VALUE:
        raise _fault(f"the value of {name} is empty or too long")
    return _READERS.get(name, _name)(name, text)


def _address(name: str, text: str) -> str:
    version_6 = text[:5].upper() == "IPV6:"
    address = plain_address(text[5:] if version_6 else text)
    if address is None or "%" in text:
        raise _fault(f"{name} is no address; write 192.0.2.1 or IPV6:2001:db8::1")
    return str(address)


def _helo(name: str, text: str) -> str:
    return helo_name(text)


def _port(name: str, text: str) -> str:
    if _PORT.fullmatch(text) is None or int(text) > 65535:
        raise _fault(f"{name} is no port")
    return text


def _proto(name: str, text: str) -> str:
    if text.upper() not in ("SMTP", "ESMTP"):
        raise _fault(f"{name} is SMTP or ESMTP")
    return text.upper()


def _login(name: str, text: str) -> str:
    return text  # the accounts say whether it is one


def _name(name: str, text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise _fault(f"the value of {name} is no name")
    return text


def _fault(text: str) -> SyntaxFault:
    return SyntaxFault(501, "5.5.4", text)


_READERS = {
    "ADDR": _address,
    "DESTADDR": _address,
    "PORT": _port,
    "DESTPORT": _port,
    "PROTO": _proto,
    "LOGIN": _login,
    "HELO": _helo,
}
