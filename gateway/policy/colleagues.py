"""Who inside may stop what has not left for outside, where a rule lets colleagues do so. Pure, and the same at every call.

Whoever gets their copy at once may notice a mistake that its sender does not: who is held learns of nothing yet, a copy that a
rule added (`bcc_to`) has to stay unknown, and the sender has a link already. Where nobody outside waits there is nothing to
stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.message.envelope import Envelope
from gateway.message.same_person import is_among, senders_of
from gateway.policy.decision import Decision, own_key
from gateway.policy.disclaimers import Disclaimer

MAX_COLLEAGUES = 50
"""Recipients of one mail who get a link, the first of its envelope: each has a mail of their own for it."""

IN_COPIES = 16 << 20
"""Octets of all copies with a link together; beyond that the links go in letters, for each copy is held in memory."""


def colleagues_of(decision: Decision, envelope: Envelope) -> tuple[int, ...]:
    """Return the indexes of those who get a link; none for nearly every mail."""
    if not decision.colleagues_may_stop or not waiting_outside(decision):
        return ()
    own = senders_of(envelope)
    known = len(envelope.recipients) - decision.copied
    found = [
        index
        for index in range(known)
        if _gets_it_at_once(decision, index) and not is_among(envelope.recipients[index].key, own)
    ]
    return tuple(found[:MAX_COLLEAGUES])


def waiting_outside(decision: Decision) -> int:
    """Return how many recipients outside wait when the mail comes, for time or for people, without copies."""
    waits = [each.external and each.waits and not each.demands.drop for each in decision.outcomes]
    if not any(waits):
        return 0
    known = decision.assigned[: len(decision.assigned) - decision.copied]
    return sum([waits[number] for number in known])


def with_own_texts(decision: Decision, texts: Iterable[tuple[int, Disclaimer]]) -> Decision:
    """Return the decision with a text for each of these recipients, which stands under no copy but theirs."""
    own = [replace(text, key=own_key(index)) for index, text in texts]
    return replace(decision, texts=(*decision.texts, *own)) if own else decision


def by_letter(decision: Decision) -> Decision:
    """Return the decision by which links go in letters: the mail cannot carry them."""
    return replace(decision, colleagues_by_letter=True)


def _gets_it_at_once(decision: Decision, index: int) -> bool:
    outcome = decision.of(index)
    return not outcome.external and not outcome.waits and not outcome.demands.drop
