"""Links: a signed capability for one person on one message (docs/decisions/0040-links-are-capabilities.md).

Whoever holds the link may act as that person on that message, and on nothing else. A token cannot be
guessed, changed or counted through, and it ends. The same secret seals what a page hands out to come back:
its form and its answers. This module never says whether a message exists, and never logs a token.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from gateway.clock import Clock, utc_now
from gateway.link_signing import (
    MAX_TOKEN,
    LinkExpired,
    LinkInvalid,
    ageless,
    ageless_value,
    check_written,
    digest,
    made_at,
    text_of,
    timed,
    written,
)
from gateway.values import dataclass

MIN_SECRET = 32  # octets; as long as the digest that signs
_LINK, _SEAL, _APPROVAL = b"sekisho link v1", b"sekisho seal v1", b"sekisho approval v1"
_SHARE, _COLLEAGUE = b"sekisho share v1", b"sekisho colleague v1"
_INCIDENT, _DELETION = b"sekisho incident v1", b"sekisho deletion v1"
_DIGEST = b"sekisho digest v1"

__all__ = ["MAX_TOKEN", "Claim", "LinkExpired", "LinkInvalid", "Links", "ShareClaim"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a good token says: `person` (an address) may act on `queue_id`."""

    queue_id: str
    person: str


@dataclass(frozen=True, slots=True)
class ShareClaim:
    """What a good link of a recipient says: it is for envelope recipient number `recipient` of `queue_id`."""

    queue_id: str
    recipient: int


class Links:
    """Make and read links. `secret` comes from the master key; `valid` is counted from the making of the
    link."""

    def __init__(
        self, secret: bytes | Sequence[bytes], public_url: str, valid: timedelta, clock: Clock = utc_now
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._valid = valid
        self._clock = clock
        self.adopt([secret] if isinstance(secret, bytes) else secret)

    def adopt(self, secrets: Sequence[bytes]) -> None:
        """Sign with the first secret from now on; links that any of them signed stay good until their time is over."""
        shortest = min(len(secret) for secret in secrets)
        if shortest < MIN_SECRET:
            raise ValueError(f"the secret for links has {shortest} octets, needed are {MIN_SECRET}")
        self._links = timed(secrets, _LINK, self._clock)
        self._seals = timed(secrets, _SEAL, self._clock)
        self._approvals = timed(secrets, _APPROVAL, self._clock)
        self._shares = ageless(secrets, _SHARE)
        self._colleagues = ageless(secrets, _COLLEAGUE)
        self._incidents = ageless(secrets, _INCIDENT)
        self._digests = ageless(secrets, _DIGEST)
        self._deletions = ageless(secrets, _DELETION)
        self._keyed = hmac.new(self._links.make_signer(_LINK).derive_key(), digestmod="sha256")

    @property
    def base_path(self) -> str:
        """Return the path that the pages stand under, without a slash at its end: empty for a host of our
        own."""
        return urlsplit(self._public_url).path

    @property
    def origin(self) -> str:
        """Return the origin (RFC 6454) that a browser names when one of our pages posts a form."""
        parts = urlsplit(self._public_url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    def url(self, queue_id: str, person: str) -> str:
        """Return the address of the page where `person` decides on this message."""
        return f"{self._public_url}/m/{self._sign([queue_id, person])}"

    def read(self, token: str) -> Claim:
        """Return what the token says; raises LinkExpired or LinkInvalid."""
        queue_id, person = self._load(self._links, token)
        return Claim(queue_id, person)

    def read_old(self, token: str) -> Claim:
        """Return what the token says, whatever its age; raises LinkInvalid.

        For a caller who knows a reason why this link still counts.
        """
        queue_id, person = self._load(self._links, token, aged=True)
        return Claim(queue_id, person)

    def approval_url(self, queue_id: str, person: str) -> str:
        """Return the address of the page where `person` approves or rejects this message: a capability of its own kind."""
        return f"{self._public_url}/a/{text_of(self._approvals.dumps([queue_id, person]))}"

    def read_approval(self, token: str) -> Claim:
        """Return what the token of an approver says; raises LinkExpired or LinkInvalid, also for a sender's token."""
        queue_id, person = self._load(self._approvals, token)
        return Claim(queue_id, person)

    def share_url(self, queue_id: str, recipient: int) -> str:
        """Return the address of the page where files wait for one recipient: a capability of its own kind.

        The same each time, so that a copy which is sent again says the same. It has no age: how long the files wait stands
        with them, and the sender may let them wait longer.
        """
        return f"{self._public_url}/d/{text_of(self._shares.dumps([queue_id, recipient]))}"

    def read_share(self, token: str) -> ShareClaim:
        """Return whose files a token is for; raises LinkInvalid, also for a link of another kind."""
        queue_id, recipient = ageless_value(self._shares, token)
        return ShareClaim(queue_id, recipient)

    def colleague_url(self, queue_id: str, recipient: int) -> str:
        """Return the address of the page where a recipient inside stops what has not left for outside.

        A capability of its own kind (docs/decisions/0087-colleagues-may-stop.md), the same each time and ageless like that of
        files: it can do nothing more once everything has left.
        """
        return f"{self._public_url}/c/{text_of(self._colleagues.dumps([queue_id, recipient]))}"

    def read_colleague(self, token: str) -> ShareClaim:
        """Return who may stop which mail; raises LinkInvalid, also for a link of another kind."""
        queue_id, recipient = ageless_value(self._colleagues, token)
        return ShareClaim(queue_id, recipient)

    def incident_url(self, queue_id: str, person: str) -> str:
        """Return the address of the page where `person` tells that this mail went to the wrong people.

        A capability of its own kind (docs/decisions/0093-incidents.md). It has no age: what went wrong is often noticed
        late. It ends with the records of the mail.
        """
        return f"{self._public_url}/i/{text_of(self._incidents.dumps([queue_id, person]))}"

    def read_incident(self, token: str) -> Claim:
        """Return who may report which mail; raises LinkInvalid, also for a link of another kind."""
        queue_id, person = ageless_value(self._incidents, token)
        return Claim(queue_id, person)

    def deletion_url(self, queue_id: str, recipient: int) -> str:
        """Return the address of the page where a wrong recipient says that the mail is deleted, ageless too."""
        return f"{self._public_url}/r/{text_of(self._deletions.dumps([queue_id, recipient]))}"

    def read_deletion(self, token: str) -> ShareClaim:
        """Return whose answer a token is for; raises LinkInvalid, also for a link of another kind."""
        queue_id, recipient = ageless_value(self._deletions, token)
        return ShareClaim(queue_id, recipient)

    def digest_url(self, person: str) -> str:
        """Return the address of the page where `person` says whether they want a letter each day, ageless too.

        A capability for that and nothing else: it is about no mail, and shows none.
        """
        return f"{self._public_url}/n/{text_of(self._digests.dumps([person]))}"

    def read_digest(self, token: str) -> str:
        """Return whose choice a token is for; raises LinkInvalid, also for a link of another kind."""
        (person,) = ageless_value(self._digests, token)
        return str(person)

    def page_url(self, path: str) -> str:
        """Return the address of a page for people with an account; nothing of it is a capability."""
        return f"{self._public_url}{path}"

    def seal(self, token: str, value: dict[str, Any]) -> str:
        """Sign a small value that only the holder of `token` will hand back."""
        return text_of(self._seals.dumps([digest(token), value]))

    def unseal(self, token: str, sealed: str) -> dict[str, Any]:
        """Return a sealed value; raises LinkInvalid where it was altered or belongs to another link,
        LinkExpired where it is old."""
        owner, value = self._load(self._seals, sealed)
        if not hmac.compare_digest(str(owner), digest(token)):
            raise LinkInvalid("sealed for another link")
        return dict(value)

    def _sign(self, value: object) -> str:
        """Write what itsdangerous reads, as its own `dumps` would but never compressed, with a key that was derived before.

        A letter of many has hundreds of links: `dumps` derives the key and builds a signer for each of them.
        """
        signed = written(value) + b"." + made_at(int(self._clock().timestamp()))
        signature = self._keyed.copy()
        signature.update(signed)
        return (signed + b"." + base64_encode(signature.digest())).decode()

    def _load(self, serializer: URLSafeTimedSerializer, token: str, *, aged: bool = False) -> Any:
        check_written(token)
        try:
            value, signed_at = serializer.loads(token, return_timestamp=True)
        except BadData:
            raise LinkInvalid("not signed by this gateway") from None
        # Not `max_age`: it takes a token from the future for an expired one, and a clock stepping back is
        # no fault of its holder.
        if not aged and self._clock() - signed_at > self._valid:
            raise LinkExpired("older than a link may be")
        return value
