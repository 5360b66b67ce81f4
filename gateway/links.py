"""Links: a signed capability for one person on one message (docs/decisions/0040-links-are-capabilities.md).

Whoever holds the link may act as that person on that message, and on nothing else. A token cannot be
guessed, changed or counted through, and it ends. The same secret seals what a page hands out to come back:
its form and its answers. This module never says whether a message exists, and never logs a token.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from itsdangerous import BadData, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, int_to_bytes

from gateway.clock import Clock, utc_now
from gateway.values import dataclass

# Characters; a queue id and the longest address (RFC 5321 4.5.3.1: 320 octets) take about 700.
MAX_TOKEN = 1024
MIN_SECRET = 32  # octets; as long as the digest that signs
_JSON = json.JSONEncoder(separators=(",", ":"))
_LINK, _SEAL, _APPROVAL = b"sekisho link v1", b"sekisho seal v1", b"sekisho approval v1"
_SHARE, _COLLEAGUE = b"sekisho share v1", b"sekisho colleague v1"
_INCIDENT, _DELETION = b"sekisho incident v1", b"sekisho deletion v1"
_DIGEST = b"sekisho digest v1"


class LinkInvalid(Exception):
    """The token was not made by this gateway, or it was altered."""


class LinkExpired(LinkInvalid):
    """The token was good once; its time is over."""


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
        self._links = _serializer(secrets, _LINK, self._clock)
        self._seals = _serializer(secrets, _SEAL, self._clock)
        self._approvals = _serializer(secrets, _APPROVAL, self._clock)
        self._shares = _ageless(secrets, _SHARE)
        self._colleagues = _ageless(secrets, _COLLEAGUE)
        self._incidents = _ageless(secrets, _INCIDENT)
        self._digests = _ageless(secrets, _DIGEST)
        self._deletions = _ageless(secrets, _DELETION)
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
        return f"{self._public_url}/a/{_text(self._approvals.dumps([queue_id, person]))}"

    def read_approval(self, token: str) -> Claim:
        """Return what the token of an approver says; raises LinkExpired or LinkInvalid, also for a sender's token."""
        queue_id, person = self._load(self._approvals, token)
        return Claim(queue_id, person)

    def share_url(self, queue_id: str, recipient: int) -> str:
        """Return the address of the page where files wait for one recipient: a capability of its own kind.

        The same each time, so that a copy which is sent again says the same. It has no age: how long the files wait stands
        with them, and the sender may let them wait longer.
        """
        return f"{self._public_url}/d/{_text(self._shares.dumps([queue_id, recipient]))}"

    def read_share(self, token: str) -> ShareClaim:
        """Return whose files a token is for; raises LinkInvalid, also for a link of another kind."""
        queue_id, recipient = _ageless_value(self._shares, token)
        return ShareClaim(queue_id, recipient)

    def colleague_url(self, queue_id: str, recipient: int) -> str:
        """Return the address of the page where a recipient inside stops what has not left for outside.

        A capability of its own kind (docs/decisions/0087-colleagues-may-stop.md), the same each time and ageless like that of
        files: it can do nothing more once everything has left.
        """
        return f"{self._public_url}/c/{_text(self._colleagues.dumps([queue_id, recipient]))}"

    def read_colleague(self, token: str) -> ShareClaim:
        """Return who may stop which mail; raises LinkInvalid, also for a link of another kind."""
        queue_id, recipient = _ageless_value(self._colleagues, token)
        return ShareClaim(queue_id, recipient)

    def incident_url(self, queue_id: str, person: str) -> str:
        """Return the address of the page where `person` tells that this mail went to the wrong people.

        A capability of its own kind (docs/decisions/0093-incidents.md). It has no age: what went wrong is often noticed
        late. It ends with the records of the mail.
        """
        return f"{self._public_url}/i/{_text(self._incidents.dumps([queue_id, person]))}"

    def read_incident(self, token: str) -> Claim:
        """Return who may report which mail; raises LinkInvalid, also for a link of another kind."""
        queue_id, person = _ageless_value(self._incidents, token)
        return Claim(queue_id, person)

    def deletion_url(self, queue_id: str, recipient: int) -> str:
        """Return the address of the page where a wrong recipient says that the mail is deleted, ageless too."""
        return f"{self._public_url}/r/{_text(self._deletions.dumps([queue_id, recipient]))}"

    def read_deletion(self, token: str) -> ShareClaim:
        """Return whose answer a token is for; raises LinkInvalid, also for a link of another kind."""
        queue_id, recipient = _ageless_value(self._deletions, token)
        return ShareClaim(queue_id, recipient)

    def digest_url(self, person: str) -> str:
        """Return the address of the page where `person` says whether they want a letter each day, ageless too.

        A capability for that and nothing else: it is about no mail, and shows none.
        """
        return f"{self._public_url}/n/{_text(self._digests.dumps([person]))}"

    def read_digest(self, token: str) -> str:
        """Return whose choice a token is for; raises LinkInvalid, also for a link of another kind."""
        (person,) = _ageless_value(self._digests, token)
        return str(person)

    def page_url(self, path: str) -> str:
        """Return the address of a page for people with an account; nothing of it is a capability."""
        return f"{self._public_url}{path}"

    def seal(self, token: str, value: dict[str, Any]) -> str:
        """Sign a small value that only the holder of `token` will hand back."""
        return _text(self._seals.dumps([_digest(token), value]))

    def unseal(self, token: str, sealed: str) -> dict[str, Any]:
        """Return a sealed value; raises LinkInvalid where it was altered or belongs to another link,
        LinkExpired where it is old."""
        owner, value = self._load(self._seals, sealed)
        if not hmac.compare_digest(str(owner), _digest(token)):
            raise LinkInvalid("sealed for another link")
        return dict(value)

    def _sign(self, value: object) -> str:
        """Write what itsdangerous reads, as its own `dumps` would but never compressed, with a key that was derived before.

        A letter of many has hundreds of links: `dumps` derives the key and builds a signer for each of them.
        """
        signed = _written(value) + b"." + _made_at(int(self._clock().timestamp()))
        signature = self._keyed.copy()
        signature.update(signed)
        return (signed + b"." + base64_encode(signature.digest())).decode()

    def _load(self, serializer: URLSafeTimedSerializer, token: str, *, aged: bool = False) -> Any:
        _check_written(token)
        try:
            value, made_at = serializer.loads(token, return_timestamp=True)
        except BadData:
            raise LinkInvalid("not signed by this gateway") from None
        # Not `max_age`: it takes a token from the future for an expired one, and a clock stepping back is
        # no fault of its holder.
        if not aged and self._clock() - made_at > self._valid:
            raise LinkExpired("older than a link may be")
        return value


def _check_written(token: str) -> None:
    """Raise LinkInvalid for what is too long, or says a signature in other characters than we do.

    Reading base64 passes over what is none, and over the last bits of its last character: one link would have endless
    spellings, and every bound that is counted by link endless counters.
    """
    if len(token) > MAX_TOKEN:
        raise LinkInvalid("longer than any link of ours")
    signature = token.rpartition(".")[2]
    try:
        written = base64_encode(base64_decode(signature)).decode()
    except BadData:
        written = ""
    if written != signature:
        raise LinkInvalid("not written by this gateway")


def _serializer(secrets: Sequence[bytes], salt: bytes, clock: Clock) -> URLSafeTimedSerializer:
    class ClockedSigner(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(clock().timestamp())

    return URLSafeTimedSerializer(
        [*reversed(secrets)],  # itsdangerous signs with the last
        salt=salt,
        serializer=_CompactJson,
        signer=ClockedSigner,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def _ageless(secrets: Sequence[bytes], salt: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(
        [*reversed(secrets)],
        salt=salt,
        serializer=_CompactJson,
        signer=Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def _ageless_value(serializer: URLSafeSerializer, token: str) -> Any:
    _check_written(token)
    try:
        return serializer.loads(token)
    except BadData:
        raise LinkInvalid("not signed by this gateway") from None


class _CompactJson:
    """JSON without spaces: a link has to survive mail clients that break long lines."""

    @staticmethod
    def dumps(value: Any) -> str:
        return _JSON.encode(value)

    @staticmethod
    def loads(text: str | bytes) -> Any:
        return json.loads(text)


def _written(value: object) -> bytes:
    try:
        return base64_encode(orjson.dumps(value))
    except TypeError:  # a lone surrogate in an odd address
        return base64_encode(_CompactJson.dumps(value))


@lru_cache(1)  # a letter's links are made within a second or two
def _made_at(second: int) -> bytes:
    return base64_encode(int_to_bytes(second))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _text(token: str | bytes) -> str:
    return token.decode() if isinstance(token, bytes) else token
