"""The lifecycle of one recipient: one table. Nothing else assigns a state.

The closed lists of events and reasons stand here too, because every transition writes its event in the same transaction.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    HELD = "held"
    QUEUED = "queued"
    ACTIVE = "active"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


FINAL = frozenset({State.DELIVERED, State.BOUNCED, State.CANCELLED})
CANCELLABLE = frozenset({State.HELD, State.QUEUED, State.DEFERRED})


class Kind(StrEnum):
    """What an event in the log says happened."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    RELEASED = "released"
    CANCELLED = "cancelled"
    CONFIRMED = "confirmed"
    APPROVED = "approved"
    ESCALATED = "escalated"
    REMINDED = "reminded"
    ABSENCE = "absence"  # an approver said when they are away, or that they are not
    LAPSED = "lapsed"
    ATTEMPT = "attempt"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    NOTICE = "notice"
    PURGED = "purged"
    CORRUPT = "corrupt"
    STARTED = "started"
    STOPPED = "stopped"
    POLICY = "policy"
    ACCOUNT = "account"
    RESTORED = "restored"
    REPAIRED = "repaired"
    SHARE_CODE = "share-code"  # somebody at a download page asked for a one-time code
    SHARE_OPENED = "share-opened"  # and proved the address with it
    SHARE_DENIED = "share-denied"  # or tried to
    SHARE_FETCHED = "share-fetched"
    SHARE_LOCKED = "share-locked"
    SHARE_UNLOCKED = "share-unlocked"
    SHARE_EXTENDED = "share-extended"
    SHARE_ENDED = "share-ended"
    TAKEN_BACK = "taken-back"
    EXPORTED = "exported"  # somebody took a copy of the log, or of a part of it
    CHECKPOINT = "checkpoint"  # the ends of all chains were signed
    SIGNING_KEY = "signing-key"  # what signs them was made anew
    PRUNED = "pruned"  # old events were deleted, up to a signed checkpoint
    CERTIFIED = "certified"  # what was destroyed was listed and signed
    FROZEN = "frozen"  # somebody stopped the timer
    THAWED = "thawed"
    EXTENDED = "extended"  # it waits longer
    CORRECTED = "corrected"  # a recipient was cancelled, and the address that was meant is known
    BODY_OPENED = "body-opened"  # by somebody who has to say why
    KEY = "key"  # the master key
    AGREED_KEY = "agreed-key"  # set or removed by an administrator
    KEY_WAY = "key-way"  # the sender said how a key gets to recipients
    KEY_SHOWN = "key-shown"
    KEY_ATTEMPT = "key-attempt"
    KEY_SENT = "key-sent"
    KEY_ARRIVED = "key-arrived"
    KEY_DEFERRED = "key-deferred"
    KEY_FAILED = "key-failed"
    KEY_STOPPED = "key-stopped"
    KEY_DELETED = "key-deleted"
    DIGEST = "digest"  # somebody switched their letter of the day off, or on again
    INCIDENT_OPENED = "incident-opened"  # somebody told that the mail went to the wrong people
    INCIDENT_CHANGED = "incident-changed"  # whose data, what data, since when it is known
    INCIDENT_NOTED = "incident-noted"
    INCIDENT_REMINDED = "incident-reminded"  # of a clock that runs
    INCIDENT_CLOSED = "incident-closed"
    INCIDENT_REOPENED = "incident-reopened"
    DELETION_ASKED = "deletion-asked"
    DELETION_REMINDED = "deletion-reminded"
    DELETION_ANSWERED = "deletion-answered"
    PERSON = "person"  # added, changed, suspended, resumed, removed; their password or second factor
    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"  # the first of a series; how many there were stands in what ends it
    SIGN_IN_LOCKED = "sign-in-locked"
    SIGNED_OUT = "signed-out"  # of all sessions at once
    API_TOKEN = "api-token"  # noqa: S105 - a word: made or revoked


class Reason(StrEnum):
    """Why it happened: a closed list, so that figures and queries can rely on it."""

    POLICY = "policy"  # a rule asked for it
    WINDOW_OVER = "window-over"  # the hold ran its time
    NO_HOLD = "no-hold"  # nothing demanded a hold
    BY_SENDER = "by-sender"  # the sender pressed a button
    BY_COLLEAGUE = "by-colleague"  # somebody of the sender's team, or who got a copy of the mail, did
    BY_ADMIN = "by-admin"  # sekisho held ...
    BY_ORDERING = "by-ordering-body"  # somebody of the ordering body, or the privacy officer
    BY_AUDITOR = "by-auditor"  # somebody who reads the log, at its pages
    ON_REQUEST = "on-request"  # somebody asked for data to be destroyed before its time
    BY_RECIPIENT = "by-recipient"  # somebody at the download page, or who was asked to delete a mail
    BY_PERSON = "by-person"  # somebody who is signed in, for themselves
    BY_PROVIDER = "by-provider"  # the OpenID provider said so
    BY_APPROVER = "by-approver"  # somebody who was asked to approve pressed a button
    REJECTED = "rejected"  # an approver said no
    TIMED_OUT = "timed-out"  # nobody confirmed or approved in the time that the rule gives
    NOBODY_YET = "nobody-yet"  # no approval so far: more people may decide
    ALL_AWAY = "all-away"  # fewer approvers are there than are needed: more people may decide at once
    PROXY_BEGINS = "proxy-begins"  # the first day of a proxy has come
    FROZEN_TOO_LONG = "frozen-too-long"  # nobody thawed it in the time that the settings give
    REMOTE_REPLY = "remote-reply"  # the next hop said so
    NO_CONNECTION = "no-connection"  # the next hop could not be reached or broke off
    NO_ANSWER = "no-answer"  # no answer came after the end of the message: it may have arrived
    NO_ROUTE = "no-route"  # DNS says that nobody takes mail there
    UNSUPPORTED = "unsupported"  # the next hop lacks SMTPUTF8 or 8BITMIME
    EXPIRED = "expired"  # older than the delivery period
    LEASE_LOST = "lease-lost"  # a crash or a stop during an attempt
    UNREADABLE = "unreadable"  # the stored body cannot be opened; it is kept aside
    RETENTION = "retention"  # its time to be deleted has come
    RESTORED = "restored"  # from a backup: it may have left since that was made
    CARRIER = "carrier"  # who carries a key said so
    SYSTEM = "system"  # the service itself


OF_THE_SENDER = frozenset(
    {Reason.BY_SENDER, Reason.BY_COLLEAGUE}
)  # what is firm for them, and what they hear of, is alike


TRANSITIONS: dict[State, frozenset[State]] = {
    State.HELD: frozenset({State.QUEUED, State.CANCELLED}),
    State.QUEUED: frozenset({State.ACTIVE, State.HELD, State.CANCELLED}),
    State.ACTIVE: frozenset({State.DELIVERED, State.DEFERRED, State.BOUNCED}),
    State.DEFERRED: frozenset({State.ACTIVE, State.HELD, State.CANCELLED, State.BOUNCED}),
    State.DELIVERED: frozenset(),
    State.BOUNCED: frozenset(),
    State.CANCELLED: frozenset(),
}


def sources(target: State) -> frozenset[State]:
    """Return the states from which `target` may be reached: the compare side of every compare-and-set."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)
