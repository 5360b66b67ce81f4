"""What becomes of a mail's files for each recipient: the protections that rules ask for, met with the files there are. Pure.

Decided once, when the mail comes, and recorded with the decision: what is shown is what leaves. What cannot be protected is
held, never sent in clear, and so is a mail whose key has no way to a recipient.
"""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta

from gateway.policy.protection import EXPIRES, WITHIN, How, Way
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Attached:
    """One file of the mail, as the sealing process saw it: its place in `Structure.parts`, and what it is.

    `kind` is a word of detect/kinds.py or empty; `state` one of protect/state_word.py.
    """

    place: int
    name: str
    kind: str
    size_bytes: int
    state: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The files that a person sees beside the text; `obstacle` says why they must not be touched (transform/attachments.py
    REFUSALS, or `unread` where they could not be looked at)."""

    files: tuple[Attached, ...] = ()
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Handling:
    """What becomes of the files in the copies of one class of recipients.

    `forms` names what is done by place; what it does not name stays as it is. `obstacle`: nothing can be done, the copy is
    held. `way` is how the key gets there: None where it is not known yet and the sender has to choose one of `ways`, or where
    no key is needed (`needs_key`).
    """

    rules: tuple[str, ...]
    forms: tuple[tuple[int, How], ...] = ()
    obstacle: str = ""
    needs_key: bool = False
    way: Way | None = None
    ways: tuple[Way, ...] = ()
    own_key: bool = False
    hide_names: bool = False
    style: str = "letters"
    bits: int = 60
    expires: timedelta = EXPIRES
    downloads: int = 0
    within: timedelta = WITHIN

    @property
    def is_complete(self) -> bool:
        """Tell whether the copy can leave as it stands here, without anybody's help."""
        return not self.obstacle and (not self.needs_key or self.way is not None)

    @property
    def shares(self) -> bool:
        """Tell whether a file waits behind a link."""
        return any(how is How.LINK for _, how in self.forms)


@dataclass(frozen=True, slots=True, order=True)
class Missing:
    """A mail waits until the sender says how the key gets to a recipient (`what` is "way"), or because of an obstacle.

    An obstacle nobody can remove: the sender cancels, or the mail is cancelled `within` that span from acceptance.
    """

    rule: str
    what: str
    ways: tuple[Way, ...] = field(default=())
    within: timedelta = WITHIN
    otherwise: str = "cancel"
