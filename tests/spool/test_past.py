"""Past mail reads back with the facts it was decided from, in both stores; what has none is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.message.facts import Attachment
from gateway.message.gather import gather
from gateway.message.status_request import NOTHING_ASKED
from gateway.policy.decision import Watched
from gateway.policy.demands import NOTHING_FOR_THE_MAIL, Demands
from gateway.spool import mail_json
from gateway.spool.accepting import acceptance
from gateway.spool.lifecycle import Reason
from gateway.spool.past import PAGE, NoFacts, Past, PastMail
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, NewMessage
from gateway.store.errors import StoreUnavailable
from gateway.store.events import Event
from gateway.store.schema import messages
from gateway.store.where import Where
from tests.spool.mails import MINUTE, RAW, T0, mail

DAY = timedelta(days=1)


def with_facts(new: NewMessage) -> NewMessage:
    facts = replace(gather(new.envelope, RAW), attachments=(Attachment("名簿.xlsx", 7, "text/csv"),))
    return replace(new, facts=facts)


async def test_mails_of_a_time_come_back_oldest_first(spool: SqlSpool, where: Where) -> None:
    new = [with_facts(mail(held=1, at=T0 + number * MINUTE)) for number in range(PAGE + 3)]
    ids = [await spool.accept(each) for each in new]
    with Past(where) as past:
        found = list(past.mails(T0 + MINUTE, T0 + (PAGE + 2) * MINUTE))
        assert list(past.mails(T0 + DAY, T0 + 2 * DAY)) == []
    assert [each.queue_id for each in found] == ids[1:-1]
    first = found[0]
    assert isinstance(first, PastMail)
    assert first.facts.recorded
    assert first.facts.attachments == (Attachment("名簿.xlsx", 7, "text/csv"),)
    assert (first.facts.envelope, first.decision) == (new[1].envelope, new[1].decision)
    assert first.received_at == T0 + MINUTE


async def test_what_cannot_be_tried_again_is_told(spool: SqlSpool, where: Where) -> None:
    unrecorded = await spool.accept(mail(held=1))  # as a gateway of the release before writes it
    broken = await spool.accept(with_facts(mail(held=1, at=T0 + MINUTE)))
    await spool.accept(mail(queued=1, from_gateway=True, at=T0 + MINUTE))
    refused = mail(held=1)
    await spool.refused(refused.envelope, refused.decision, "", T0)
    await spool.database.committer.run(
        lambda tx: (
            tx.connection.execute(
                messages.update().where(messages.c.queue_id == broken).values(facts='{"v":9}')
            ).rowcount
        )
    )
    with Past(where) as past:
        found = list(past.mails(T0, T0 + DAY))
        assert past.refused(T0, T0 + DAY) == 1
        assert past.refused(T0 + MINUTE, T0 + DAY) == 0
    assert found == [
        NoFacts(unrecorded, T0),
        NoFacts(broken, T0 + MINUTE, "ValueError: recorded facts have version 9, known is 1"),
    ]


async def test_copies_that_rules_asked_for_are_taken_away_again(spool: SqlSpool, where: Where) -> None:
    new = with_facts(mail(held=1))
    decision = replace(new.decision, bcc_to=frozenset({"boss@sports.example.jp"}), assigned=(0, 0), copied=1)
    copied = (*new.envelope.recipients, Address("boss", "sports.example.jp"))
    envelope = replace(new.envelope, recipients=copied, requests=(NOTHING_ASKED, NOTHING_ASKED))
    await spool.accept(replace(new, envelope=envelope, decision=decision))
    with Past(where) as past:
        [found] = past.mails(T0, T0 + DAY)
    assert isinstance(found, PastMail)
    assert found.facts.envelope == new.envelope
    assert found.decision.assigned == (0,)


async def test_facts_go_with_the_record(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(with_facts(mail(queued=1)))
    await spool.cancel(queue_id, None, Actor("sender"), Reason.BY_SENDER, T0)
    await spool.ageing.purge(T0 + DAY, MINUTE, MINUTE, 10)
    await spool.ageing.purge(T0 + DAY, MINUTE, MINUTE, 10)
    with Past(where) as past:
        assert list(past.mails(T0 - DAY, T0 + DAY)) == []
        assert past._rows(sa.select(messages.c.facts)) == []


def test_facts_beyond_the_bound_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_json, "MAX_RECORD", 10)
    row = acceptance("Q", with_facts(mail(held=1))).message
    assert dict(zip(messages.columns.keys(), row, strict=True))["facts"] is None


def test_the_event_names_the_rules_that_only_watch() -> None:
    new = mail(held=1)
    watched = (Watched("trial", 1, Demands(), NOTHING_FOR_THE_MAIL),)

    def detail(message: NewMessage) -> dict[str, object]:
        event: Event = acceptance("Q", message).events[0]
        return dict(event.detail or {})

    assert detail(replace(new, decision=replace(new.decision, watched=watched)))["watched"] == ["trial"]
    assert "watched" not in detail(new)


def test_there_is_no_past_without_a_database(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        Past(Where(tmp_path))


def test_an_envelope_of_nobody_is_no_obstacle() -> None:
    envelope = Envelope(None, (), mail(held=1).envelope.client)
    text = mail_json.facts_json(gather(envelope, RAW))
    assert text is not None
    assert mail_json.facts_of(text, envelope, "", 1).envelope == envelope
