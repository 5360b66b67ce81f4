"""What had to be looked up before deciding, beside the mail's own facts: text inside parts, earlier mail, the DNS.

Values only; the rooms that look things up fill them (evidence/, spool/). Everything a rule may ask for is a number, a
word from a closed list, or an address: no text of a mail is kept here but in `Content.texts`, which nobody stores. None
always means "nobody looked, or it could not be told", never "no": conditions take it for doubt
(docs/decisions/0005-doubt-and-circles.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta

from gateway.message.address import Address
from gateway.values import dataclass

UNREAD = (
    "encrypted",  # needs a password or a private key
    "too-large",  # more octets, pages, cells or members than are read
    "too-deep",  # an archive in an archive in an archive
    "too-slow",  # the time or memory given to the reader was used up
    "damaged",  # says that it is of a kind, and cannot be read as that
    "unknown-kind",  # nobody here can read this kind
)
"""Why the text of a part could not be read. A picture holds no text: it is read, and nothing is found in it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """How many distinct things of each kind a text holds.

    The `possible` ones pass a check digit, and nothing else speaks for them.
    """

    my_number: int = 0
    my_number_possible: int = 0
    corporate_number: int = 0
    corporate_number_possible: int = 0
    card: int = 0
    card_possible: int = 0
    phone: int = 0
    postal_address: int = 0
    mail_address: int = 0
    person: int = 0
    password: int = 0


@dataclass(frozen=True, slots=True)
class FileEvidence:
    """What a look into one attachment told; aligned with `Facts.attachments`.

    `kind` is what the octets are (pdf, zip, docx, xlsm, doc, exe, png, text, csv, html, eml, ics, ...; empty where nobody
    knows). `encrypted` and `macros` are None where that cannot be told. `members` are the names in an archive, nested ones
    as `outer.zip/inner.txt`; `complete` says whether they are all. `unread` is empty or a word of UNREAD: of the file or
    of the first member that was not read. `key_told` says whether a password that stands in the mail opens it: None where
    none was tried, because it is not encrypted, cannot be tried, or nothing in the mail may be one.
    """

    kind: str = ""
    encrypted: bool | None = None
    macros: bool | None = None
    members: tuple[str, ...] = ()
    complete: bool = True
    unread: str = ""
    found: Findings = Findings()
    key_told: bool | None = None


PASSWORD_OF = ("none", "elsewhere", "unsaid", "file")
"""What subject and text tell passwords of: they tell none; of a meeting or an account; they do not say; of a file."""


@dataclass(frozen=True, slots=True)
class Content:
    """What the text of a mail and of its attachments holds.

    `mail_is` names what the mail as a whole is, from {smime-signed, smime-encrypted, pgp-signed, pgp-encrypted, tnef,
    calendar}; `invited` are the ATTENDEEs of its calendar parts. `speaks_of_attachment`: the sender's own text, without what
    it quotes, says that something is attached. `greets_other` is None where no greeting with a known name stands there.
    `password_of` is a word of PASSWORD_OF, the last one that is true of a password told; `password_follows` says that one is
    announced for another mail; both are None where nobody could tell.
    `texts` are the folded texts for keyword and pattern conditions, by where they stand: "subject", "body", "attachments";
    `cut` holds the places whose text is longer than what is kept.
    """

    body: Findings = Findings()
    body_unread: str = ""
    files: tuple[FileEvidence, ...] = ()
    mail_is: frozenset[str] = frozenset()
    invited: tuple[Address, ...] = ()
    speaks_of_attachment: bool = False
    greets_other: bool | None = None
    password_of: str | None = None
    password_follows: bool | None = None
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Volume:
    """What this sender handed in before this mail: mails and recipients in the last hour and the last 24 hours."""

    mails_hour: int = 0
    mails_day: int = 0
    recipients_hour: int = 0
    recipients_day: int = 0


@dataclass(frozen=True, slots=True)
class Earlier:
    """The mail that this one replies to, when it passed here: the keys of everybody it named or went to."""

    people: frozenset[str]


HALVES_KEPT = timedelta(days=7)
"""How long it is known that somebody sent half of a file and its password: over a weekend and a holiday."""


@dataclass(frozen=True, slots=True)
class Halves:
    """How many seconds ago this sender handed in, for one of the same external people, half of a file and its password.

    None where that did not happen within HALVES_KEPT: an encrypted file; one of which nobody could tell that; a password.
    """

    file: int | None = None
    perhaps_file: int | None = None
    password: int | None = None


DOMAIN_STATES = ("accepts", "no-mail", "null-mx", "missing", "unknown")
"""A mail domain in the DNS: has MX or address; has neither; takes no mail (RFC 7505); does not exist; no answer."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was looked up for one mail.

    `writers` gives for the key of an external recipient the senders (address keys) from whom a mail to it was delivered
    before, at most 50; a recipient that is not in it has had none. An empty key among them says that there may be others.
    `domains` gives a word of DOMAIN_STATES for every external domain, `look_alikes` for an external domain the better known
    one that it resembles. `replies` tells whether the mail replies to another one; `earlier` is that one (its people, as far
    as they are recipients of this mail), None where it did not pass here.
    """

    content: Content | None = None
    writers: Mapping[str, tuple[str, ...]] | None = None
    volume: Volume | None = None
    replies: bool | None = None
    earlier: Earlier | None = None
    domains: Mapping[str, str] | None = None
    look_alikes: Mapping[str, str] | None = None
    halves: Halves | None = None


NOTHING_LOOKED_UP = Evidence()
