"""What `sekisho doctor` says of our own mail: an organisation's templates, and whether the DNS knows the keys that sign."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.clock import utc_now
from gateway.config.settings import Settings
from gateway.evidence.resolver import DnsResolver, DnsUnavailable
from gateway.notices.dkim import Signer
from gateway.notices.own_templates import read_own
from gateway.notices.signing import Signing, read_signers
from gateway.service.own_letters import key_places, read_keys

DNS_S = 5.0  # for one key's record


class _Texts(Protocol):
    async def texts(self, name: str) -> Sequence[str]:
        """Return the TXT records of a name; raises DnsUnavailable."""


def notices(settings: Settings) -> str:
    """Return `ok` with a word on templates and keys, or what is wrong; raises CannotStart."""
    places = key_places(settings)
    read_keys(settings, Signing(places, utc_now))
    signers = read_signers(places)
    resolver = DnsResolver(settings.delivery.nameservers, DNS_S)
    wrong = [*_templates(settings), *asyncio.run(unpublished(signers, resolver))]
    if wrong:
        return "; ".join(wrong)
    own = "own templates are good" if settings.notices.templates else "built-in templates"
    signed = f"signed as {', '.join(signer.name for signer in signers)}" if signers else "not signed"
    return f"ok, {own}, {signed}"


async def unpublished(signers: Sequence[Signer], resolver: _Texts) -> list[str]:
    """Return a sentence for each key that the DNS does not hold, or holds otherwise."""
    wrong = []
    for signer in signers:
        try:
            texts = await resolver.texts(signer.name)
        except DnsUnavailable:
            wrong.append(f"the DNS does not answer for {signer.name}")
            continue
        if not texts:
            wrong.append(f"the DNS has no TXT record {signer.name}: sekisho notices dkim prints it")
        elif not any(signer.stands_in(text) for text in texts):
            wrong.append(f"the DNS has another key at {signer.name}: sekisho notices dkim prints the record")
    return wrong


def _templates(settings: Settings) -> list[str]:
    folder = settings.notices.templates
    if folder is None:
        return []
    troubles = read_own(folder, ZoneInfo(settings.timezone)).troubles
    return [f"templates: {len(troubles)} problems, {troubles[0]}"] if troubles else []
