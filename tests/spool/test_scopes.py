"""What somebody may do, said three times: of one mail, of a set of mails, and by the store. They never differ."""

from __future__ import annotations

from itertools import product

from gateway.people.contract import Grant, Person, Role
from gateway.people.sight import Act, may, scope_of
from gateway.spool.list_contract import HeldQuestion
from gateway.spool.sql import SqlSpool
from gateway.spool.values import NewMessage
from tests.spool.asking import CHIEF, DEPUTY, approval, asking
from tests.spool.mails import mail
from tests.spool.test_lists import from_

GROUPS = ("", "sports", "city")
IDENTITIES = (("a", ("a@example.jp",)), ("CLERK", ("boss@example.jp", CHIEF)), ("n", ()))
ONE = [(Grant(role, group),) for role, group in product(Role, GROUPS)]
TWO = [(Grant(Role.SENDER), Grant(role, group)) for role, group in product(Role, GROUPS)]


def mails() -> list[NewMessage]:
    """Return mails that differ in everything access asks for, also such that hold names like parts of others."""
    return [
        from_("a@example.jp", account="x"),
        from_("a@example.jp", author="boss@example.jp", account="x", groups=("sports",)),
        from_("aa@example.jp", account="clerk", groups=("sports-club",)),
        from_("z@example.jp", account="Clerk", groups=("city", "sports")),
        from_('"g:city"@example.jp', account="n2"),
        from_("z@example.jp", account="z", groups=("l:a",)),
        asking(approval(CHIEF, DEPUTY)),
        asking(approval(DEPUTY)),
        mail(held=1, sender=None),
    ]


async def test_a_list_holds_exactly_what_may_be_done(spool: SqlSpool) -> None:
    whose = {}
    for new in mails():
        queue_id = await spool.accept(new)
        whose[queue_id] = await spool.lists.whose(queue_id)
    compared = 0
    for grants, (login, addresses) in product([(), *ONE, *TWO], IDENTITIES):
        person = Person(login, login, addresses, grants)
        for scope in {scope_of(person, act) for act in Act}:
            acts = [act for act in Act if scope_of(person, act) == scope]
            page = await spool.lists.held(HeldQuestion(scope))
            found = {line.queue_id for line in page.lines}
            for act, (queue_id, each) in product(acts, whose.items()):
                assert (queue_id in found) == may(person, act, each), (person, act, each)
                compared += may(person, act, each)
    assert compared > 500  # neither side says no to everything
