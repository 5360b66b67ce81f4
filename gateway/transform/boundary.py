"""The one place of a header section that cannot be hidden: the MIME boundary, which the body repeats. Pure.

A boundary with an address in it is nobody's honest mail: programs make boundaries of random letters. Hiding it would mean
to write the body anew, so a mail that would need it is not taken (docs/decisions/0004-what-hides.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.message.address import Address
from gateway.message.domains import DomainSet, domain_set
from gateway.message.facts import Facts
from gateway.message.header import Field
from gateway.policy.decision import Decision
from gateway.policy.demands import Form
from gateway.transform.content_field import segments_of
from gateway.transform.hidden import HiddenIndex

# What an address needs in any reading: `@`, or what stands for it or decodes to it. Of `=`, only one before a domain.
_SUSPECT = re.compile(rb"@|%40|%[eE][fF]|&|=\?|[\x1b\x80-\xff]|=(?:[\w-]+\.)+[A-Za-z]{2}|\*\d")


def boundary_reveals(facts: Facts, decision: Decision) -> bool:
    """Tell whether a copy that has to hide people would show one of them in the boundary of its header section."""
    boundaries = [
        field
        for raw in facts.header.all("content-type")
        if _SUSPECT.search(raw.body)
        for field in _boundary(raw)
    ]
    if not boundaries or not _hides(facts, decision):
        return False
    index = HiddenIndex(_hidden(facts, domain_set(decision.internal)))
    return any(index.in_field(field) for field in boundaries)


def _boundary(field: Field) -> Iterator[Field]:
    """Yield the boundary alone, all pieces of it (RFC 2231 3) in one value: other parameters can be masked."""
    pieces = [each for each in segments_of(field.body) if each.strip().lower().startswith(b"boundary")]
    if pieces:
        yield Field("x", b"x:;" + b";".join(pieces))


def _hides(facts: Facts, decision: Decision) -> bool:
    numbers = range(len(facts.envelope.recipients))
    return any(decision.of(number).demands.form is not Form.ORIGINAL for number in numbers)


def _hidden(facts: Facts, internal: DomainSet) -> list[Address]:
    """Return who is hidden at least; the author's own address is not, inside people are seldom."""
    own = {address.key for address in (*facts.authors, facts.envelope.sender) if address is not None}
    people = (*facts.envelope.recipients, *facts.visible)
    return [each for each in people if each.key not in own and not internal.matches(each)]
