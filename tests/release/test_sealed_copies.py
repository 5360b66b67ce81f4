"""Claims of mails whose files are protected: who gets which mail, and that nobody gets the one that came in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import NOTHING, Demands, Form
from gateway.policy.disclaimers import Disclaimer
from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How, Way
from gateway.release.budget import Budget
from gateway.release.prepared import VARIANT, octets_in_memory
from gateway.release.results import not_sealed
from gateway.release.variants import Variants
from gateway.sealing.child import NotWritten
from gateway.sealing.order import Order
from gateway.spool.key_contract import KeyStatus, NoKey, SealKey, Stage
from gateway.spool.lifecycle import State
from gateway.spool.share_contract import Share
from gateway.spool.values import NewMessage, Stored
from tests.delivery.next_hop import NextHop
from tests.release.test_dispatch import NOW, House, furnished, new_mail, states

FILE = Attached(1, "list.txt", "text", 100, "plain")
ZIPPED = Handling(("r",), ((1, How.ZIP_AES256),), needs_key=True, way=Way.SENDER, ways=(Way.SENDER,))
LINKED = Handling(("r",), ((1, How.LINK),), way=Way.CODE_PAGE, ways=(Way.CODE_PAGE,))
BLOCKED = Handling(("r",), ((1, How.BLOCK),))


@dataclass
class FakeKeys:
    """One key for all, or one for each; `gone` have none any more."""

    own: bool = False
    gone: tuple[int, ...] = ()
    way: Way | None = Way.SENDER
    asked: int = 0

    async def to_seal(self, queue_id: str, recipients: Collection[int]) -> Mapping[int, SealKey]:
        self.asked += 1
        if set(recipients) & set(self.gone):
            raise NoKey("expired")
        name = {index: f"k{index}" if self.own else "k" for index in recipients}
        return {index: SealKey(key_id, f"words-of-{key_id}") for index, key_id in name.items()}

    async def statuses(
        self, queue_id: str, recipients: Collection[int] | None = None
    ) -> Collection[KeyStatus]:
        return [KeyStatus(index, self.way, Stage.WAITING, NOW) for index in recipients or ()]


@dataclass
class FakeWriter:
    """Writes a mail that says which order it is of, or fails."""

    failure: Exception | None = None
    orders: list[Order] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def write(self, raw: bytes, order: Order) -> bytes:
        self.orders.append(order)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.failure is not None:
            raise self.failure
        return raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\nsealed with " + order.key.encode() + b"\r\n"


class FakeLinks:
    def share_url(self, queue_id: str, recipient: int) -> str:
        return f"https://gw.example.jp/d/{queue_id}.{recipient}"

    def colleague_url(self, queue_id: str, recipient: int) -> str:
        return f"https://gw.example.jp/c/{queue_id}.{recipient}"


@dataclass
class FakeShares:
    """Shares of r0 alone, alive until a time."""

    until: datetime | None = None

    async def of(self, queue_id: str) -> Sequence[Share]:
        return [] if self.until is None else [Share(queue_id, 0, (), self.until, False, None)]


def variants(keys: FakeKeys, writer: FakeWriter, shares: FakeShares | None = None) -> Variants:
    return Variants(keys, writer, FakeLinks(), shares or FakeShares(), ZoneInfo("Asia/Tokyo"))


def mail_to(*handlings: Handling | None, form: Form = Form.ORIGINAL) -> NewMessage:
    """Return a mail to a recipient for each of these handlings."""
    made = new_mail(len(handlings))
    outcomes = tuple(dict.fromkeys(Outcome(True, Demands(form=form), handling=each) for each in handlings))
    handled = [outcome.handling for outcome in outcomes]
    decision = Decision("d", outcomes, tuple(handled.index(each) for each in handlings), files=(FILE,))
    return replace(made, decision=decision)


async def sent(
    path: Path, mail: NewMessage, keys: FakeKeys, writer: FakeWriter
) -> tuple[Stored, dict[str, bytes]]:
    """Send a mail that nobody has to look at again; return what the spool knows, and what each recipient got."""
    async with furnished(path, NextHop(), variants=variants(keys, writer)) as house:
        stored = await _sent(house, mail)
        got = {to.strip("<>"): taken.content for taken in house.hop.taken for to in taken.rcpt_to}
    return stored, got


async def _sent(house: House, mail: NewMessage) -> Stored:
    queue_id = await house.accept(mail)
    await house.work([claim for claim in await house.claim() if claim.message.queue_id == queue_id])
    return await house.spool.get(queue_id)


async def test_who_is_protected_gets_the_sealed_mail_and_others_the_one_that_came(tmp_path: Path) -> None:
    writer = FakeWriter()
    stored, got = await sent(tmp_path, mail_to(None, ZIPPED, ZIPPED), FakeKeys(), writer)
    assert set(states(stored)) == {State.DELIVERED}
    assert b"hidden dot" in got["r0@example.com"]
    for protected in ("r1@example.com", "r2@example.com"):
        assert got[protected].endswith(b"\r\n\r\nsealed with words-of-k\r\n")
        assert b"hidden dot" not in got[protected]
    assert len(writer.orders) == 1  # one key, one variant, written once


@pytest.mark.parametrize(
    ("until", "state"),
    [(None, State.BOUNCED), (NOW, State.BOUNCED), (NOW + timedelta(days=1), State.DELIVERED)],
)
async def test_a_link_that_is_over_before_the_mail_could_leave_does_not_leave(
    tmp_path: Path, until: datetime | None, state: State
) -> None:
    made = variants(FakeKeys(), FakeWriter(), FakeShares(until))
    over = replace(LINKED, expires=timedelta(0))
    async with furnished(tmp_path, NextHop(), variants=made) as house:
        assert states(await _sent(house, mail_to(over, None))) == [state, State.DELIVERED]


async def test_a_mail_without_protection_asks_for_no_key_and_no_writer(tmp_path: Path) -> None:
    keys, writer = FakeKeys(), FakeWriter()
    stored, _ = await sent(tmp_path, mail_to(None, None), keys, writer)
    assert set(states(stored)) == {State.DELIVERED}
    assert (keys.asked, writer.orders) == (0, [])


@pytest.mark.parametrize("form", Form)
async def test_each_key_of_ones_own_is_a_variant_of_its_own_one_at_a_time(tmp_path: Path, form: Form) -> None:
    writer = FakeWriter()
    stored, got = await sent(tmp_path, mail_to(*[ZIPPED] * 5, form=form), FakeKeys(own=True), writer)
    assert set(states(stored)) == {State.DELIVERED}
    for number in range(5):
        assert got[f"r{number}@example.com"].endswith(b"sealed with words-of-k%d\r\n" % number)
    assert (len(writer.orders), writer.most_at_once) == (5, 1)


async def test_each_link_stands_in_the_mail_of_its_recipient_alone(tmp_path: Path) -> None:
    writer, keys = FakeWriter(), FakeKeys()
    stored, _ = await sent(tmp_path, mail_to(LINKED, LINKED), keys, writer)
    assert set(states(stored)) == {State.DELIVERED}
    notes = [order.note for order in writer.orders]
    for number, note in enumerate(notes):
        assert f"/d/{stored.queue_id}.{number}\n" in note
        assert f"/d/{stored.queue_id}.{1 - number}\n" not in note
    assert keys.asked == 0


async def test_the_key_is_in_the_order_and_never_in_the_note(tmp_path: Path) -> None:
    writer = FakeWriter()
    await sent(tmp_path, mail_to(ZIPPED, BLOCKED), FakeKeys(), writer)
    zipped, blocked = writer.orders
    assert (zipped.key, blocked.key) == ("words-of-k", "")
    assert "words-of-k" not in zipped.note + zipped.note_html
    assert "list.txt" in zipped.note
    assert zipped.at.hour == 18  # what the organisation's clocks show


@pytest.mark.parametrize("why", ["busy", "broken", "died", "too-slow", "failed"])
async def test_what_may_go_otherwise_the_next_time_is_put_off(tmp_path: Path, why: str) -> None:
    stored, got = await sent(
        tmp_path, mail_to(None, ZIPPED), FakeKeys(), FakeWriter(NotWritten(why, temporary=True))
    )
    assert states(stored) == [State.DELIVERED, State.DEFERRED]
    assert list(got) == ["r0@example.com"]
    row = stored.recipients[1]
    assert (row.attempts, row.reply) == (1, f"the attachments could not be protected ({why})")


async def test_what_can_never_be_written_bounces(tmp_path: Path) -> None:
    stored, got = await sent(tmp_path, mail_to(None, ZIPPED), FakeKeys(), FakeWriter(NotWritten("structure")))
    assert states(stored) == [State.DELIVERED, State.BOUNCED]
    assert list(got) == ["r0@example.com"]
    assert stored.recipients[1].reply == "the attachments could not be protected (structure)"


async def test_an_unknown_failure_is_temporary(tmp_path: Path) -> None:
    stored, got = await sent(tmp_path, mail_to(ZIPPED), FakeKeys(), FakeWriter(RuntimeError("bug")))
    assert (states(stored), got) == ([State.DEFERRED], {})


async def test_whose_key_is_gone_bounces_and_the_others_get_theirs(tmp_path: Path) -> None:
    stored, got = await sent(tmp_path, mail_to(ZIPPED, ZIPPED, ZIPPED), FakeKeys(gone=(1,)), FakeWriter())
    assert states(stored) == [State.DELIVERED, State.BOUNCED, State.DELIVERED]
    assert sorted(got) == ["r0@example.com", "r2@example.com"]
    assert "key of the attachments is gone (expired)" in stored.recipients[1].reply


@pytest.mark.parametrize(
    ("handling", "way"),
    [(replace(ZIPPED, obstacle="signed"), Way.SENDER), (replace(ZIPPED, way=None), None)],
)
async def test_what_waits_for_people_does_not_leave_whoever_lets_it_go(
    tmp_path: Path, handling: Handling, way: Way | None
) -> None:
    """The spool holds such a recipient; if it ever comes here, it is not sent."""
    writer = FakeWriter()
    async with furnished(tmp_path, NextHop(), variants=variants(FakeKeys(way=way), writer)) as house:
        queue_id = await house.accept(mail_to(None))
        [claim] = await house.claim()
        forged = replace(claim.message, decision=mail_to(handling).decision)
        await house.work([replace(claim, message=forged)])
        stored = await house.spool.get(queue_id)
        assert house.hop.taken == []
    assert (states(stored), writer.orders) == ([State.DEFERRED], [])


async def test_a_service_that_cannot_seal_sends_nothing_in_clear(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        stored = await _sent(house, mail_to(None, BLOCKED))
        assert [taken.rcpt_to for taken in house.hop.taken] == [["<r0@example.com>"]]
    assert states(stored) == [State.DELIVERED, State.DEFERRED]


async def test_a_supplied_way_counts_and_not_the_one_that_was_missing_when_it_came(tmp_path: Path) -> None:
    writer = FakeWriter()
    async with furnished(tmp_path, NextHop(), variants=variants(FakeKeys(way=Way.SMS), writer)) as house:
        queue_id = await house.accept(mail_to(None))
        [claim] = await house.claim()
        waited = replace(claim.message, decision=mail_to(replace(ZIPPED, way=None)).decision)
        await house.work([replace(claim, message=waited)])
        assert states(await house.spool.get(queue_id)) == [State.DELIVERED]
    assert "short message" in writer.orders[0].note


def test_variants_are_counted_in_the_budget() -> None:
    plain = mail_to(None).decision
    assert octets_in_memory(1000, plain) == 1000
    assert octets_in_memory(1000, mail_to(None, ZIPPED).decision) == 1000 * (1 + VARIANT)
    texts = replace(
        plain.outcomes[0], demands=replace(NOTHING, disclaimers=frozenset({"a"})), handling=ZIPPED
    )
    assert octets_in_memory(1000, replace(plain, outcomes=(texts,))) == 1000 * (2 + VARIANT + 1)


@pytest.mark.parametrize(
    ("why", "state"), [("expired", State.BOUNCED), ("none", State.DEFERRED), ("not-theirs", State.DEFERRED)]
)
def test_a_key_that_may_come_again_is_waited_for(why: str, state: State) -> None:
    assert not_sealed(NoKey(why)).state is state


async def test_texts_of_the_policy_stand_under_the_sealed_mail(tmp_path: Path) -> None:
    text = Disclaimer("a", "Text of the organisation")
    mail = mail_to(None, ZIPPED)
    outcomes = tuple(
        replace(each, demands=replace(each.demands, disclaimers=frozenset({"a"})))
        for each in mail.decision.outcomes
    )
    mail = replace(mail, decision=replace(mail.decision, outcomes=outcomes, texts=(text,)))
    stored, got = await sent(tmp_path, mail, FakeKeys(), FakeWriter())
    assert set(states(stored)) == {State.DELIVERED}
    assert b"hidden dot" in got["r0@example.com"]
    assert b"sealed with words-of-k" in got["r1@example.com"]
    assert b"hidden dot" not in got["r1@example.com"]
    assert all(b"Text of the organisation" in each for each in got.values())


async def test_large_mails_are_sealed_in_bounded_memory(tmp_path: Path) -> None:
    """However many are due at once: what is in memory of all of them stays below the budget, or one mail is alone."""
    budget = Watched(4 * 1_000_000 * (1 + VARIANT))
    writer = FakeWriter()
    async with furnished(tmp_path, NextHop(), variants=variants(FakeKeys(), writer), budget=budget) as house:
        for number in range(12):
            mail = mail_to(ZIPPED)
            await house.accept(replace(mail, raw=mail.raw + b"x" * 998 * 1000 + b"\r\n", subject=str(number)))
        await house.work(await house.claim())
        assert len(house.hop.taken) == 12
    assert len(writer.orders) == 12
    assert budget.most <= 4 * 1_000_000 * (1 + VARIANT)


class Watched(Budget):
    """A budget that remembers its most."""

    most = 0

    @asynccontextmanager
    async def take(self, octets: int) -> AsyncIterator[None]:
        async with super().take(octets):
            self.most = max(self.most, self.used)
            yield
