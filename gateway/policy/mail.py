"""One mail seen with a policy's eyes: who of its people is outside, and what is certain about it."""

from __future__ import annotations

from datetime import datetime

from gateway.detect.findings import findings
from gateway.detect.plain import folded
from gateway.message.address import Address
from gateway.message.address_list import distinct
from gateway.message.domains import DomainSet
from gateway.message.embedded import embedded
from gateway.message.evidence import Findings
from gateway.message.facts import Facts
from gateway.policy.text_match import Folded, fold, fold_read


class Mail:
    """Facts plus what every condition needs: computed once for a mail, however many rules ask."""

    __slots__ = (
        "_internal",
        "_subject",
        "_subject_findings",
        "_texts",
        "external",
        "external_count",
        "facts",
        "now",
        "visible_external",
    )

    def __init__(self, facts: Facts, internal: DomainSet, now: datetime) -> None:
        self.now = now
        self._internal = internal
        self._subject: Folded | None = None
        self._subject_findings: Findings | None = None
        self._texts: dict[str, tuple[Folded, ...]] = {}
        recipients = facts.envelope.recipients
        self.facts = facts
        inside = internal.holds
        self.external: list[bool] = [each.ambiguous or not inside(each.domain) for each in recipients]
        self.external_count: int = sum(self.external)
        # Facts' visible addresses are distinct.
        outside = tuple([each for each in facts.visible if each.ambiguous or not inside(each.domain)])
        self.visible_external: tuple[Address, ...] = _with_embedded(outside, facts, internal)

    def is_external(self, address: Address) -> bool:
        """Tell whether an address is outside."""
        return not self._internal.matches(address)

    def external_recipients(self) -> list[Address]:
        """Return the external recipients of the envelope."""
        recipients = self.facts.envelope.recipients
        return [address for address, external in zip(recipients, self.external, strict=True) if external]

    def external_domains(self) -> list[str]:
        """Return the different domains of the external recipients."""
        return list(dict.fromkeys([address.domain for address in self.external_recipients()]))

    @property
    def subject(self) -> Folded:
        """Return the subject in the form in which it is compared."""
        if self._subject is None:
            self._subject = fold(self.facts.subject)
        return self._subject

    @property
    def subject_findings(self) -> Findings:
        """Return what the detectors find in the subject."""
        if self._subject_findings is None:
            self._subject_findings = findings(folded(self.facts.subject))
        return self._subject_findings

    def texts(self, place: str) -> tuple[Folded, ...]:
        """Return the texts of the body or of the attachments in the form in which they are compared, folded once."""
        if place not in self._texts:
            content = self.facts.evidence.content
            found = content.texts.get(place, ()) if content is not None else ()
            self._texts[place] = tuple(map(fold_read, found))
        return self._texts[place]

    @property
    def may_have_files(self) -> bool:
        """Tell whether something may hang on the mail: also what is called a picture of the text, or a signature.

        Whoever looks at the octets tells (sealing/looking.py).
        """
        facts = self.facts
        return bool(facts.unclear or facts.attachments or facts.machinery)

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
        return [*self.external_recipients(), *self.visible_external]


def _with_embedded(outside: tuple[Address, ...], facts: Facts, internal: DomainSet) -> tuple[Address, ...]:
    """Add the outsiders that inside addresses spell: `news+ana=example.com@list.example.lg.jp` shows Ana."""
    if len(outside) == len(facts.visible):
        return outside
    inner = [embedded(each) for each in facts.visible if "=" in each.local and internal.matches(each)]
    found = [each for each in inner if each is not None and not internal.matches(each)]
    return distinct([*outside, *found]) if found else outside
