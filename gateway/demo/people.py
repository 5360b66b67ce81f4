"""Somebody for each role, who can sign in to the demo's pages. Whoever is there from an earlier run stays as they are."""

from __future__ import annotations

from gateway.clock import utc_now
from gateway.config.settings import Settings
from gateway.demo.sample import MANAGER, OFFICE, PASSWORD
from gateway.people.contract import Grant, Person, Role, UnknownPerson
from gateway.people.passwords import Hashing
from gateway.people.sql import SqlPeople
from gateway.service.master_key import master_key
from gateway.spool.sql import open_spool
from gateway.spool.values import SYSTEM
from gateway.store.where import where_of

PEOPLE = (
    Person("office", "受付 花子", (OFFICE,), (Grant(Role.SENDER),)),
    Person("manager", "館長 太郎", (MANAGER,), (Grant(Role.SENDER), Grant(Role.APPROVER))),
    Person("admin", "管理 次郎", (), (Grant(Role.ADMIN),)),
    Person("auditor", "監査 三郎", (), (Grant(Role.AUDITOR),)),
    Person("city", "区役所 四郎", (), (Grant(Role.ORDERING),)),
)


async def add_people(settings: Settings) -> None:
    """Add those who are not there yet; all have the demo's password."""
    spool = open_spool(where_of(settings), master_key(settings))
    hashing = Hashing()
    people = SqlPeople(spool.database, hashing, settings.sign_in)
    try:
        for person in PEOPLE:
            await _add(people, person)
    finally:
        hashing.close()
        await spool.close()


async def _add(people: SqlPeople, person: Person) -> None:
    try:
        await people.get(person.login)
    except UnknownPerson:
        await people.add(person, SYSTEM, utc_now())
        await people.own.set_password(person.login, PASSWORD, SYSTEM, utc_now())
