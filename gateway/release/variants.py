"""The mails that copies with protected files are made of: which key each copy has, and each variant written once for a claim.

Nothing here decides: what becomes of files stands in the decision, and was said to the sender. A copy whose variant cannot be
written gets an exception, never the mail as it came.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.colleague_words import note
from gateway.policy.colleagues import colleagues_of, waiting_outside, with_own_texts
from gateway.policy.decision import Decision
from gateway.policy.handling import Attached
from gateway.policy.protection import How
from gateway.release.sealed_note import About, note_of
from gateway.sealing.child import NotWritten
from gateway.sealing.order import Order
from gateway.spool.key_contract import KeyStatus, NoKey, SealKey
from gateway.spool.share_contract import Share
from gateway.spool.values import Recipient, Stored
from gateway.transform.render import Original, sealed
from gateway.transform.view import NO_KEY, Keyed, Variant, variant_of
from gateway.values import dataclass

LINK_OVER = "link-over"  # why a copy does not leave whose link nobody could open
_KEYED = frozenset({How.NATIVE, How.ZIP_AES256, How.ZIP_LEGACY})


class Keys(Protocol):
    """What is asked of `spool.keys` (spool/key_contract.py)."""

    async def to_seal(self, queue_id: str, recipients: Collection[int]) -> Mapping[int, SealKey]: ...

    async def statuses(
        self, queue_id: str, recipients: Collection[int] | None = None
    ) -> Collection[KeyStatus]: ...


class Writer(Protocol):
    """What is asked of `Sealing` (sealing/sealer.py)."""

    async def write(self, raw: bytes, order: Order) -> bytes: ...


class Urls(Protocol):
    """What is asked of `Links`."""

    def share_url(self, queue_id: str, recipient: int) -> str: ...

    def colleague_url(self, queue_id: str, recipient: int) -> str: ...


class Sharing(Protocol):
    """What is asked of `spool.shares` (spool/share_contract.py)."""

    async def of(self, queue_id: str) -> Sequence[Share]: ...


@dataclass(frozen=True, slots=True)
class ClaimKeys:
    """The keys of one claim: each recipient's by name and way, the words by name, and whose files nobody could open."""

    of: Mapping[int, Keyed] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    gone: Mapping[int, NoKey | NotWritten] = field(default_factory=dict)

    def keyed(self, index: int) -> Keyed:
        return self.of.get(index, NO_KEY)


NO_KEYS = ClaimKeys()


class Variants:
    """Writes variants; one for the whole service. `zone` is the organisation's, for what people read."""

    def __init__(self, keys: Keys, writer: Writer, links: Urls, shares: Sharing, zone: ZoneInfo) -> None:
        self._keys = keys
        self._shares = shares
        self._writer = writer
        self._links = links
        self._zone = zone

    def decision_of(self, message: Stored) -> Decision:
        """Return the decision with the texts that stand under one copy each: links for colleagues."""
        decision = message.decision
        if not decision.colleagues_may_stop or decision.colleagues_by_letter:
            return decision
        outside = waiting_outside(decision)
        urls = [
            (index, note(self._links.colleague_url(message.queue_id, index), outside))
            for index in colleagues_of(decision, message.envelope)
        ]
        return with_own_texts(decision, urls)

    async def keys_of(self, message: Stored, now: datetime) -> ClaimKeys:
        """Return the keys for a claim; raises StoreUnavailable. Claims that need none ask nobody."""
        if not any(outcome.handling is not None for outcome in message.decision.outcomes):
            return NO_KEYS
        over = await self._over(message, now)
        wanted = [row.index for row in message.recipients if _needs_key(message, row)]
        if not wanted:
            return ClaimKeys(gone=over) if over else NO_KEYS
        found, none = await self._found(message.queue_id, wanted)
        gone: dict[int, NoKey | NotWritten] = {**over, **none}
        ways = {each.recipient: each.way for each in await self._keys.statuses(message.queue_id, wanted)}
        return ClaimKeys(
            {index: Keyed(key.key_id, ways.get(index)) for index, key in found.items()},
            {key.key_id: key.text for key in found.values()},
            gone,
        )

    async def _found(
        self, queue_id: str, wanted: Collection[int]
    ) -> tuple[Mapping[int, SealKey], Mapping[int, NoKey]]:
        """Look up all at once, and one by one where somebody has none."""
        try:
            return await self._keys.to_seal(queue_id, wanted), {}
        except NoKey as no_key:
            if len(wanted) == 1:
                return {}, dict.fromkeys(wanted, no_key)
        found: dict[int, SealKey] = {}
        gone: dict[int, NoKey] = {}
        for index in wanted:
            try:
                found |= await self._keys.to_seal(queue_id, [index])
            except NoKey as no_key:
                gone[index] = no_key
        return found, gone

    async def _over(self, message: Stored, now: datetime) -> dict[int, NotWritten]:
        """Return whose link would open nothing: its time was over before the mail could leave."""
        old = [row.index for row in message.recipients if _is_linked_since_long(message, row, now)]
        if not old:
            return {}
        shares = {share.recipient: share for share in await self._shares.of(message.queue_id)}
        alive = {
            index for index, share in shares.items() if share.ended_at is None and share.expires_at > now
        }
        return {index: NotWritten(LINK_OVER) for index in old if index not in alive}

    async def write(self, original: Original, variant: Variant, keys: ClaimKeys, message: Stored) -> Original:
        """Return the original of a variant's copies, of the mail as it came; raises NotWritten."""
        if variant.lacks:
            raise NotWritten(variant.lacks, temporary=True)
        order = self._order(variant, keys.texts.get(variant.keyed.key_id, ""), message)
        return sealed(original, await self._writer.write(original.raw, order), variant)

    def _order(self, variant: Variant, key: str, message: Stored) -> Order:
        note = note_of(self._about(variant, message.decision.files, message), self._zone)
        sealing = any(how in _KEYED for _, how in variant.forms)
        return Order(
            variant.forms,
            key if sealing else "",
            note.text,
            message.received_at.astimezone(self._zone),
            note.html,
            variant.hide_names,
        )

    def _about(self, variant: Variant, files: tuple[Attached, ...], message: Stored) -> About:
        if variant.recipient is None:
            return About(variant, files)
        url = self._links.share_url(message.queue_id, variant.recipient)
        return About(variant, files, url, message.received_at + variant.expires)


def _needs_key(message: Stored, row: Recipient) -> bool:
    variant = variant_of(message.decision.of(row.index).handling, row.index)
    return variant is not None and variant.needs_key and not variant.obstacle


def _is_linked_since_long(message: Stored, row: Recipient, now: datetime) -> bool:
    """Tell whether a copy has a link whose time, as the rule gave it, is over; its sender may have extended it."""
    handling = message.decision.of(row.index).handling
    return handling is not None and handling.shares and message.received_at + handling.expires <= now
