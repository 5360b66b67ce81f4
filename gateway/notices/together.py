"""Hold notices of one sender put together: a letter for each language of their mails (docs/decisions/0041-letters-of-many.md).

Without any I/O, and run on a thread: a burst holds thousands. A mail of which nothing can be told keeps no other from being
told of.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from gateway.notices.held_mail import HeldMail
from gateway.notices.own import OwnAddress, readable
from gateway.notices.signing import Sign
from gateway.spool.notice import Glance, Notice

log = structlog.get_logger()


class Many(Protocol):
    """Composes the letter that tells of several held mails."""

    def line(self, glance: Glance, notice: Notice) -> HeldMail | None:
        """Return what the letter says of one mail; None when nothing of it is held any more."""

    def holds(self, about: Glance, notice: Notice, lines: Sequence[HeldMail]) -> bytes:
        """Return the letter; `about` and `notice` are those of the first line."""


@dataclass(slots=True)
class LetterOfMany:
    """The notices of one language, a line for each, and what is written of them: nothing where there is but one."""

    about: Glance
    notices: list[Notice] = field(default_factory=list)
    lines: list[HeldMail] = field(default_factory=list)
    octets: bytes | None = None


def put_together(
    notices: Sequence[Notice], glances: Sequence[Glance | None], many: Many, own: OwnAddress, sign: Sign
) -> tuple[Collection[LetterOfMany], list[Notice]]:
    """Return a letter for each language, and the notices of which there is nothing to tell; raises AddressError."""
    letters: dict[str, LetterOfMany] = {}
    untold: list[Notice] = []
    for notice, glance in zip(notices, glances, strict=True):
        try:
            line = _line(glance, notice, many, own) if glance is not None else None
        except Exception as error:  # of this mail alone: the others are told of
            log.error("notice-left-out", queue_id=notice.queue_id, exc_info=error)
            continue
        if glance is None or line is None:
            untold.append(notice)
            continue
        letter = letters.get(glance.language)
        if letter is None:
            letter = letters[glance.language] = LetterOfMany(glance)
        letter.notices.append(notice)
        letter.lines.append(line)
    for letter in letters.values():
        if len(letter.lines) > 1:
            letter.octets = sign(many.holds(letter.about, letter.notices[0], letter.lines))
    return letters.values(), untold


def _line(glance: Glance, notice: Notice, many: Many, own: OwnAddress) -> HeldMail | None:
    """Return what a letter says of a mail; None where there is nothing to say, or it would breed (`OwnAddress`)."""
    alone = glance.total == len(glance.addresses) == 1
    if own.is_it(notice.to) or (alone and own.is_it(glance.addresses[0])):
        return None
    return many.line(readable(glance), notice)
