"""The small pure parts: ranges, times, queue ids, and that a stored message reads back as it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.status_request import MailRequest, Notify, RecipientRequest, Return
from gateway.spool.mail_json import decision_json, envelope_json, parsed
from gateway.spool.queue_ids import LENGTH, QueueIds
from gateway.spool.ranges import from_ranges, to_ranges
from gateway.spool.recent import Recent
from gateway.spool.times import from_us, to_us
from gateway.store.events import Event, Head, canonical, link
from tests.spool.mails import T0, mail


@pytest.mark.parametrize(
    ("indexes", "text"),
    [((), ""), ((0,), "0"), ((0, 1, 2), "0-2"), ((31, *range(30)), "0-29,31"), ((1, 1, 3), "1,3")],
)
def test_ranges_are_short(indexes: tuple[int, ...], text: str) -> None:
    assert to_ranges(indexes) == text


@given(st.sets(st.integers(0, 500)))
def test_ranges_read_back(indexes: set[int]) -> None:
    assert from_ranges(to_ranges(indexes)) == tuple(sorted(indexes))


@given(st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(3000, 1, 1)))  # noqa: DTZ001
def test_times_are_exact(naive: datetime) -> None:
    at = naive.replace(tzinfo=timezone(timedelta(hours=9)))
    assert from_us(to_us(at)) == at


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(TypeError):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.lists(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(3000, 1, 1)), max_size=20))  # noqa: DTZ001
def test_queue_ids_never_go_backwards(times: list[datetime]) -> None:
    ids = QueueIds()
    made = [ids.new(at.replace(tzinfo=UTC)) for at in times]
    assert [i[:11] for i in made] == sorted({i[:11] for i in made})
    assert all(len(i) == LENGTH for i in made)


addresses = st.builds(Address, st.text(min_size=1), st.text(min_size=1), st.booleans())
clients = st.builds(Client, st.text(), st.text(), st.none() | st.text(), st.booleans())


@given(
    st.none() | addresses, st.lists(addresses, min_size=1).map(tuple), clients, st.booleans(), st.booleans()
)
def test_an_envelope_reads_back_whatever_stands_in_it(
    sender: Address | None, recipients: tuple[Address, ...], client: Client, smtputf8: bool, body_8bit: bool
) -> None:
    envelope = Envelope(sender, recipients, client, smtputf8, body_8bit)
    decision = mail(queued=len(recipients)).decision
    text = envelope_json(envelope, decision.assigned)
    assert parsed(text, decision_json(decision)) == (envelope, decision)


requests = st.builds(
    RecipientRequest,
    st.none() | st.integers(0, 7).map(Notify),
    st.sampled_from(["", "rfc822", "utf-8"]),
    st.text(),
)


@given(st.none() | st.sampled_from(Return), st.text(), st.lists(requests, min_size=2, max_size=2).map(tuple))
def test_what_the_sender_asked_reads_back(
    returned: Return | None, envid: str, asked: tuple[RecipientRequest, ...]
) -> None:
    people = (Address("a", "example.com"), Address("b", "example.com"))
    envelope = Envelope(None, people, Client("192.0.2.1"), False, False, MailRequest(returned, envid), asked)
    decision = mail(queued=2).decision
    text = envelope_json(envelope, decision.assigned)
    assert parsed(text, decision_json(decision)) == (envelope, decision)


def test_an_envelope_that_asks_nothing_is_written_as_the_release_before_reads_it() -> None:
    new = mail(queued=1)
    assert json.loads(envelope_json(new.envelope, new.decision.assigned))["v"] == 1


def test_a_version_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="version 3"):
        parsed('{"v":3}', decision_json(mail(queued=1).decision))


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_canonical_json_is_one_and_can_be_stored(detail: dict[str, object]) -> None:
    text = canonical(detail)
    assert text == canonical(dict(reversed(detail.items())))
    assert text.encode()


_SCALARS = st.none() | st.booleans() | st.integers() | st.text()


@given(
    st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
)
def test_canonical_json_is_what_anybody_can_write_with_the_standard_library(value: object) -> None:
    """docs/decisions/0012-event-chain.md: an auditor recomputes the hashes without our code."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert canonical(value) == text.encode("utf-8", "replace").decode()


def test_every_column_is_under_the_hash() -> None:
    event = Event(to_us(T0), "Q", "accepted", "policy", "sender", "x", "0-1", {"a": 1})
    hashes = {
        link(Head(), event)[0].hash,
        link(Head(1), event)[0].hash,
        link(Head(0, b"x" * 32), event)[0].hash,
    }
    assert len(hashes) == 3


def test_what_is_kept_parsed_is_bounded_by_count_and_by_size() -> None:
    asked: list[str] = []

    def parse(text: str) -> int:
        asked.append(text)
        return len(text)

    recent = Recent(parse, count=3, characters=10)
    for text in ("aaaa", "bb", "aaaa", "cccc", "dd", "x" * 11):
        assert recent(text) == len(text)
    assert asked == ["aaaa", "bb", "cccc", "dd", "x" * 11]
    assert (len(recent), recent.size) == (3, 10)  # bb made room for dd
    recent("bb")
    recent("b" + "b")
    assert asked.count("bb") == 2, "the last one is not parsed again"
    assert recent.size <= 10
