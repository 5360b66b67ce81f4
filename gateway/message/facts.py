"""What a decision is made from: everything about one mail that a policy may ask for, gathered before it is asked."""

from __future__ import annotations

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.message.evidence import NOTHING_LOOKED_UP, Evidence
from gateway.message.header import HeaderSection
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part a person would call an attachment: decoded name (empty where it has none), size in octets as decoded."""

    name: str
    size_bytes: int
    content_type: str
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one mail.

    `visible` holds the distinct addresses that any revealing header field shows (To, Cc, Resent-*, Reply-To
    and friends, and a From that does not name one author), strict reading and lenient scan together, without the
    author's own. `confident` is False where one of these fields could not be read with confidence, or where a From or
    Sender is too long to be read. `unclear` names, in closed words, what in the
    MIME structure can be read in two ways. `blind` holds the keys of those whom only a Bcc or the like shows:
    they count as visible, since a mail may have gone past us with it, but no copy may name them. `evidence` is what had to be
    looked up elsewhere: nothing, until somebody did. `recorded`: they were read from a record (recorded_facts.py), which holds
    neither header fields nor texts, so that what asks for those is in doubt. `answers` is what a record says of them: the mail
    is a reply (replies.py). `machinery`: there are parts that are no attachments if they are what they are called, such as
    signatures (`mime.may_hide_files`).
    """

    envelope: Envelope
    header: HeaderSection
    visible: tuple[Address, ...]
    confident: bool
    authors: tuple[Address, ...]
    subject: str
    attachments: tuple[Attachment, ...]
    size_bytes: int
    unclear: frozenset[str] = frozenset()
    blind: frozenset[str] = frozenset()
    evidence: Evidence = NOTHING_LOOKED_UP
    recorded: bool = False
    answers: bool = False
    machinery: bool = False
