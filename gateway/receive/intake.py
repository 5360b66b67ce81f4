"""From octets to a durable decision: gather the facts, decide, store, and only then say 250.

250 means that the mail, its recipients, its decision and its event are on disk. A refusal is said in the
policy's words. What cannot be decided or stored is temporary: an exception leaves here and becomes a 451
without a cause in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from gateway import rule_effects
from gateway.clock import Clock
from gateway.confined.pool import NoChild
from gateway.message.envelope import Envelope
from gateway.message.facts import Facts
from gateway.message.gather import is_quick
from gateway.metrics import ACCEPTED, HELD
from gateway.policy.copies import with_copies
from gateway.policy.decide import may_be_told
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.policy.model import Policy
from gateway.receive.answering import accepted_text, refusal_text
from gateway.receive.colleagues import told_colleagues
from gateway.receive.looking_up import LookingUp
from gateway.receive.protecting import Protecting
from gateway.receive.reply import Reply
from gateway.spool.coming import split_by_hold
from gateway.spool.contract import Spool, StoreUnavailable
from gateway.spool.express import Express
from gateway.spool.key_making import needs_keys
from gateway.spool.knowledge import NOTHING_NOTED
from gateway.spool.values import NewMessage
from gateway.transform.boundary import boundary_reveals
from gateway.transform.disclaiming import with_left_out
from gateway.yaml_source import Problems

QUICK_RECIPIENTS = 2_000  # to decide on them takes some 10 ms
QUICK_TEXT = 64 << 10  # octets of a mail under which a text is tried within some milliseconds
# Of subject, names and texts: 0.2 ms for the worst pattern found, as opposed to 45 for 4,096.
QUICK_CHARACTERS = 2_048

FULL = Reply(452, "4.3.1", "not enough room to store mail now; try again later", "store")
_NOT_STORED = Reply(451, "4.3.0", "the mail cannot be stored now; try again later", "store")
NOT_LOOKED_AT = Reply(451, "4.3.0", "the attachments cannot be looked at now; try again later", "error")
NO_POLICY = Reply(451, "4.3.5", "no mail policy is in force; try again later", "error")
UNHIDEABLE = Reply(
    550, "5.6.0", "the MIME boundary shows an address that has to be hidden; send the mail anew", "content"
)

log = structlog.get_logger()


class Intake:
    """Takes mail in.

    `language_of` tells which language an account's owner reads, None for the policy's own; `ring` is called when a notice may
    wait to be written.
    """

    def __init__(
        self,
        spool: Spool,
        policy: Callable[[], Policy],
        decide: Callable[[Facts, Policy, datetime], Decision],
        gather: Callable[[Envelope, bytes], Facts],
        clock: Clock,
        language_of: Callable[[str], Language | None] = lambda _: None,
        express: Express | None = None,
        ring: Callable[[], None] = lambda: None,
        looking_up: LookingUp | None = None,
        protecting: Protecting | None = None,
    ) -> None:
        self._spool = spool
        self._policy = policy
        self._decide = decide
        self._gather = gather
        self._clock = clock
        self._language_of = language_of
        self._express = express
        self._ring = ring
        self._looking_up = looking_up
        self._protecting = protecting

    async def submit(self, envelope: Envelope, raw: bytes) -> Reply:
        """Decide on the mail and store it; on a 250 it is on disk. Unexpected errors leave as they are."""
        # What may take long is gathered in a thread, so that no mail keeps the others waiting.
        quick = is_quick(raw)
        facts = self._gather(envelope, raw) if quick else await asyncio.to_thread(self._gather, envelope, raw)
        try:
            policy = self._policy()  # what it needs is looked up, and the same one decides
        except Problems as problems:
            log.error("no_policy", problems=len(problems.problems))
            return NO_POLICY
        noted = NOTHING_NOTED
        if self._looking_up is not None and policy.needs:
            evidence = await self._looking_up.evidence(facts, raw, policy)
            facts = replace(facts, evidence=evidence)
            noted = await self._looking_up.noted(facts, policy)
        now = self._clock()
        decided, reveals = await self._judged(facts, policy, now)
        decision = self._in_language(decided, envelope)
        groups = policy.memberships.of((envelope.sender, *facts.authors))
        if reveals:
            log.info("unhideable_boundary", account=envelope.client.account)
            return UNHIDEABLE
        try:
            if decision.refusals:
                await self._spool.refused(envelope, decision, facts.subject, now, groups)
                return self._refused(decision, envelope)
            extended, whole = facts.envelope, decision
            if decision.bcc_to:
                extended, whole = await _with_copies(facts, decision, policy, now)
            if whole.protects:
                whole = await self._protected(whole, extended, raw, policy, facts)
                if self._looking_up is not None and needs_keys(whole):
                    noted = await self._looking_up.noted_as_sealed(noted, facts, policy)
            if whole.texts or whole.colleagues_may_stop:
                whole = await _disclaimed(whole, extended, raw)
            new = NewMessage(
                extended,
                raw,
                whole,
                now,
                facts.subject,
                facts=facts,
                noted=noted,
                groups=groups,
            )
            queue_id = await self._accept(new)
        except StoreUnavailable as error:
            log.error("store_unavailable", cause=type(error.__cause__ or error).__name__)
            return FULL if error.full else _NOT_STORED
        except NoChild as no_child:
            log.error("attachments-not-looked-at", cause=no_child.why)
            return NOT_LOOKED_AT
        if (
            decision.notify_sender
            or decision.notify
            or decision.tells_dropped
            or not all(outcome.waits_for_nobody for outcome in whole.outcomes)
        ):
            self._ring()
        return self._accepted(queue_id, whole, envelope, now)

    async def _protected(
        self, decision: Decision, envelope: Envelope, raw: bytes, policy: Policy, facts: Facts
    ) -> Decision:
        """Find out what becomes of files that rules protect; a gateway that cannot is a process that is not there."""
        if self._protecting is None:
            raise NoChild("broken")
        told = envelope.sender is not None and may_be_told(envelope, policy)
        attached = any(not each.inline for each in facts.attachments)
        return await self._protecting.handled(
            decision, envelope, raw, sender_may_be_told=told, has_files=attached
        )

    async def _accept(self, message: NewMessage) -> str:
        """Store the mail; what nothing holds leaves at once where there is a place for it, octets in hand."""
        decision, octets = message.decision, len(message.raw)
        may_leave = self._express is not None and not all(outcome.waits for outcome in decision.outcomes)
        free = len(split_by_hold(decision)[1]) if may_leave else 0
        lease = self._express.reserve(free, octets) if self._express is not None and free else None
        if self._express is None or lease is None:
            queue_id = await self._spool.accept(message)
            if self._express is not None and free:
                self._express.wake()
            return queue_id
        try:
            queue_id, claim = await self._spool.accept_and_claim(message, lease)
        except BaseException:
            self._express.give_back(free, octets)
            raise
        if claim is None:  # stored without a lease
            self._express.give_back(free, octets)
        else:
            self._express.start(claim, message.raw)
        return queue_id

    async def _judged(self, facts: Facts, policy: Policy, now: datetime) -> tuple[Decision, bool]:
        """Decide, and tell whether the boundary shows somebody; in a thread where the loop would stand still for it."""
        if _is_quickly_judged(facts):
            return self._judge(facts, policy, now)
        return await asyncio.to_thread(self._judge, facts, policy, now)

    def _judge(self, facts: Facts, policy: Policy, now: datetime) -> tuple[Decision, bool]:
        decision = self._decide(facts, policy, now)
        return decision, boundary_reveals(facts, decision)

    def _in_language(self, decision: Decision, envelope: Envelope) -> Decision:
        account = envelope.client.account
        language = self._language_of(account) if account is not None else None
        if language is None or language is decision.language:
            return decision
        return replace(decision, language=language)

    def _refused(self, decision: Decision, envelope: Envelope) -> Reply:
        rules = [refusal.rule for refusal in decision.refusals]
        _count_rules(decision)
        rule_effects.mails(rule_effects.REFUSED, rules)
        log.info("refused", rules=rules, account=envelope.client.account, recipients=len(envelope.recipients))
        return Reply(550, "5.7.1", refusal_text(decision, utf8=envelope.smtputf8), "policy")

    def _accepted(self, queue_id: str, decision: Decision, envelope: Envelope, now: datetime) -> Reply:
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


async def _with_copies(
    facts: Facts, decision: Decision, policy: Policy, now: datetime
) -> tuple[Envelope, Decision]:
    """Add who gets a copy, in a thread where there are many recipients."""
    if len(facts.envelope.recipients) <= QUICK_RECIPIENTS:
        return with_copies(facts, decision, policy, now)
    return await asyncio.to_thread(with_copies, facts, decision, policy, now)


async def _disclaimed(decision: Decision, envelope: Envelope, raw: bytes) -> Decision:
    """Find out which texts cannot stand under this mail, so that what is recorded is what leaves."""

    def find_out() -> Decision:
        found = with_left_out(decision, raw) if decision.texts else decision
        return told_colleagues(found, envelope, raw)

    return find_out() if len(raw) <= QUICK_TEXT else await asyncio.to_thread(find_out)


def _count_rules(decision: Decision) -> None:
    rule_effects.mails(rule_effects.MATCHED, [reason.rule for reason in decision.reasons])
    if decision.watched:
        rule_effects.mails(rule_effects.WATCHED, [watched.rule for watched in decision.watched])


def _holding(decision: Decision) -> set[str]:
    waiting = [outcome.rules for outcome in decision.outcomes if outcome.waits]
    return rule_effects.holding(waiting[0] if len(waiting) == 1 else {r for rules in waiting for r in rules})


def _is_quickly_judged(facts: Facts) -> bool:
    """Tell whether there are few recipients, and little text for the patterns of `matches:`."""
    texts = len(facts.subject) + sum([len(each.name) for each in facts.attachments])
    content = facts.evidence.content
    if content is not None:
        texts += sum([len(text) for several in content.texts.values() for text in several])
    return len(facts.envelope.recipients) <= QUICK_RECIPIENTS and texts <= QUICK_CHARACTERS
