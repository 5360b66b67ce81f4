"""Verbs on keys and links: who may, as whom it is written down, and that copies are nobody's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from gateway.acting.allowed import NotAllowed
from gateway.acting.files import ActingOnFiles
from gateway.people.contract import Grant, Person, Role
from gateway.people.sight import Act, may
from gateway.policy.protection import Way
from gateway.spool.contract import UnknownMessage
from tests.acting.conftest import ADMIN, AUDITOR, BOSS, ORDERING, OTHER, Room, person
from tests.spool.keyed import CLERK, keyed, sealed
from tests.spool.mails import LEASE, T0, delivered

OWN = person("own", Grant(Role.SENDER), addresses=(CLERK.name,))
GROUP_ADMIN = person("hall", Grant(Role.ADMIN, "hall"))
Call = Callable[[ActingOnFiles, Person, str], Awaitable[object]]
VERBS: dict[str, tuple[Act, Call]] = {
    "show_keys": (Act.SEND, lambda files, who, mail: files.show_keys(who, mail)),
    "supply": (Act.SEND, lambda files, who, mail: files.supply(who, mail, [0], Way.SENDER, "")),
    "stop_keys": (Act.STOP, lambda files, who, mail: files.stop_keys(who, mail, [0])),
    "lock": (Act.STOP, lambda files, who, mail: files.lock(who, mail, [0])),
    "unlock": (Act.SEND, lambda files, who, mail: files.unlock(who, mail, [0])),
    "extend_links": (Act.SEND, lambda files, who, mail: files.extend_links(who, mail, [0], T0)),
}


async def left(room: Room, *, copied: int = 0) -> str:
    """Return a mail to two, which has left; their keys follow soon."""
    queue_id = await room.spool.accept(keyed(sealed(Way.SECOND_MAIL), sealed(Way.SECOND_MAIL), copied=copied))
    for claim in await room.spool.claim(T0, 10, LEASE):
        await room.spool.record(claim, [delivered(row.index) for row in claim.message.recipients], T0)
    return queue_id


@pytest.mark.parametrize("name", VERBS)
async def test_a_verb_is_allowed_refused_or_unknown(room: Room, name: str) -> None:
    act, verb = VERBS[name]
    queue_id = await room.spool.accept(keyed(sealed(), sealed()))
    whose = await room.spool.lists.whose(queue_id)
    heard = set()
    for who in (OWN, OTHER, BOSS, ADMIN, GROUP_ADMIN, AUDITOR, ORDERING):
        known = may(who, Act.SEE, whose) or may(who, Act.LOG, whose)
        expected = None if may(who, act, whose) else NotAllowed if known else UnknownMessage
        said: type[Exception] | None = None
        try:
            await verb(ActingOnFiles(room.spool, lambda: T0), who, queue_id)
        except (UnknownMessage, NotAllowed) as error:
            said = type(error)
        assert said is expected, who
        heard.add(expected)
    assert heard == {None, NotAllowed, UnknownMessage}


def test_every_verb_is_in_the_table() -> None:
    assert {name for name in vars(ActingOnFiles) if not name.startswith("_")} - {"spool", "clock"} == set(
        VERBS
    )


@pytest.mark.parametrize(
    ("who", "written"),
    [(OWN, ("by-sender", "sender", CLERK.name, None)), (ADMIN, ("by-admin", "admin", "root", None))],
)
async def test_the_log_says_who_stopped_a_key(
    room: Room, who: Person, written: tuple[str, str, str, None]
) -> None:
    queue_id = await left(room)
    change = await ActingOnFiles(room.spool, lambda: T0 + timedelta(seconds=1)).stop_keys(
        who, queue_id, [0, 1]
    )
    assert change.done == (0, 1)
    assert room.events("key-stopped") == [written]


async def test_a_copy_is_nobodys(room: Room) -> None:
    queue_id = await left(room, copied=1)
    files = ActingOnFiles(room.spool, lambda: T0)
    for who in (OWN, ADMIN):
        assert (await files.stop_keys(who, queue_id, [1])).done == ()
        assert (await files.lock(who, queue_id, [1])).done == ()
