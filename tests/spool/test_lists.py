"""Lists of held mail, on both stores: what a question finds, in what order, page by page, and that nobody sees more."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.audit.entries import Question
from gateway.audit.lines import lines
from gateway.audit.log import EventLog
from gateway.incidents.door import Duty, Incidents
from gateway.message.address import Address, parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands
from gateway.spool.contract import UnknownMessage
from gateway.spool.lifecycle import Reason
from gateway.spool.list_contract import Counted, HeldLine, HeldQuestion, Order, Scope, Waits, Whose
from gateway.spool.sql import SqlSpool
from gateway.spool.values import SYSTEM, Actor, NewMessage
from tests.spool.asking import CHIEF, DEPUTY, approval, asking, confirmation
from tests.spool.mails import MINUTE, SENDER, T0, WINDOW, mail

ALL = Scope(everything=True)
ADMIN = Actor("admin", "root")


def from_(
    sender: str,
    *to: str,
    subject: str = "お知らせ",
    account: str = "clerk",
    groups: tuple[str, ...] = (),
    author: str = "",
    minutes: int = 0,
    window: timedelta = WINDOW,
) -> NewMessage:
    """Return a held mail of somebody."""
    people = tuple([parse_path(each) for each in to or ("r@example.com",)])
    envelope = Envelope(parse_path(sender), people, Client("192.0.2.1", "pc", account, True))
    decision = Decision("d", (Outcome(True, Demands(window=window), rules=("window",)),), (0,) * len(people))
    raw = f"From: {author or sender}\r\nTo: {', '.join(to)}\r\nSubject: x\r\n\r\nhello\r\n".encode()
    facts: Facts = gather(envelope, raw)
    at = T0 + minutes * MINUTE
    return NewMessage(envelope, raw, decision, at, subject, facts=facts, groups=groups)


async def ids(spool: SqlSpool, question: HeldQuestion) -> list[str]:
    return [line.queue_id for line in (await spool.lists.held(question)).lines]


async def test_a_line_tells_what_a_list_shows(spool: SqlSpool) -> None:
    queue_id = await spool.accept(from_("a@example.jp", "x@example.com", "y@example.com", groups=("sports",)))
    page = await spool.lists.held(HeldQuestion(ALL))
    (line,) = page.lines
    assert (line.queue_id, line.sender, line.subject) == (queue_id, "a@example.jp", "お知らせ")
    assert (line.held, line.total, line.outside) == (2, 2, 2)
    assert (line.due_at, line.waits, line.rules) == (T0 + WINDOW, frozenset({Waits.TIME}), ("window",))
    assert (line.groups, page.found, page.after, page.at_least) == (("sports",), 1, "", False)


async def test_what_is_not_held_is_in_no_list(spool: SqlSpool) -> None:
    await spool.accept(mail(queued=1))
    gone = await spool.accept(mail(held=2))
    some = await spool.accept(mail(held=2, queued=1))
    await spool.cancel(gone, None, ADMIN, Reason.BY_ADMIN, T0)
    await spool.cancel(some, [0], ADMIN, Reason.BY_ADMIN, T0)
    (line,) = (await spool.lists.held(HeldQuestion(ALL))).lines
    assert (line.queue_id, line.held, line.total) == (some, 1, 3)
    await spool.release_due(T0 + WINDOW, 100)
    assert await ids(spool, HeldQuestion(ALL)) == []
    assert await spool.lists.counted(HeldQuestion(ALL)) == Counted(0, 0)


SEARCHES: list[tuple[HeldQuestion, set[str]]] = [
    (HeldQuestion(ALL, words="TENNIS"), {"one"}),
    (HeldQuestion(ALL, words="tennis 教室"), {"one"}),
    (HeldQuestion(ALL, words="教室"), {"one", "two"}),
    (HeldQuestion(ALL, words="100%"), {"three"}),
    (HeldQuestion(ALL, words="100_"), set()),
    (HeldQuestion(ALL, words="y@Example.COM"), {"two"}),
    (HeldQuestion(ALL, words="ＡＢＣ"), {"three"}),
    (HeldQuestion(ALL, words="a@example.jp"), {"one", "three"}),
    (HeldQuestion(ALL, words="nothing"), set()),
    (HeldQuestion(ALL, sender="b@"), {"two"}),
    (HeldQuestion(ALL, recipient="b@"), set()),
    (HeldQuestion(ALL, recipient="Y@example"), {"two"}),
    (HeldQuestion(ALL, group="sports"), {"one"}),
    (HeldQuestion(ALL, group="sport"), set()),
    (HeldQuestion(ALL, rule="window"), {"one", "two", "three"}),
    (HeldQuestion(ALL, rule="win"), set()),
    (HeldQuestion(ALL, waits=Waits.TIME), {"one", "two", "three"}),
    (HeldQuestion(ALL, waits=Waits.APPROVAL), set()),
    (HeldQuestion(ALL, without=frozenset({Waits.TIME})), set()),
    (HeldQuestion(ALL, since=T0 + MINUTE), {"two", "three"}),
    (HeldQuestion(ALL, until=T0 + MINUTE), {"one"}),
    (HeldQuestion(ALL, within=Scope(groups=frozenset({"sports"}))), {"one"}),
    (HeldQuestion(ALL, within=Scope()), set()),
    (HeldQuestion(Scope()), set()),
]


async def test_searches_find_what_they_say(spool: SqlSpool) -> None:
    named = {
        await spool.accept(from_("a@example.jp", subject="Tennis 教室", groups=("sports", "city"))): "one",
        await spool.accept(from_("b@example.jp", "y@example.com", subject="水泳教室", minutes=1)): "two",
        await spool.accept(from_("a@example.jp", subject="100% ABC", minutes=2)): "three",
    }
    for question, wanted in SEARCHES:
        assert {named[each] for each in await ids(spool, question)} == wanted, question
        assert (await spool.lists.counted(question)).mails == len(wanted), question


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_together_are_the_whole_list_in_order(
    spool: SqlSpool, order: Order, descending: bool
) -> None:
    for number in range(7):
        window = MINUTE * (10 + number * 3 % 7)
        await spool.accept(from_(f"{'cab'[number % 3]}@example.jp", minutes=number // 2, window=window))
    question = HeldQuestion(ALL, order=order, descending=descending, limit=3)
    found: list[HeldLine] = []
    pages = 0
    while pages == 0 or question.after:
        page = await spool.lists.held(question)
        found += page.lines
        question, pages = replace(question, after=page.after), pages + 1
        assert page.found == 7
    assert pages == 3
    key = {
        Order.RECEIVED: lambda line: (line.received_at, line.queue_id),
        Order.DUE: lambda line: (line.due_at, line.queue_id),
        Order.SENDER: lambda line: (line.sender, line.queue_id),
    }[order]
    assert found == sorted(found, key=key, reverse=descending)
    assert len({line.queue_id for line in found}) == 7


@pytest.mark.parametrize("after", ["x", "W10", "é", "A" * 2000, "WyJkdWUiLHRydWUsMSwiQSJd"])
async def test_a_foreign_cursor_is_refused(spool: SqlSpool, after: str) -> None:
    with pytest.raises(ValueError, match="place"):
        await spool.lists.held(HeldQuestion(ALL, after=after))
    with pytest.raises(ValueError, match="lines"):
        await spool.lists.held(HeldQuestion(ALL, limit=0))


@pytest.mark.parametrize("odd", ["\0", "\ud800"])
async def test_signs_that_no_database_keeps_find_nothing(spool: SqlSpool, odd: str) -> None:
    """They come in addresses of pages, in forms and in calls of the API; of many mails the others are done all the same."""
    with pytest.raises(UnknownMessage):
        await spool.lists.whose(odd)
    assert EventLog.over(spool.database.readers).about(odd, 1) == []
    assert not lines(EventLog.over(spool.database.readers), Question(queue_id=odd, actor=odd)).lines
    assert await Incidents(spool.database, Duty()).find(odd) is None
    place = json.dumps(["received", True, odd, odd]).encode()
    with pytest.raises(ValueError, match="place"):
        await spool.lists.held(HeldQuestion(ALL, after=base64.urlsafe_b64encode(place).decode()))


async def test_a_list_follows_what_people_do(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(confirmation(), approval(CHIEF), outside=2, window=WINDOW))

    async def waits() -> frozenset[Waits]:
        (line,) = (await spool.lists.held(HeldQuestion(ALL))).lines
        return line.waits

    assert await waits() == {Waits.CONFIRMATION, Waits.APPROVAL}
    await spool.consents.confirm(queue_id, [0, 1], False, Actor("sender"), T0)
    assert await waits() == {Waits.APPROVAL}
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0)
    (line,) = (await spool.lists.held(HeldQuestion(ALL, order=Order.DUE))).lines
    assert (line.waits, line.due_at) == (frozenset({Waits.TIME}), T0 + WINDOW)


async def test_whose_a_mail_is(spool: SqlSpool) -> None:
    new = from_("a@example.jp", author="Boss <Boss@example.jp>", account="Clerk", groups=("city", "sports"))
    expected = Whose(
        frozenset({"a@example.jp", "boss@example.jp"}), "clerk", frozenset({"city", "sports"}), frozenset()
    )
    assert await spool.lists.whose(await spool.accept(new)) == expected
    asked = asking(approval(CHIEF, later=(timedelta(hours=1), DEPUTY)))
    queue_id = await spool.accept(asked)
    assert (await spool.lists.whose(queue_id)).asked == {CHIEF}
    await spool.consents.pass_deadlines(T0 + timedelta(hours=1), 10)
    assert (await spool.lists.whose(queue_id)).asked == {CHIEF, DEPUTY}
    assert await ids(spool, HeldQuestion(Scope(asked=frozenset({DEPUTY})))) == [queue_id]
    with pytest.raises(UnknownMessage):
        await spool.lists.whose("NOSUCHMAIL")


async def test_what_nobody_noted_is_found_and_listed(spool: SqlSpool) -> None:
    """As a gateway of the version before leaves it, beside us: held without a line, and let go with one."""
    held, gone = await spool.accept(mail(held=1)), await spool.accept(mail(held=1))
    await spool.cancel(gone, None, SYSTEM, Reason.BY_SENDER, T0)
    committer = spool.database.committer
    await committer.run(lambda tx: tx.connection.exec_driver_sql("DELETE FROM unlisted") and None)
    sql = f"UPDATE listings SET queue_id = 'X' WHERE queue_id = '{held}'"
    await committer.run(lambda tx: tx.connection.exec_driver_sql(sql) and None)
    assert await ids(spool, HeldQuestion(ALL)) == []
    assert await spool.lists.look_over(100) == 3
    assert await ids(spool, HeldQuestion(ALL)) == [held]
    assert await spool.lists.look_over(100) == 0


async def test_a_mail_without_a_sender_is_listed(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=1, sender=None))
    assert await ids(spool, HeldQuestion(ALL, order=Order.SENDER)) == [queue_id]
    assert await spool.lists.whose(queue_id) == Whose(frozenset(), "clerk")


async def test_facts_are_there_for_who_shows_files(spool: SqlSpool) -> None:
    queue_id = await spool.accept(from_("a@example.jp"))
    facts = await spool.lists.facts(queue_id)
    assert facts is not None
    assert facts.authors == (Address("a", "example.jp"),)
    assert await spool.lists.facts(await spool.accept(mail(held=1, sender=SENDER))) is None
    with pytest.raises(UnknownMessage):
        await spool.lists.facts("NOSUCHMAIL")
