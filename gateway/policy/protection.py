"""How attachments leave, as a rule asks for it. Docs: docs/decisions/0071-forms-of-protection.md.

A recipient's protections are a set, and rules only add to it: for each file the strongest form of those that do not keep
the file counts, for the key the ways that all of them allow. `keep` is an exception to the rule that writes it alone.
"""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum, StrEnum

from gateway.units import format_duration
from gateway.values import dataclass

EXPIRES = timedelta(days=14)  # how long keys and links are good where the rule does not say
WITHIN = timedelta(
    days=1
)  # how long a mail waits for what a key needs, before it is cancelled, where the rule does not say


class How(IntEnum):
    """What becomes of a file, in the order of how much it protects.

    `native` keeps names and kinds in sight, so it stands below `zip-aes256`; a link can be taken back, and nobody guesses at
    it offline.
    """

    ZIP_LEGACY = 1
    NATIVE = 2
    ZIP_AES256 = 3
    LINK = 4
    BLOCK = 5

    @property
    def word(self) -> str:
        """Return what policies write: `zip-aes256`."""
        return self.name.lower().replace("_", "-")


class Way(StrEnum):
    """How a key reaches the recipient (gateway/channels/)."""

    SENDER = "sender"
    SMS = "sms"
    PREAGREED = "preagreed"
    CODE_PAGE = "code-page"
    SECOND_MAIL = "second-mail"


@dataclass(frozen=True, slots=True, order=True)
class Protection:
    """What one rule asks for the files of a mail.

    `ways` stand in the order of preference; none at all never finds one. `keep` are name patterns and kinds of files that
    this rule leaves as they are. `style` and `bits` are those of protect/keys.py. `own_key`: each recipient has a key of their
    own. `expires` counts from the acceptance of the mail; `downloads` is how often each recipient may fetch a file behind a
    link, 0 without a limit. What is missing after `within` cancels the mail.
    """

    rule: str
    how: How
    ways: tuple[Way, ...] = ()
    keep: tuple[str, ...] = ()
    hide_names: bool = False
    style: str = "letters"
    bits: int = 60
    own_key: bool = False
    expires: timedelta = EXPIRES
    downloads: int = 0
    within: timedelta = WITHIN


def protection_text(asked: Protection) -> str:
    """Return what a rule asks for in the words of policies, without what is usual: `native by sms, sender; keep *.txt`."""
    usual = Protection(asked.rule, asked.how, asked.ways)
    said = {
        "keep": ", ".join(asked.keep),
        "hide_names": "true",
        "style": asked.style,
        "bits": str(asked.bits),
        "own_key": "true",
        "expires": format_duration(asked.expires),
        "downloads": str(asked.downloads),
        "within": format_duration(asked.within),
    }
    more = [f"{key} {text}" for key, text in said.items() if getattr(asked, key) != getattr(usual, key)]
    return "; ".join([asked.how.word + (f" by {', '.join(asked.ways)}" if asked.ways else ""), *more])
