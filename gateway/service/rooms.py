"""All rooms of one gateway, built from the settings and joined; nothing runs yet.

Who has to hear of work that another room leaves in the store is decided here: a mail taken in wakes the scheduler and the
notices, and both ring for the other gateways on the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from zoneinfo import ZoneInfo

from gateway.clock import utc_now
from gateway.config.policies import PolicyInForce
from gateway.config.settings import Settings
from gateway.delivery.dsn import dsn_composers
from gateway.detect.look_alike import KnownDomains
from gateway.evidence.content.reader import Reader
from gateway.evidence.domains import DomainStates
from gateway.evidence.resolver import DnsResolver
from gateway.incidents.door import Incidents
from gateway.links import Links
from gateway.message.envelope import Envelope
from gateway.message.gather import gather
from gateway.notices.asking import Asking
from gateway.notices.code_letter import CodeLetters
from gateway.notices.colleagues import ColleagueLetters
from gateway.notices.compose import Composers
from gateway.notices.halted import HaltLetters
from gateway.notices.incident_letters import IncidentLetters
from gateway.notices.keys import KeyLetters
from gateway.notices.left import LeftLetters
from gateway.notices.reminder import Reminders
from gateway.notices.worker import NoticeWorker
from gateway.people.passwords import Hashing
from gateway.people.sql import SqlPeople
from gateway.people.suspensions import Suspensions
from gateway.policy.conditions.context import Need
from gateway.policy.decide import decide
from gateway.receive.accounts import Accounts, OnChange
from gateway.receive.answering import FULL
from gateway.receive.intake import Intake
from gateway.receive.looking_up import LookingUp
from gateway.receive.protecting import Protecting
from gateway.receive.reply import Reply
from gateway.receive.sources import Sources
from gateway.release.learner import Learner
from gateway.release.variants import Variants
from gateway.sealing.sealer import Sealing
from gateway.service.channels import KeyRooms
from gateway.service.incidents import duty_of
from gateway.service.key_ways import KeyWays
from gateway.service.outbound import outbound
from gateway.service.own_letters import OwnLetters, author_of
from gateway.service.provider import openid_provider
from gateway.service.watch import FreeSpace, StoreTrouble
from gateway.spool.sql import SqlSpool
from gateway.store.keys import MasterKey
from gateway.webhooks.standing import Standing
from gateway.webhooks.worker import WebhookWorker
from gateway.yaml_source import Problems


class Rooms:
    """`spool` is open and `policy` read; `accounts_changed` is told what changed in the accounts file."""

    def __init__(
        self,
        settings: Settings,
        key: MasterKey,
        spool: SqlSpool,
        policy: PolicyInForce,
        accounts_changed: OnChange,
    ) -> None:
        self.spool = spool
        self.policy = policy
        self.space = FreeSpace(settings.state, settings.minimum_free_space)
        self.trouble = StoreTrouble()
        self.accounts = Accounts(
            settings.accounts, accounts_changed, elsewhere=lambda login: self.suspensions.holds(login)
        )
        self.hashing = Hashing()
        self.people = SqlPeople(
            spool.database, self.hashing, settings.sign_in, self.accounts.suspends, self._people_changed
        )
        self.suspensions = Suspensions(self.people.suspended)
        self.links = Links(key.derived("links"), settings.web.public_url, settings.web.link_valid)
        self.provider = openid_provider(settings, self.links)
        self.sealing = Sealing(settings.sealing)
        variants = Variants(spool.keys, self.sealing, self.links, spool.shares, ZoneInfo(settings.timezone))
        out = outbound(settings, spool, self.ring, variants)
        self.scheduler = out.scheduler
        self.pool = out.pool
        self.reader = Reader(settings.content)
        self._looking_up = _looking_up(settings, spool, self.reader)
        self.learner = Learner(
            spool.knowledge, self._asks_for_people, utc_now, settings.knowledge.acquaintances
        )
        zone = ZoneInfo(settings.timezone)
        self.letters = OwnLetters(settings)
        own = Composers(self.links, zone, author_of(settings), self.letters.wording)
        sign = self.letters.signing.signed
        letters = KeyLetters(self.links, own, zone, settings.hostname, utc_now, sign)
        self.keys = KeyRooms(settings, spool, letters, self.scheduler.wake)
        channels = self.keys.channels
        ways = KeyWays(lambda: channels.ways, channels.numbers_known, spool.keys.agreed)
        self._protecting = Protecting(self.sealing.look, ways)
        self._intake = self._intake_of_mail()
        self.incidents = Incidents(spool.database, duty_of(settings), self._ordering_bodies)
        self.notices = self._notice_worker(settings, own, letters)
        self.webhooks = WebhookWorker(settings.webhooks, Standing(spool.database), utc_now)

    async def submit(self, envelope: Envelope, raw: bytes) -> Reply:
        """Take one mail in; what the listener calls at the final dot."""
        if not self.space.enough:
            return FULL
        reply = await self._intake.submit(envelope, raw)
        if reply.why == "store":
            self.trouble.seen()
        return reply

    def ring(self) -> None:
        """Tell those who write notices, here and in other gateways, that there may be some to write."""
        self.notices.ring()
        self.spool.node.ring()

    async def _people_changed(self) -> None:
        """Let mail in, here and in other gateways, hear who is suspended now."""
        await self.suspensions.refresh()
        self.spool.node.ring()

    def rung(self) -> None:
        """Look for the work that another gateway has put into the database, and for whom it suspended."""
        self.suspensions.ring()
        self.scheduler.wake()
        self.notices.ring()

    def adopt(self, key: MasterKey) -> None:
        """Work with a new master key from now on; it holds the one before it."""
        self.spool.database.adopt(key)
        self.links.adopt(key.derived("links"))

    def _asks_for_people(self) -> bool:
        """Tell whether a rule in force asks who wrote to whom."""
        try:
            return bool(self.policy.current.needs & (Need.WRITERS | Need.LOOK_ALIKES))
        except Problems:
            return False

    def _intake_of_mail(self) -> Intake:
        return Intake(
            self.spool,
            lambda: self.policy.current,
            decide,
            gather,
            utc_now,
            self.accounts.language_of,
            self.scheduler,
            self.ring,
            self._looking_up,
            self._protecting,
        )

    def _notice_worker(self, settings: Settings, own: Composers, letters: KeyLetters) -> NoticeWorker:
        author = author_of(settings)
        composers = {
            **own.by_kind(),
            **Asking(self.links, own).by_kind(),
            **self._incident_letters(own).by_kind(),
            **Reminders(self.links, own).by_kind(),
            **ColleagueLetters(self.links, own).by_kind(),
            **letters.by_kind(),
            **LeftLetters(self.links, own).by_kind(),
            **CodeLetters(
                self.spool.shares.code_of, ZoneInfo(settings.timezone), author, self.letters.wording
            ).by_kind(),
            **HaltLetters(self.links, own).by_kind(),
            **dsn_composers(
                settings.hostname, author.address, settings.notices.name, settings.delivery.give_up_after
            ),
        }
        return NoticeWorker(
            self.spool,
            composers,
            own,
            utc_now,
            settings.hostname,
            self.scheduler.wake,
            sign=self.letters.signing.signed,
            own_address=author.address,
        )

    def _incident_letters(self, own: Composers) -> IncidentLetters:
        incidents = self.incidents
        return IncidentLetters(self.links, own, incidents.read, incidents.duty.verdict, utc_now)

    def _ordering_bodies(self, groups: Collection[str]) -> Collection[str]:
        """Return who gets the reports of these groups; nobody while there is no good policy."""
        try:
            reports = self.policy.current.reports
        except Problems:
            return ()
        return {address for group in groups for address in reports.get(group, ())}


def _looking_up(settings: Settings, spool: SqlSpool, reader: Reader) -> LookingUp:
    out = settings.delivery
    resolver = DnsResolver(out.nameservers, settings.knowledge.patience.total_seconds())
    sources = Sources(spool.knowledge, DomainStates(resolver), reader.read, _look_alikes)
    return LookingUp(sources, utc_now, settings.knowledge.patience)


def _look_alikes(known: Collection[str]) -> Callable[[str], str | None]:
    """Return what tells which known domain, of these or of the common providers, a domain resembles."""
    return KnownDomains(known).nearest
