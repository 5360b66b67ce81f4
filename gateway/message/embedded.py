"""The outsider inside an inside address: `news+ana=example.com@list.example.lg.jp`. Pure.

Variable envelope return paths (VERP) and rewritten senders (SRS) write one address into the local part of another, with
`=` for `@`. Whoever sees the outer address reads the inner one. Only what ends in a domain of letters is taken for one.
"""

from __future__ import annotations

import re

from gateway.message.address import Address, AddressError, parse_path

_DOMAIN = r"(?:[a-z0-9-]{1,63}\.){1,10}[a-z]{2,24}"
_VERP = re.compile(rf"([^+=]++)=({_DOMAIN})\Z", re.IGNORECASE)
_SRS = re.compile(rf"srs[01][=+-].*=({_DOMAIN})=([^=]++)\Z", re.IGNORECASE)


def embedded(address: Address) -> Address | None:
    """Return the address that the local part of another one spells with `=`, or None."""
    if "=" not in address.local:
        return None
    rewritten = _SRS.match(address.local)
    found = rewritten or _VERP.search(address.local)
    if found is None:
        return None
    local, domain = (found[2], found[1]) if rewritten else (found[1], found[2])
    try:
        return parse_path(f"{local}@{domain}")
    except AddressError:
        return None
