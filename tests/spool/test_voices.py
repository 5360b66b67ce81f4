"""One person is one voice, whichever mailbox they decide by, and never to a mail of their own; on both stores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.people.contract import Grant, Person, Role
from gateway.people.registry import add, resume, suspend
from gateway.spool.second_look import Said
from gateway.spool.sql import SqlSpool
from gateway.spool.times import to_us
from gateway.spool.values import Actor, NewMessage
from tests.spool.asking import CHIEF, DEPUTY, MAYOR, approval, asking
from tests.spool.mails import SENDER, T0


async def known(spool: SqlSpool, login: str, *addresses: str) -> None:
    person = Person(login, login, addresses, (Grant(Role.APPROVER),))
    await spool.database.committer.run(add(person, Actor("admin", "root"), to_us(T0)))


async def approves(spool: SqlSpool, queue_id: str, address: str) -> Said:
    return (await spool.consents.approve(queue_id, None, address, Actor("approver", address), "", T0)).said


async def test_two_links_of_one_person_are_one_voice(spool: SqlSpool) -> None:
    await known(spool, "boss", CHIEF, DEPUTY)
    queue_id = await spool.accept(asking(approval(CHIEF, DEPUTY, MAYOR, at_least=2)))
    said = [await approves(spool, queue_id, address) for address in (CHIEF, DEPUTY, MAYOR)]
    assert said == [Said.COUNTED, Said.AGAIN, Said.COUNTED]


async def test_a_second_rule_asks_the_other_mailbox_and_counts_it_there_alone(spool: SqlSpool) -> None:
    await known(spool, "boss", CHIEF, DEPUTY)
    both, second = approval(CHIEF, DEPUTY, at_least=2, rule="a"), approval(DEPUTY, rule="b")
    queue_id = await spool.accept(asking(both, second))
    said = [await approves(spool, queue_id, address) for address in (CHIEF, DEPUTY)]
    assert said == [Said.COUNTED, Said.COUNTED]
    given = {look.demand.rule: len(look.consents) for look in (await spool.get(queue_id)).looks}
    assert given == {"a": 1, "b": 1}


async def test_addresses_are_not_found_as_parts_of_others(spool: SqlSpool) -> None:
    await known(spool, "boss", f"x{CHIEF}", f"{CHIEF}.net", DEPUTY)
    queue_id = await spool.accept(asking(approval(CHIEF, DEPUTY, at_least=2)))
    assert [await approves(spool, queue_id, each) for each in (CHIEF, DEPUTY)] == [Said.COUNTED] * 2


def by_account(new: NewMessage) -> NewMessage:
    client = replace(new.envelope.client, account="Boss")
    return replace(new, envelope=replace(new.envelope, client=client))


@pytest.mark.parametrize("mine", [str(SENDER), "elsewhere@example.jp"])
async def test_nobody_approves_or_rejects_by_another_mailbox_what_they_sent(
    spool: SqlSpool, mine: str
) -> None:
    await known(spool, "boss", CHIEF, mine)
    new = asking(approval(CHIEF, DEPUTY))
    queue_id = await spool.accept(new if mine == str(SENDER) else by_account(new))
    assert await approves(spool, queue_id, CHIEF) is Said.OWN_MAIL
    rejected = await spool.consents.reject(queue_id, None, CHIEF, Actor("approver", CHIEF), "no", T0)
    assert rejected.said is Said.OWN_MAIL
    assert await approves(spool, queue_id, DEPUTY) is Said.COUNTED


async def test_a_link_in_the_mailbox_of_somebody_who_is_suspended_decides_nothing(spool: SqlSpool) -> None:
    await known(spool, "boss", CHIEF)
    queue_id = await spool.accept(asking(approval(CHIEF)))
    committer, root = spool.database.committer, Actor("admin", "root")
    await committer.run(suspend("boss", root, to_us(T0)))
    assert await approves(spool, queue_id, CHIEF) is Said.NOT_ASKED
    assert (await spool.consents.reject(queue_id, None, CHIEF, root, "no", T0)).said is Said.NOT_ASKED
    await committer.run(resume("boss", root, to_us(T0)))
    assert await approves(spool, queue_id, CHIEF) is Said.COUNTED
