"""What a single setting may be, where its type does not say it: networks, fingerprints, rates, time zones, URLs.

Each refusal says what is wrong and what to write instead; the reader adds file and line.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated
from urllib.parse import SplitResult, parse_qs, urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

_ROUTE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


def _network(value: object) -> object:
    try:
        return ip_network(str(value))
    except ValueError:
        raise ValueError(f"not a network: {value!r}; write for example 192.168.1.0/24") from None


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"not a time zone: {value!r}; write for example Asia/Tokyo")
    return value


def _not_everybody(value: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if value.prefixlen == 0:
        raise ValueError(f"{value} is everybody; whoever stands here may say that it is anybody else")
    return value


def _fingerprint(value: str) -> str:
    digits = value.replace(":", "").lower()
    if len(digits) != 64 or any(each not in "0123456789abcdef" for each in digits):
        raise ValueError(f"not a SHA-256 fingerprint: {value!r}; write 64 hexadecimal digits")
    return digits


def _store_url(value: str) -> str:
    """Refuse what is no URL of PostgreSQL, and a password in it: this file is read by more people than need to know."""
    try:
        parts = urlsplit(value)
        hidden = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from None
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ValueError("not the URL of a PostgreSQL database; write postgresql://user@host:5432/database")
    if hidden:
        raise ValueError("no password here: put it into store.password_file or SEKISHO_STORE_PASSWORD")
    return value


def _route_name(value: str) -> str:
    if not _ROUTE_NAME.fullmatch(value):
        raise ValueError(f"not the name of a next hop: {value!r}; write a-z, 0-9 and -, at most 64")
    return value


def _http_url(value: str) -> SplitResult:
    """Refuse what is no URL, and a password in it: this file is read by more people than need to know."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.fragment:
        raise ValueError("not the URL of a server; write for example https://sms.example.jp/send")
    if parts.username is not None or parts.password is not None:
        raise ValueError("no user name or password here: secrets have files of their own")
    return parts


def _outgoing_url(value: str) -> str:
    parts = _http_url(value)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("keys are sent there: write https (http is for this machine alone)")
    return value


def _proxy_url(value: str) -> str:
    """Take a proxy also without TLS: what goes through it is encrypted from end to end."""
    if _http_url(value).path.strip("/"):
        raise ValueError("a proxy has a host and a port and no path; write http://proxy.example.jp:8080")
    return value


def is_loopback(host: str) -> bool:
    """Tell whether a host, as a URL names it, is this machine and no other."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _country(value: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,3}", value):
        raise ValueError(f"not the beginning of telephone numbers: {value!r}; write for example +81")
    return value


def _text_sender(value: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{7,14}|MG[0-9a-f]{32}|[A-Za-z0-9 ]{1,11}", value):
        raise ValueError(
            f"not a sender of text messages: {value!r}; write a number (+81…), a messaging service (MG…)"
            " or a name of at most 11 letters"
        )
    return value


OutgoingUrl = Annotated[str, AfterValidator(_outgoing_url)]
ProxyUrl = Annotated[str, AfterValidator(_proxy_url)]
CountryCode = Annotated[str, AfterValidator(_country)]
TextSender = Annotated[str, AfterValidator(_text_sender)]
RouteName = Annotated[str, AfterValidator(_route_name)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
FrontNetwork = Annotated[Network, AfterValidator(_not_everybody)]
Rate = Annotated[int, Field(ge=0)] | None  # 0 and null: no limit
StoreUrl = Annotated[str, AfterValidator(_store_url)]
Zone = Annotated[str, AfterValidator(_zone)]
