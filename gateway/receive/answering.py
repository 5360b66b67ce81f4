"""What the client of a mail is told in words: what happens next with it, or why a policy refuses it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.policy.decision import Decision, Outcome

MAX_REFUSALS = 5  # rules named in one reply; a client shows no more than a few lines


def accepted_text(recipients: int, held: Sequence[Outcome], now: datetime, dropped: int = 0) -> str:
    """Say what happens next, such as `held until 2026-11-21T10:12:00Z`; the longest hold where they differ."""
    if dropped:
        rest = f"{accepted_text(recipients - dropped, held, now)}, " if dropped < recipients else ""
        return f"{rest}{dropped} of {recipients} not sent by policy"
    if not held:
        return "queued"
    if all(each.waits_for_nobody for each in held):
        longest = max(each.demands.window for each in held)
        until = f"held until {(now + longest).isoformat()[:19]}Z"
    else:
        asked = not all(each.demands.waits_for_nobody for each in held)
        until = "held until confirmed or approved" if asked else "held until the attachments can be protected"
    return until if len(held) == recipients else f"queued, {len(held)} of {recipients} {until}"


def refusal_text(decision: Decision, *, utf8: bool) -> str:
    """Write the refusals for a mail client to show: English in ASCII, and Japanese where UTF-8 may be sent.

    RFC 6531 3.7.4 lets UTF-8 into a reply only for a client that said SMTPUTF8. A rule that has no words in
    ASCII is named by its id.
    """
    lines = []
    for refusal in decision.refusals[:MAX_REFUSALS]:
        english, japanese = refusal.text.en, refusal.text.ja
        ascii_only = english.isascii() and english.strip() != ""
        rule = refusal.rule.encode("ascii", "backslashreplace").decode("ascii")
        lines.append(english if ascii_only else f"refused by rule {rule} of the mail policy")
        if utf8 and japanese != english:
            lines.append(japanese)
        elif utf8 and not ascii_only:
            lines[-1] = japanese
    return "\n".join(lines)
