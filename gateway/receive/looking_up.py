"""Everything that has to be looked up for one mail before it is decided on: all at once, each within its time.

Only what some rule asks for is looked up (`Policy.needs`). What fails or takes too long is left out: then the decision is made
in doubt, which is strict, and the mail is neither turned away nor lost for it (docs/decisions/0051). Nothing here raises but a
cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog

from gateway.clock import Clock
from gateway.message.envelope import Envelope
from gateway.message.evidence import Content, Earlier, Evidence, Halves, Volume
from gateway.message.facts import Facts
from gateway.message.halves import FILE, halves_of
from gateway.message.replies import answered, is_reply, message_id
from gateway.metrics import EVIDENCE_MISSING, EVIDENCE_SECONDS
from gateway.policy.conditions.context import Need
from gateway.policy.model import Policy
from gateway.receive.sources import KnownIndex, Resembles, Sources
from gateway.spool.contract import StoreUnavailable
from gateway.spool.knowledge import MAX_WRITERS, Noted, Writers
from gateway.values import dataclass

MAX_COMPARED = 2_000  # domains of one mail that are compared with known ones; with more, all are in doubt
QUICK_RECIPIENTS = 2_000  # people of a mail that are gone through on the event loop, in a millisecond
MAY_BE_OTHERS = ""  # among a recipient's writers: not all of them are told

T = TypeVar("T")
log = structlog.get_logger()


class LookingUp:
    """Looks up evidence, and says what is to be noted of a mail for the evidence of later ones."""

    def __init__(self, sources: Sources, clock: Clock, patience: timedelta) -> None:
        self._from = sources
        self._clock = clock
        self._patience = patience.total_seconds()
        self._nearest = KnownIndex(sources, clock)

    async def evidence(self, facts: Facts, raw: bytes, policy: Policy) -> Evidence:
        """Return what the policy needs to know of the mail."""
        with EVIDENCE_SECONDS.time():
            return await self._evidence(facts, raw, policy)

    async def _evidence(self, facts: Facts, raw: bytes, policy: Policy) -> Evidence:
        people = await _outside(facts, policy)
        found = await self._all_asked(
            policy,
            {
                Need.CONTENT: partial(self._content, facts, raw),
                Need.WRITERS: partial(self._writers, facts, people.keys),
                Need.VOLUME: partial(self._volume, facts),
                Need.EARLIER: partial(self._earlier, facts, people.keys),
                Need.HALVES: partial(self._halves, facts, people.keys),
                Need.DOMAINS: partial(self._states, people.domains),
                Need.LOOK_ALIKES: partial(self._look_alikes, people.domains, policy.internal),
            },
        )
        earlier: list[Earlier] | None = found.get(Need.EARLIER)
        unanswered = Need.EARLIER in policy.needs and earlier is None
        return Evidence(
            content=found.get(Need.CONTENT),
            writers=found.get(Need.WRITERS),
            volume=found.get(Need.VOLUME),
            replies=None if unanswered else is_reply(facts.header),
            earlier=earlier[0] if earlier else None,
            domains=found.get(Need.DOMAINS),
            look_alikes=found.get(Need.LOOK_ALIKES),
            halves=found.get(Need.HALVES),
        )

    async def noted(self, facts: Facts, policy: Policy) -> Noted:
        """Return what is to be noted of a mail that is accepted."""
        counted = counted_as(facts.envelope) if Need.VOLUME in policy.needs else ""
        own = message_id(facts.header) if Need.EARLIER in policy.needs else ""
        noted = await self._noted(counted, own, facts) if own else None
        return await self._with_half(noted or Noted(counted), facts, policy)

    async def _noted(self, counted: str, own: str, facts: Facts) -> Noted | None:
        named = await _apart(facts, partial(_named, facts))
        return await self._in_time("note", self._from.knowledge.note(counted, own, named))

    async def noted_as_sealed(self, noted: Noted, facts: Facts, policy: Policy) -> Noted:
        """Return what is noted of a mail whose files leave sealed by us: their key must not follow by mail either."""
        return await self._with_half(noted, facts, policy, FILE)

    async def _with_half(self, noted: Noted, facts: Facts, policy: Policy, sealed: int = 0) -> Noted:
        """Note who is sent half of a file and its password, where a rule asks for the other half."""
        sender = facts.envelope.sender
        if Need.HALVES not in policy.needs or sender is None:
            return noted
        half = sealed | halves_of(facts.evidence.content, len(facts.attachments))
        if not half:
            return noted
        people = (await _outside(facts, policy)).keys
        pairs = (
            await self._in_time("note", self._from.knowledge.pairs(sender.key, people)) if people else None
        )
        return replace(noted, half=half, pairs=pairs) if pairs else noted

    async def _all_asked(
        self, policy: Policy, looks: Mapping[Need, Callable[[], Coroutine[None, None, Any]]]
    ) -> dict[Need, Any]:
        """Look all at once for what the policy asks for; a task is made for no other thing."""
        asked = [need for need in looks if need in policy.needs]
        if len(asked) == 1:
            return {asked[0]: await self._in_time(_NAMES[asked[0]], looks[asked[0]]())}
        found = await asyncio.gather(*[self._in_time(_NAMES[need], looks[need]()) for need in asked])
        return dict(zip(asked, found, strict=True))

    async def _in_time(self, what: str, looking: Coroutine[None, None, T | None]) -> T | None:
        """Return what was found, None where it failed or is not there in time; one more that is missing, then."""
        try:
            # The reader of contents keeps a time of its own, and tells then how far it came.
            async with asyncio.timeout(self._patience if what != "content" else None):
                found = await looking
        except TimeoutError:
            log.warning("evidence.too-slow", what=what)
        except StoreUnavailable as error:
            log.warning("evidence.unavailable", what=what, cause=str(error))
        except Exception as error:  # what it was about stays out of the log
            log.error("evidence.failed", what=what, cause=type(error).__name__)
        else:
            if found is not None:
                return found
        EVIDENCE_MISSING.labels(what).inc()
        return None

    async def _content(self, facts: Facts, raw: bytes) -> Content | None:
        return await self._from.content(facts, raw) if self._from.content is not None else None

    async def _writers(self, facts: Facts, recipients: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        if not recipients:
            return {}
        sender = facts.envelope.sender
        told = await self._from.knowledge.writers("" if sender is None else sender.key, recipients)
        return await _apart(facts, partial(_with_doubt, told, recipients))

    async def _volume(self, facts: Facts) -> Volume:
        return await self._from.knowledge.volume(counted_as(facts.envelope), self._clock())

    async def _earlier(self, facts: Facts, recipients: Sequence[str]) -> list[Earlier]:
        """Return the earlier mail, or nothing where none passed here."""
        found = await self._from.knowledge.earlier(answered(facts.header), recipients)
        return [] if found is None else [found]

    async def _halves(self, facts: Facts, recipients: Sequence[str]) -> Halves | None:
        sender = facts.envelope.sender
        if sender is None or not recipients:
            return Halves()
        return await self._from.knowledge.halves(sender.key, recipients, self._clock())

    async def _states(self, domains: Sequence[str]) -> Mapping[str, str] | None:
        # A little less than all the time there is: what was told until then is told on.
        states = self._from.domains
        return await states.states(domains, self._patience * 0.9) if states is not None else None

    async def _look_alikes(
        self, domains: Sequence[str], internal: Collection[str]
    ) -> Mapping[str, str] | None:
        # Of a domain that is not told, nobody would know that it was not compared.
        resembles = await self._nearest.get(internal) if len(domains) <= MAX_COMPARED else None
        return None if resembles is None else await asyncio.to_thread(_resembled, domains, resembles)


def counted_as(envelope: Envelope) -> str:
    """Return under which name a mail counts: the account that signed in, the envelope's sender where none did."""
    if envelope.client.account is not None:
        return f"account:{envelope.client.account}"
    return f"address:{'' if envelope.sender is None else envelope.sender.key}"


def _with_doubt(told: Writers, recipients: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return what was told of the recipients' writers, with MAY_BE_OTHERS where there may be more."""
    known = {
        key: (*each, MAY_BE_OTHERS) if len(each) >= MAX_WRITERS or not told.complete else each
        for key, each in told.by_recipient.items()
    }
    if told.complete:
        return known
    return {key: known.get(key, (MAY_BE_OTHERS,)) for key in recipients}


def _resembled(domains: Sequence[str], resembles: Resembles) -> dict[str, str]:
    found = {domain: resembles(domain) for domain in domains}
    return {domain: known for domain, known in found.items() if known is not None}


@dataclass(frozen=True, slots=True)
class _Outside:
    """External people of a mail: the keys of its recipients, and the domains of all, recipients first."""

    keys: list[str]
    domains: list[str]


async def _apart(facts: Facts, work: Callable[[], T]) -> T:
    """Return what `work` comes to, which goes through all people of a mail: in a thread where they are many."""
    few = len(facts.envelope.recipients) + len(facts.visible) <= QUICK_RECIPIENTS
    return work() if few else await asyncio.to_thread(work)


async def _outside(facts: Facts, policy: Policy) -> _Outside:
    return await _apart(facts, partial(_sorted_out, facts, policy))


def _sorted_out(facts: Facts, policy: Policy) -> _Outside:
    internal = policy.domains
    recipients = [address for address in facts.envelope.recipients if not internal.matches(address)]
    visible = [address for address in facts.visible if not internal.matches(address)]
    domains = dict.fromkeys([address.domain for address in (*recipients, *visible)])
    return _Outside([address.key for address in recipients], list(domains))


def _named(facts: Facts) -> Collection[str]:
    """Return the keys of those a mail names beside its recipients: whom it shows, its authors, its sender."""
    envelope = facts.envelope
    sender = () if envelope.sender is None else (envelope.sender,)
    named = dict.fromkeys(address.key for address in (*sender, *facts.authors, *facts.visible))
    recipients = {address.key for address in envelope.recipients}
    return [key for key in named if key not in recipients]


_NAMES = {
    Need.CONTENT: "content",
    Need.WRITERS: "writers",
    Need.VOLUME: "volume",
    Need.EARLIER: "earlier",
    Need.DOMAINS: "domains",
    Need.LOOK_ALIKES: "look-alikes",
    Need.HALVES: "halves",
}
