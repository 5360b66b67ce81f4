"""Sekisho's own mail as the spool takes it: nothing holds it, nothing rewrites it, nothing answers it.

The null reverse-path (RFC 5321 4.5.5) and `from_gateway` together keep it out of every loop: no rule is
asked, no notice and no delivery status is written about it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from gateway.message.address import Address, parse_path
from gateway.message.domains import domain_set
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Language
from gateway.spool.notice import Glance, Notice
from gateway.spool.values import NewMessage, Stored

OWN_DIGEST = "own-mail"  # stands where a policy's digest would: no policy decided this

Seen = TypeVar("Seen", Stored, Glance)


class OwnAddress:
    """The address that letters of ours are from; empty where there is none.

    A letter to it, because somebody sent a mail in our name, would bring the next one; so would a letter about a mail that
    goes to it alone, as answers of robots do: told of, it would be answered again.
    """

    def __init__(self, address: str) -> None:
        self._key = parse_path(address).key if address else ""

    def is_it(self, address: str) -> bool:
        """Tell whether an address is this one; raises AddressError, where its end is that of this one."""
        return address[-3:].lower() == self._key[-3:] and parse_path(address).key == self._key


def readable(about: Seen) -> Seen:
    """Return what a letter is about; raises ValueError where its record cannot be read."""
    if about.unreadable:
        raise ValueError("the stored envelope or decision cannot be read")
    return about


def own_mail(about: Stored | Glance, notice: Notice, raw: bytes, hostname: str, now: datetime) -> NewMessage:
    """Return the mail to accept for a notice; raises AddressError where its address is none."""
    to = parse_path(notice.to)
    external = not domain_set(about.decision.internal).matches(to)
    return own_letter(
        to, raw, hostname, now, external=external, language=about.language, about=about.queue_id
    )


def own_letter(
    to: Address,
    raw: bytes,
    hostname: str,
    now: datetime,
    *,
    external: bool,
    language: Language,
    about: str | None = None,
) -> NewMessage:
    """Return the mail to accept for a letter to one person: no demands, the original form, at once."""
    envelope = Envelope(
        sender=None,
        recipients=(to,),
        client=Client(ip="127.0.0.1", helo=hostname),
        smtputf8=to.needs_smtputf8,
    )
    decision = Decision(
        digest=OWN_DIGEST, outcomes=(Outcome(external, Demands()),), assigned=(0,), language=language
    )
    return NewMessage(envelope, raw, decision, now, from_gateway=True, about=about)
