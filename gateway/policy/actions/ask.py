"""What one rule asks for, and for which of the recipients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from gateway.policy.demands import NOTHING, Demands
from gateway.policy.mail import Mail
from gateway.values import dataclass

Whom = Literal["external", "all", "matching"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a rule asks for, and for whom.

    `worked_out` computes it where it depends on the mail or on the time of acceptance; it is pure and total, and `demands`
    is then the least that it ever asks. `of_files`: asked only where the mail has files, or may have some.
    """

    whom: Whom
    demands: Demands = NOTHING
    worked_out: Callable[[Mail], Demands] | None = None
    of_files: bool = False

    def of(self, mail: Mail) -> Demands:
        """Return what is asked for, on this mail."""
        if self.of_files and not mail.may_have_files:
            return NOTHING
        return self.demands if self.worked_out is None else self.worked_out(mail)
