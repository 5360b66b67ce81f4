"""One mail seen with a policy's eyes: who of its people is outside, and what is certain about it."""

from __future__ import annotations

from gateway.message.address import Address
from gateway.message.domains import DomainSet
from gateway.message.facts import Facts


class Mail:
    """Facts plus what every condition needs: computed once for a mail, however many rules ask."""

    __slots__ = ("external", "external_count", "facts", "visible_external")

    def __init__(self, facts: Facts, internal: DomainSet) -> None:
        recipients = facts.envelope.recipients
        self.facts = facts
        self.external: list[bool] = [not internal.matches(address) for address in recipients]
        self.external_count: int = sum(self.external)
        # Facts' visible addresses are distinct.
        self.visible_external: tuple[Address, ...] = tuple(
            [address for address in facts.visible if not internal.matches(address)]
        )

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
