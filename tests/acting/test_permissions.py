"""Every verb against every role, on mail of their own, of their group, and of others: `may` decides, and nothing else does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import product

import pytest

from gateway.acting.acting import Acting
from gateway.acting.allowed import NotAllowed
from gateway.people.contract import Grant, Person, Role
from gateway.people.sight import Act, may
from gateway.spool.contract import UnknownMessage
from gateway.spool.values import NewMessage
from tests.acting.conftest import Room, person
from tests.spool.asking import CHIEF, approval, asking
from tests.spool.mails import T0
from tests.spool.test_lists import from_

Call = Callable[[Acting, Person, str], Awaitable[object]]

VERBS: dict[str, tuple[Act, Call]] = {
    "see": (Act.SEE, lambda acting, who, mail: acting.see(who, mail)),
    "cancel": (Act.STOP, lambda acting, who, mail: acting.cancel(who, mail)),
    "freeze": (Act.STOP, lambda acting, who, mail: acting.freeze(who, mail)),
    "thaw": (Act.STOP, lambda acting, who, mail: acting.thaw(who, mail)),
    "extend": (Act.STOP, lambda acting, who, mail: acting.extend(who, mail, T0 + timedelta(hours=1))),
    "correct": (Act.STOP, lambda acting, who, mail: acting.correct(who, mail, 0, "x@example.com")),
    "take_back": (Act.STOP, lambda acting, who, mail: acting.take_back(who, mail)),
    "release": (Act.SEND, lambda acting, who, mail: acting.release(who, mail)),
    "confirm": (Act.SEND, lambda acting, who, mail: acting.confirm(who, mail, [0], False)),
    "approve": (Act.APPROVE, lambda acting, who, mail: acting.approve(who, mail)),
    "reject": (Act.APPROVE, lambda acting, who, mail: acting.reject(who, mail, "いいえ")),
}
PEOPLE = [
    person("nobody"),
    person("boss", Grant(Role.APPROVER), addresses=(CHIEF,)),
    *[person("a", Grant(role, group)) for role, group in product(Role, ("", "sports", "city"))],
]


async def said(verb: Call, room: Room, who: Person, queue_id: str) -> type[Exception] | None:
    try:
        await verb(room.acting, who, queue_id)
    except (UnknownMessage, NotAllowed) as error:
        return type(error)
    return None


@pytest.mark.parametrize("name", VERBS)
async def test_a_verb_is_allowed_refused_or_unknown(room: Room, name: str) -> None:
    act, verb = VERBS[name]
    makes: list[Callable[[], NewMessage]] = [
        lambda: from_("a@example.jp", account="x"),
        lambda: from_("z@example.jp", account="x", groups=("sports",)),
        lambda: asking(approval(CHIEF)),
    ]
    heard: set[type[Exception] | None] = set()
    for make in makes:
        queue_id = await room.spool.accept(make())
        whose = await room.spool.lists.whose(queue_id)
        for who in PEOPLE:
            allowed = may(who, act, whose)
            known = may(who, Act.SEE, whose) or may(who, Act.LOG, whose)
            expected = None if allowed else NotAllowed if known else UnknownMessage
            assert await said(verb, room, who, queue_id) is expected, (who, whose)
            heard.add(expected)
    assert heard == {None, NotAllowed, UnknownMessage}


def test_every_verb_on_one_mail_is_in_the_table() -> None:
    verbs = {name for name in vars(Acting) if not name.startswith("_")} - {"spool", "clock"}
    assert verbs == {*VERBS, "held", "read"}  # a body and a list have tests of their own
