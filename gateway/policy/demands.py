"""What rules ask for: for one recipient (`Demands`), and for the mail as a whole (`MailDemands`).

Both form a join-semilattice: `join` is commutative, associative and idempotent, and never weakens either side. That is why
rules can only ever add (docs/decisions/0003-rules-only-add.md). Windows, deadlines and calendars were worked out against the
time of acceptance before they come here: what stands here are spans from that time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import reduce

from gateway.policy.protection import Protection
from gateway.values import dataclass

NO_TIME = timedelta(0)


class Form(IntEnum):
    """How the recipients of a copy are shown, in the order of how much it hides."""

    ORIGINAL = 0
    BCC = 1
    INDIVIDUAL = 2


FORM_WORDS = tuple([form.name.lower() for form in Form])
"""What stands for each form, by its number: in what is stored, and in what templates take."""


class Language(StrEnum):
    JA = "ja"
    EN = "en"


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """A sentence for people in both languages; a policy that gives one language gives it for both."""

    ja: str
    en: str

    def in_(self, language: Language) -> str:
        return self.ja if language is Language.JA else self.en


EVER = datetime.min.replace(tzinfo=UTC)  # since when who is no proxy may approve
NEVER = datetime.max.replace(tzinfo=UTC)  # and until when


@dataclass(frozen=True, slots=True, order=True)
class Approver:
    """Somebody who may approve: the key of an address. A proxy may only from `since` on, and before `until`; both in UTC."""

    address: str
    since: datetime = EVER
    until: datetime = NEVER

    def may_at(self, instant: datetime) -> bool:
        """Tell whether this person may approve at that moment."""
        return self.since <= instant < self.until


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """From `after` (a span from acceptance) on, these people may approve too. The first step has `after` 0."""

    after: timedelta
    approvers: tuple[Approver, ...]


@dataclass(frozen=True, slots=True, order=True)
class Approval:
    """`at_least` of the people of the steps so far have to approve, never the sender.

    What nobody decided `within` that span from acceptance is cancelled or released (`otherwise`). `name` is what the page
    calls those who decide. At each of `remind` (spans from acceptance, in order) those who may decide and have not are told
    again.
    """

    rule: str
    name: str
    at_least: int
    within: timedelta
    otherwise: str  # "cancel" or "release"
    steps: tuple[Step, ...]
    remind: tuple[timedelta, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Confirmation:
    """The sender has to tick `items` one by one: recipients, attachments, or both.

    What is not ticked `within` that span from acceptance is cancelled, or counts as ticked (`otherwise`). At each of `remind`
    (spans from acceptance, in order) the sender is told again.
    """

    rule: str
    items: str  # "recipients", "attachments" or "both"
    within: timedelta
    otherwise: str  # "cancel" or "release"
    remind: tuple[timedelta, ...] = ()

    @property
    def of_recipients(self) -> bool:
        return self.items != "attachments"

    @property
    def of_attachments(self) -> bool:
        return self.items != "recipients"


@dataclass(frozen=True, slots=True)
class Demands:
    """What rules ask for one recipient. The empty value demands nothing and is the neutral element of `join`.

    `window` is how long to hold. `firm` is the part of it that nobody can waive, `reasoned` the part that the sender can waive
    only with a reason (what is firm stays firm). `hide_internal` says that a hiding form hides internal addresses too. `tags`
    are header fields to add. What `confirm` names the sender has to tick before the mail may leave. `approvals`
    must all be given. `drop`: this recipient does not get the mail. `routes` are names of next hops
    in the settings, `disclaimers` names of texts in the policy to put under the mail, `protections` what becomes of
    attachments.
    """

    window: timedelta = NO_TIME
    firm: timedelta = NO_TIME
    form: Form = Form.ORIGINAL
    hide_internal: bool = False
    tags: frozenset[tuple[str, str]] = frozenset()
    reasoned: timedelta = NO_TIME
    confirm: frozenset[Confirmation] = frozenset()
    approvals: frozenset[Approval] = frozenset()
    drop: bool = False
    routes: frozenset[str] = frozenset()
    disclaimers: frozenset[str] = frozenset()
    protections: frozenset[Protection] = frozenset()

    @property
    def waits(self) -> bool:
        """Tell whether the recipient is held at all: for a time, or until somebody does something."""
        return self.window > NO_TIME or not self.waits_for_nobody

    @property
    def waits_for_nobody(self) -> bool:
        """Tell whether time alone lets the recipient go: nobody has to confirm or approve."""
        return not self.confirm and not self.approvals

    def join(self, other: Demands) -> Demands:
        """Return the least demands that satisfy both."""
        if self is NOTHING or other is NOTHING:  # as nearly always: one rule, one ask
            return other if self is NOTHING else self
        return Demands(
            window=max(self.window, other.window),
            firm=max(self.firm, other.firm),
            form=max(self.form, other.form),
            hide_internal=self.hide_internal or other.hide_internal,
            tags=self.tags | other.tags,
            reasoned=max(self.reasoned, other.reasoned),
            confirm=self.confirm | other.confirm,
            approvals=self.approvals | other.approvals,
            drop=self.drop or other.drop,
            routes=self.routes | other.routes,
            disclaimers=self.disclaimers | other.disclaimers,
            protections=self.protections | other.protections,
        )

    def covers(self, other: Demands) -> bool:
        """Tell whether these demands are at least as strict as `other` (the order the join belongs to)."""
        return self.join(other) == self


NOTHING = Demands()
"""What no rule asks anything for gets."""


def join_all(demands: Iterable[Demands]) -> Demands:
    """Join any number of demands, in any order; none at all gives the empty ones."""
    return reduce(Demands.join, demands, NOTHING)


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """Nobody gets the mail, says this rule."""

    rule: str
    text: Text


@dataclass(frozen=True, slots=True)
class MailDemands:
    """What rules ask for the mail as a whole: refusals, who is told of the hold, who gets a copy, who gets the report.

    `notify`, `bcc_to` and `report_to` are keys of addresses. `tell_left`: the sender is told that a held mail has left.
    `colleagues_may_stop`: who gets a copy inside at once can stop what has not left for outside (colleagues.py).
    """

    refusals: frozenset[Refusal] = frozenset()
    notify_sender: bool = False
    notify: frozenset[str] = frozenset()
    bcc_to: frozenset[str] = frozenset()
    report_to: frozenset[str] = frozenset()
    tell_left: bool = False
    colleagues_may_stop: bool = False

    def join(self, other: MailDemands) -> MailDemands:
        """Return the least demands that satisfy both."""
        if self is NOTHING_FOR_THE_MAIL or other is NOTHING_FOR_THE_MAIL:
            return other if self is NOTHING_FOR_THE_MAIL else self
        return MailDemands(
            refusals=self.refusals | other.refusals,
            notify_sender=self.notify_sender or other.notify_sender,
            notify=self.notify | other.notify,
            bcc_to=self.bcc_to | other.bcc_to,
            report_to=self.report_to | other.report_to,
            tell_left=self.tell_left or other.tell_left,
            colleagues_may_stop=self.colleagues_may_stop or other.colleagues_may_stop,
        )

    def covers(self, other: MailDemands) -> bool:
        """Tell whether these demands are at least as strict as `other`."""
        return self.join(other) == self


NOTHING_FOR_THE_MAIL = MailDemands()


def join_all_for_mail(demands: Iterable[MailDemands]) -> MailDemands:
    """Join any number of demands for a mail, in any order."""
    return reduce(MailDemands.join, demands, NOTHING_FOR_THE_MAIL)
