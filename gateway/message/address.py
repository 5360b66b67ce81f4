"""Mail addresses: parsed strictly where SMTP demands it, scanned leniently where something could leak.

An `Address` is compared by its `key`; the domain is in A-label form (RFC 5890), case-folded, without a
trailing dot. Whatever could be read in two ways is marked `ambiguous`, and the policy treats it as external.
Lists of addresses in header fields are read by address_list.py.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from gateway.values import dataclass

MAX_LOCAL_OCTETS = 128
"""RFC 5321 4.5.3.1.1 says 64; VERP and SRS addresses of mailing services are longer, and Postfix takes them."""

MAX_DOMAIN_OCTETS = 253
"""RFC 1035 2.3.4: 255 octets on the wire are 253 characters."""

MAX_PATH_CHARACTERS = 1024
"""What parse_path looks at, a source route (RFC 5321 4.1.2) included."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# Dots anywhere: `foo..bar@` and `.x@` are addresses that Japanese carriers gave out.
_DOT_STRING = re.compile(r"[^\x00-\x20\x7f-\xa0\"(),:;<>@\[\]\\\u2028\u2029\ud800-\udfff]+")
_QUOTED = re.compile(r'"(?:[^\x00-\x1f\x7f-\x9f"\\\u2028\u2029\ud800-\udfff]|\\[\x20-\x7e])*+"')
# Nearly all local parts: nothing in them has to be looked at more closely.
_PLAIN = re.compile(rf"[A-Za-z0-9._+=-]{{1,{MAX_LOCAL_OCTETS}}}")
_ROUTE = re.compile(r"@[^:\"<>\s]*+:(?=.)", re.DOTALL)
_AMBIGUOUS = re.compile(r'[%!]|"[^\x00]*@|@')


class AddressError(ValueError):
    """A text is no mail address; the message says why and does not quote more than 80 characters of it."""


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox (RFC 5321 4.1.2): `local` in wire form (quotes kept), `domain` normalised or an address literal."""

    local: str
    domain: str
    ambiguous: bool = False

    @property
    def key(self) -> str:
        """Return the form two addresses are compared by: `TEST@` and `test@` are the same person."""
        return f"{self.local.casefold()}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Tell whether the next hop has to offer SMTPUTF8 (RFC 6531) for this address."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def parse_path(text: str) -> Address:
    """Parse what stands between `<` and `>` in MAIL or RCPT (RFC 5321 4.1.2, RFC 6531 3.3).

    A source route is stripped and makes the address ambiguous, as do `%`, `!`, an `@` inside quotes and a
    domain of digits. Raises AddressError.
    """
    if len(text) > MAX_PATH_CHARACTERS:
        raise AddressError(f"address is longer than {MAX_PATH_CHARACTERS} characters")
    route = _ROUTE.match(text) if text.startswith("@") else None
    mailbox = text[route.end() :] if route else text
    local, at, domain = mailbox.rpartition("@")
    if not at:
        raise AddressError(f"address has no domain: {_shown(text)}")
    plain = _PLAIN.fullmatch(local) is not None
    if not plain:
        _check_local(local, text)
    domain = _literal(domain) if domain.startswith("[") else normalise_domain(domain)
    odd = route is not None or domain.rpartition(".")[2].isdigit()
    return Address(local, domain, odd or not (plain or _AMBIGUOUS.search(local) is None))


def normalise_domain(text: str) -> str:
    """Return a domain as A-labels (UTS 46, RFC 5891), case-folded, without a trailing dot; raises AddressError."""
    if len(text) > MAX_DOMAIN_OCTETS + 1:
        raise AddressError(f"domain is longer than {MAX_DOMAIN_OCTETS} characters")
    return _normalise(text)


@lru_cache(maxsize=4096)  # the same few domains come with every mail; the length was bounded before
def _normalise(text: str) -> str:
    domain = text.lower() if text.isascii() else _to_ascii(text)
    domain = domain.removesuffix(".")
    if len(domain) > MAX_DOMAIN_OCTETS or _DOMAIN.fullmatch(domain) is None:
        raise AddressError(f"not a domain: {_shown(text)}")
    return domain


def _to_ascii(text: str) -> str:
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError(f"not a domain: {_shown(text)}") from error


def _check_local(local: str, text: str) -> None:
    pattern = _QUOTED if local.startswith('"') else _DOT_STRING
    if pattern.fullmatch(local) is None:
        raise AddressError(f"local part is malformed: {_shown(text)}")
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise AddressError(f"local part is longer than {MAX_LOCAL_OCTETS} octets")


def _literal(text: str) -> str:
    """Return an address literal (RFC 5321 4.1.3) in one spelling; only IPv4 and IPv6 are in use."""
    inner = text[1:-1].lower() if text.endswith("]") else ""
    try:
        if inner.startswith("ipv6:"):
            return f"[ipv6:{IPv6Address(inner[5:])}]"
        return f"[{IPv4Address(inner)}]"
    except AddressValueError as error:
        raise AddressError(f"not an address literal: {_shown(text)}") from error


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:77] + "...")
