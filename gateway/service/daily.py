"""The letter of the day, joined with the rooms: whom the policy in force calls inside, and what needs an administrator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from gateway.clock import utc_now
from gateway.config.settings import Settings
from gateway.console.probes import Check, run_checks
from gateway.message.address import parse_path
from gateway.notices.digest import DigestLetters
from gateway.notices.digest_days import Days
from gateway.notices.digest_worker import Circle, DigestWorker
from gateway.policy.demands import Language
from gateway.policy.people import People, read_pattern
from gateway.service.own_letters import author_of
from gateway.service.rooms import Rooms
from gateway.yaml_source import Problems

OVERDUE = timedelta(minutes=30)  # mail that should have left for so long is told of


def daily_letters(settings: Settings, rooms: Rooms, checks: Mapping[str, Check]) -> DigestWorker | None:
    """Return what sends them; None where the settings have no digest."""
    digest = settings.notices.digest
    if digest is None:
        return None
    zone = ZoneInfo(digest.timezone or settings.timezone)

    def inside() -> tuple[Sequence[str], Language]:
        try:
            policy = rooms.policy.current
        except Problems:  # nobody is known to be inside
            return (), Language.JA
        return policy.internal, policy.language

    async def attention() -> Sequence[str]:
        said = [f"{name}: {told}" for name, told in (await run_checks(checks)).items() if told != "ok"]
        due = (await rooms.spool.figures()).oldest_due
        waited = utc_now() - due if due is not None else timedelta(0)
        if waited > OVERDUE:
            words = rooms.letters.wording.words[inside()[1].value]
            said.append(
                words.gettext("Mail that should have left waits for %(time)s.")
                % {"time": words.duration(waited)}
            )
        return said

    return DigestWorker(
        rooms.spool,
        DigestLetters(rooms.links, rooms.letters.wording, author_of(settings)),
        Days(digest.at, zone, digest.working_days),
        Circle(
            inside,
            People([read_pattern(each) for each in digest.to]) if digest.to else None,
            [parse_path(each) for each in digest.admins],
            rooms.people.addresses_of_suspended,
            rooms.people.languages,
        ),
        attention,
        utc_now,
        rooms.letters.signing.signed,
        settings.hostname,
        rooms.scheduler.wake,
    )
