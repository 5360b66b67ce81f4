"""A decision is a value: what every recipient of one mail gets, when, in which form, and which rules asked for it.

It is stored with the message as JSON (stored_decision.py). What is asked for joins as demands.py says.
"""

from __future__ import annotations

from dataclasses import field

from gateway.policy.demands import Demands, Language, MailDemands, Refusal, Text
from gateway.policy.disclaimers import Disclaimer
from gateway.policy.handling import Attached, Handling
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a class of recipients gets. `companions` are addresses (keys) that they may see although they are external.

    `handling` is what becomes of the files, None where no rule asks for anything or there are none. `waits` tells whether
    these recipients are held at all, `waits_for_nobody` whether time alone lets them go.
    """

    external: bool
    demands: Demands
    companions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    handling: Handling | None = None
    waits_for_nobody: bool = field(init=False, repr=False, compare=False)
    waits: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        alone = self.demands.waits_for_nobody and (self.handling is None or self.handling.is_complete)
        object.__setattr__(self, "waits_for_nobody", alone)
        object.__setattr__(self, "waits", self.demands.waits or not alone)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule applies, in its author's words."""

    rule: str
    text: Text


@dataclass(frozen=True, slots=True)
class ToLine:
    """The To field of a copy that hides: the sender's own address, or an empty group with this display name."""

    group: str | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What a rule that only watches (`monitor: true`) would have asked for, and of how many recipients.

    `demands` is the join over those recipients; nothing of it was done.
    """

    rule: str
    recipients: int
    demands: Demands
    for_mail: MailDemands


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """Texts (keys) that were asked for and cannot stand under this mail, and why: a word of transform/disclaiming.py."""

    keys: tuple[str, ...]
    why: str


def own_key(recipient: int) -> str:
    """Return the key of a text for one recipient alone; no name that a policy can give."""
    return f"~{recipient}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole decision on one mail.

    `assigned[i]` is the index into `outcomes` of envelope recipient i; recipients with the same fate share one outcome.
    A mail with `refusals` is refused as a whole. `internal` are the policy's patterns at that time, so that rendering needs
    no policy, and `tag_names` (lower case) the header fields that only the policy sets. `digest` names the policy that
    decided. `bcc_to` and `report_to` are keys of addresses; `watched` is what rules that only watch would have asked for.
    `tell_left`: the sender is told when the fate of all is known, where something was held.
    `colleagues_may_stop`: those whom colleagues.py names get a link by which they can stop the rest: in their copies, or in a
    letter of its own where the mail cannot carry it (`colleagues_by_letter`).
    The last `copied` recipients get a copy that nobody else may hear of (copies.py). `tells_dropped`: the sender may be told
    who does not get the mail. `texts` are what stands under copies, `left_out` what was asked for and cannot. `files` are
    the attachments, where a rule asks for their protection.
    """

    digest: str
    outcomes: tuple[Outcome, ...]
    assigned: tuple[int, ...]
    refusals: tuple[Refusal, ...] = ()
    reasons: tuple[Reason, ...] = ()
    notify_sender: bool = False
    notify: frozenset[str] = frozenset()
    internal: tuple[str, ...] = ()
    to_line: ToLine = field(default_factory=ToLine)
    language: Language = Language.JA
    tag_names: frozenset[str] = frozenset()
    bcc_to: frozenset[str] = frozenset()
    report_to: frozenset[str] = frozenset()
    watched: tuple[Watched, ...] = ()
    copied: int = 0
    tells_dropped: bool = False
    texts: tuple[Disclaimer, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    files: tuple[Attached, ...] = ()
    tell_left: bool = False
    colleagues_may_stop: bool = False
    colleagues_by_letter: bool = False

    @property
    def protects(self) -> bool:
        """Tell whether rules ask for the protection of somebody's files, so that the mail has to be looked at for them."""
        return any(outcome.demands.protections for outcome in self.outcomes)

    def of(self, recipient: int) -> Outcome:
        """Return the outcome of envelope recipient number `recipient`."""
        return self.outcomes[self.assigned[recipient]]

    def is_copy(self, recipient: int) -> bool:
        """Tell whether envelope recipient number `recipient` was added by `bcc_to`: nobody else may hear of it."""
        return recipient >= len(self.assigned) - self.copied

    def disclaimers_of(self, recipient: int) -> tuple[str, ...]:
        """Return the keys of the texts that stand under the copy of envelope recipient number `recipient`."""
        asked = self.outcomes[self.assigned[recipient]].demands.disclaimers
        own = self._own_text_of(recipient) if self.colleagues_may_stop else ()
        if not asked:
            return own
        keys = tuple(sorted(asked))
        return own if any(each.keys == keys for each in self.left_out) else keys + own

    def _own_text_of(self, recipient: int) -> tuple[str, ...]:
        """Return the key of the text that stands under this recipient's copy alone, where there is one."""
        key = own_key(recipient)
        return (key,) if any(text.key == key for text in self.texts) else ()
