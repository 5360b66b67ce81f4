"""One mail seen with a policy's eyes: who of its people is outside, and what is certain about it."""

from __future__ import annotations

from datetime import datetime

from gateway.message.address import Address
from gateway.message.address_list import distinct
from gateway.message.domains import DomainSet
from gateway.message.embedded import embedded
from gateway.message.facts import Facts


class Mail:
    """Facts plus what every condition needs: computed once for a mail, however many rules ask."""

    __slots__ = ("external", "external_count", "facts", "now", "visible_external")

    def __init__(self, facts: Facts, internal: DomainSet, now: datetime) -> None:
        self.now = now
        recipients = facts.envelope.recipients
        self.facts = facts
        self.external: list[bool] = [not internal.matches(address) for address in recipients]
        self.external_count: int = sum(self.external)
        # Facts' visible addresses are distinct.
        outside = tuple([address for address in facts.visible if not internal.matches(address)])
        self.visible_external: tuple[Address, ...] = _with_embedded(outside, facts, internal)

    @property
    def internal_count(self) -> int:
        return len(self.external) - self.external_count

    @property
    def visible_at_most(self) -> int:
        """Return how many outside addresses may be visible: fields nobody can read may show the whole envelope."""
        seen = len(self.visible_external)
        return seen if self.facts.confident else max(seen, self.external_count)

    def outsiders(self) -> list[Address]:
        """Return every external address of the mail, of the envelope and of the header section."""
        recipients = self.facts.envelope.recipients
        outside = [address for address, external in zip(recipients, self.external, strict=True) if external]
        return [*outside, *self.visible_external]


def _with_embedded(outside: tuple[Address, ...], facts: Facts, internal: DomainSet) -> tuple[Address, ...]:
    """Add the outsiders that inside addresses spell: `news+ana=example.com@list.example.lg.jp` shows Ana."""
    inner = [embedded(each) for each in facts.visible if "=" in each.local and internal.matches(each)]
    found = [each for each in inner if each is not None and not internal.matches(each)]
    return distinct([*outside, *found]) if found else outside
