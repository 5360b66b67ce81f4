"""How a mail is answered: the words its client reads, and beside them what the log and the metrics hear of it.

Some replies are the same for every mail; whoever gives one tells the log why. Mails that the policy accepts or refuses are
told of here, once the spool knows of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from gateway import rule_effects
from gateway.message.envelope import Envelope
from gateway.metrics import ACCEPTED, HELD
from gateway.policy.decision import Decision, Outcome
from gateway.receive.reply import Reply

FULL = Reply(452, "4.3.1", "not enough room to store mail now; try again later", "store")
NOT_STORED = Reply(451, "4.3.0", "the mail cannot be stored now; try again later", "store")
NOT_LOOKED_AT = Reply(451, "4.3.0", "the attachments cannot be looked at now; try again later", "error")
NO_POLICY = Reply(451, "4.3.5", "no mail policy is in force; try again later", "error")
UNHIDEABLE = Reply(
    550, "5.6.0", "the MIME boundary shows an address that has to be hidden; send the mail anew", "content"
)

MAX_REFUSALS = 5  # rules named in one reply; a client shows no more than a few lines

log = structlog.get_logger()


def refused(decision: Decision, envelope: Envelope) -> Reply:
    """Tell that the policy refuses a mail; return the reply, in the policy's words."""
    rules = [refusal.rule for refusal in decision.refusals]
    _count_rules(decision)
    rule_effects.mails(rule_effects.REFUSED, rules)
    log.info("refused", rules=rules, account=envelope.client.account, recipients=len(envelope.recipients))
    return Reply(550, "5.7.1", refusal_text(decision, utf8=envelope.smtputf8), "policy")


def accepted(queue_id: str, decision: Decision, envelope: Envelope, now: datetime) -> Reply:
    """Tell that a mail is on disk; `envelope` is what the client handed in, `decision` may tell of copies behind it."""
    numbers = decision.assigned[: len(envelope.recipients)]
    outcomes = [decision.outcomes[number] for number in numbers]
    held = [each for each in outcomes if each.waits and not each.demands.drop]
    dropped = sum([each.demands.drop for each in outcomes])
    ACCEPTED.inc()
    _count_rules(decision)
    if held:
        HELD.inc(len(held))
        rule_effects.mails(rule_effects.HELD, _holding(decision))
    log.info(
        "accepted",
        queue_id=queue_id,
        account=envelope.client.account,
        recipients=len(outcomes),
        held=len(held),
        dropped=dropped,
    )
    return Reply(250, "2.0.0", f"{queue_id} {accepted_text(len(outcomes), held, now, dropped)}")


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


def _count_rules(decision: Decision) -> None:
    rule_effects.mails(rule_effects.MATCHED, [reason.rule for reason in decision.reasons])
    if decision.watched:
        rule_effects.mails(rule_effects.WATCHED, [watched.rule for watched in decision.watched])


def _holding(decision: Decision) -> set[str]:
    waiting = [outcome.rules for outcome in decision.outcomes if outcome.waits]
    return rule_effects.holding(waiting[0] if len(waiting) == 1 else {r for rules in waiting for r in rules})
