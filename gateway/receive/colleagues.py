"""Whether colleagues find their link in their copy of a mail, found out before it is accepted: what is recorded leaves so.

A signed or encrypted mail is left as it came, and a mail whose text cannot be written, too; then they get a letter. Pure.
"""

from __future__ import annotations

from gateway.colleague_words import note
from gateway.links import MAX_TOKEN
from gateway.message.envelope import Envelope
from gateway.policy.colleagues import IN_COPIES, by_letter, colleagues_of, with_own_texts
from gateway.policy.decision import Decision
from gateway.policy.disclaimers import asked_for
from gateway.transform.disclaiming import disclaimed

_LIKE_ONE = "https://sekisho.example.jp/c/" + "x" * (
    MAX_TOKEN // 8
)  # what is tried: no link, and as long as one


def told_colleagues(decision: Decision, envelope: Envelope, raw: bytes) -> Decision:
    """Return the decision that says how colleagues get their links."""
    people = colleagues_of(decision, envelope)
    if not people:
        return decision
    if len(raw) * len(people) > IN_COPIES or _why_not(decision, people, raw):
        return by_letter(decision)
    return decision


def _why_not(decision: Decision, people: tuple[int, ...], raw: bytes) -> str:
    """Return why one of their copies cannot carry it; each set of texts is tried once."""
    tried = with_own_texts(decision, [(index, note(_LIKE_ONE, 1)) for index in people])
    known = {text.key: text for text in tried.texts}
    one_of_each = {decision.assigned[index]: tried.disclaimers_of(index) for index in people}
    whys = (disclaimed(raw, asked_for(known, keys)).why for keys in one_of_each.values())
    return next((why for why in whys if why), "")
