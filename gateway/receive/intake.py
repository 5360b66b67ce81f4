"""From octets to a durable decision: gather the facts, decide, store, and only then say 250.

250 means that the mail, its recipients, its decision and its event are on disk. A refusal is said in the
policy's words. What cannot be decided or stored is temporary: an exception leaves here and becomes a 451
without a cause in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from gateway.clock import Clock
from gateway.confined.pool import NoChild
from gateway.message.envelope import Envelope
from gateway.message.facts import Facts
from gateway.message.gather import is_quick
from gateway.policy.decide import may_be_told
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.policy.model import Policy
from gateway.receive.answering import (
    FULL,
    NO_POLICY,
    NOT_LOOKED_AT,
    NOT_STORED,
    UNHIDEABLE,
    accepted,
    refused,
)
from gateway.receive.judging import Decide, judged, with_all_copies, with_possible_texts
from gateway.receive.looking_up import LookingUp
from gateway.receive.protecting import Protecting
from gateway.receive.reply import Reply
from gateway.spool.coming import split_by_hold
from gateway.spool.contract import Spool, StoreUnavailable
from gateway.spool.express import Express
from gateway.spool.key_making import needs_keys
from gateway.spool.knowledge import NOTHING_NOTED
from gateway.spool.values import NewMessage
from gateway.yaml_source import Problems

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
        decide: Decide,
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
        decided, reveals = await judged(self._decide, facts, policy, now)
        decision = self._in_language(decided, envelope)
        groups = policy.memberships.of((envelope.sender, *facts.authors))
        if reveals:
            log.info("unhideable_boundary", account=envelope.client.account)
            return UNHIDEABLE
        try:
            if decision.refusals:
                await self._spool.refused(envelope, decision, facts.subject, now, groups)
                return refused(decision, envelope)
            extended, whole = facts.envelope, decision
            if decision.bcc_to:
                extended, whole = await with_all_copies(facts, decision, policy, now)
            if whole.protects:
                whole = await self._protected(whole, extended, raw, policy, facts)
                if self._looking_up is not None and needs_keys(whole):
                    noted = await self._looking_up.noted_as_sealed(noted, facts, policy)
            if whole.texts or whole.colleagues_may_stop:
                whole = await with_possible_texts(whole, extended, raw)
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
            return FULL if error.full else NOT_STORED
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
        return accepted(queue_id, whole, envelope, now)

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

    def _in_language(self, decision: Decision, envelope: Envelope) -> Decision:
        account = envelope.client.account
        language = self._language_of(account) if account is not None else None
        if language is None or language is decision.language:
            return decision
        return replace(decision, language=language)
