"""The keys that a mail is accepted with, and how each of them is to travel: rows of the transaction that accepts it.

A key is made once, whatever becomes of the mail: each attempt seals anew, with the same key, so that who got two copies opens
both. It is wrapped before anything is written; the text is in no row, no event and no error.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import field
from datetime import datetime

from gateway.policy.decision import Decision
from gateway.policy.handling import Handling
from gateway.policy.protection import Way
from gateway.protect.file import Entropy
from gateway.protect.keys import Style, new_key
from gateway.spool.key_contract import Stage
from gateway.spool.times import to_us
from gateway.spool.values import NewMessage
from gateway.store.attachment_tables import key_sendings, message_keys
from gateway.store.inserts import Inserts, Row
from gateway.store.keys import MasterKey
from gateway.store.tx import Tx
from gateway.store.wrapping import bound
from gateway.values import dataclass

NEW_KEYS = Inserts(message_keys)
NEW_SENDINGS = Inserts(key_sendings)
QUICK_KEYS = 20  # recipients for each of whom the event loop may make a key: some two milliseconds
OF_THE_MAIL = 0  # the number of the key that all recipients without one of their own share


@dataclass(frozen=True, slots=True)
class NewKeys:
    """All rows about the keys of one mail, in the order of the tables' columns, and the master key they are under."""

    keys: list[Row] = field(default_factory=list, repr=False)
    sendings: list[Row] = field(default_factory=list)
    master: str = ""

    def write(self, tx: Tx) -> None:
        """Insert them with the mail."""
        if self.keys:
            tx.insert(NEW_KEYS, self.keys)
            tx.under(self.master)
        if self.sendings:
            tx.insert(NEW_SENDINGS, self.sendings)


NO_KEYS = NewKeys()


async def made_keys(queue_id: str, message: NewMessage, master: MasterKey) -> NewKeys:
    """Make the keys that a mail's recipients need; nearly none needs any."""
    if not needs_keys(message.decision):
        return NO_KEYS
    wanted = queue_id, message.decision, message.received_at, master
    if len(message.envelope.recipients) <= QUICK_KEYS:
        return new_keys(*wanted)
    return await asyncio.to_thread(new_keys, *wanted)


def new_keys(
    queue_id: str, decision: Decision, at: datetime, master: MasterKey, entropy: Entropy = os.urandom
) -> NewKeys:
    """Make what a mail's recipients need: one key for the mail, or one for each; none where a key was agreed on before."""
    wanted = keyed(decision)
    if not wanted:
        return NO_KEYS
    now = to_us(at)
    sendings = [_sending(queue_id, index, handling, now) for index, handling in wanted.items()]
    made = [_key(queue_id, number, of, at, master, entropy) for number, of in _numbered(wanted).items()]
    return NewKeys(made, sendings, master.key_id)


def needs_keys(decision: Decision) -> bool:
    """Tell whether any recipient needs a key: of nearly every mail none does, and it pays no more than this."""
    return any(outcome.handling is not None and outcome.handling.needs_key for outcome in decision.outcomes)


def keyed(decision: Decision) -> dict[int, Handling]:
    """Return the recipients who need a key to open what they get, with what becomes of their files."""
    if not needs_keys(decision):
        return {}
    handled = [_needs_key(outcome.handling, outcome.demands.drop) for outcome in decision.outcomes]
    return {index: found for index, place in enumerate(decision.assigned) if (found := handled[place])}


def handling_of(decision: Decision, index: int) -> Handling | None:
    """Return what becomes of one recipient's files, where that recipient needs a key."""
    if not 0 <= index < len(decision.assigned):
        return None
    outcome = decision.of(index)
    return _needs_key(outcome.handling, outcome.demands.drop)


def number_of(index: int, handling: Handling) -> int:
    """Return the number of the key that this recipient's copy is sealed with."""
    return index + 1 if handling.own_key else OF_THE_MAIL


def _needs_key(handling: Handling | None, dropped: bool) -> Handling | None:
    if handling is None or dropped or handling.obstacle or not handling.needs_key:
        return None
    return handling


def _numbered(wanted: dict[int, Handling]) -> dict[int, list[Handling]]:
    """Return for each key to be made all that asks for it; what was agreed on is not made."""
    numbered: dict[int, list[Handling]] = {}
    for index, handling in wanted.items():
        if handling.way is not Way.PREAGREED:
            several = numbered.setdefault(number_of(index, handling), [])
            if handling not in several:
                several.append(handling)
    return numbered


def _key(
    queue_id: str, number: int, of: list[Handling], at: datetime, master: MasterKey, entropy: Entropy
) -> Row:
    """Return a key as strong as the strongest demand on it, kept as long as the longest."""
    strongest = max(of, key=lambda each: each.bits)
    text = new_key(Style(strongest.style), entropy, strongest.bits).text
    wrapped = master.wrap(text.encode("ascii"), bound(message_keys.name, queue_id, number))
    expires = to_us(at + max(each.expires for each in of))
    return queue_id, number, master.key_id, wrapped, to_us(at), expires, None


def _sending(queue_id: str, index: int, handling: Handling, at: int) -> Row:
    # way, stage, key_id, wrapped_to, due_at, lease, attempts, receipt, detail, changed_at
    way = None if handling.way is None else handling.way.value
    return queue_id, index, way, Stage.WAITING.value, None, None, None, None, 0, None, "", at
