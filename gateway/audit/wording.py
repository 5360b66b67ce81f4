"""What happened, why and who did it, in the reader's language. One table for each; a test asks that none is missing."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.languages import Words


def what(kind: str, words: Words) -> str:
    """Say what an event tells of; a kind of a newer version is shown as it stands."""
    return _tables(words.language).kinds.get(kind, kind)


def why(reason: str, words: Words) -> str:
    """Say why it happened."""
    return _tables(words.language).reasons.get(reason, reason)


def who(kind: str, words: Words) -> str:
    """Say in what part somebody acted."""
    return _tables(words.language).actors.get(kind, kind)


class _Tables(NamedTuple):
    """All words of one language: a timeline asks for a thousand of them."""

    kinds: dict[str, str]
    reasons: dict[str, str]
    actors: dict[str, str]


@cache
def _tables(language: str) -> _Tables:
    words = Words(language, ZoneInfo("UTC"))
    return _Tables(_kinds(words), _reasons(words), _actors(words))


def _kinds(words: Words) -> dict[str, str]:
    _ = words.gettext
    return (
        _mails(words)
        | _people(words)
        | _incidents(words)
        | {
            "started": _("the gateway was started"),
            "stopped": _("the gateway was stopped"),
            "policy": _("a policy was put in force"),
            "account": _("an account was changed"),
            "restored": _("a backup was restored"),
            "repaired": _("the database was repaired"),
            "key": _("the master key was changed"),
            "agreed-key": _("an agreed key was set or removed"),
            "exported": _("the log was exported"),
            "checkpoint": _("a signed checkpoint was made"),
            "signing-key": _("a signing key was made"),
            "pruned": _("old events were deleted"),
            "certified": _("a certificate of deletion was made"),
        }
    )


def _people(words: Words) -> dict[str, str]:
    _ = words.gettext
    return {
        "person": _("a person's account was changed"),
        "signed-in": _("signed in"),
        "sign-in-failed": _("signing in failed"),
        "sign-in-locked": _("signing in was locked after failures"),
        "signed-out": _("signed out everywhere"),
        "api-token": _("a token for programs was made or revoked"),
        "reminded": _("reminder sent"),
        "absence": _("an absence was entered"),
        "digest": _("the daily letter was switched off or on"),
    }


def _incidents(words: Words) -> dict[str, str]:
    _ = words.gettext
    return {
        "incident-opened": _("misdirected mail reported"),
        "incident-changed": _("facts of an incident entered"),
        "incident-noted": _("note on an incident"),
        "incident-reminded": _("reminder of an incident's deadline"),
        "incident-closed": _("incident closed"),
        "incident-reopened": _("incident opened again"),
        "deletion-asked": _("wrong recipient asked to delete the mail"),
        "deletion-reminded": _("wrong recipient reminded to delete the mail"),
        "deletion-answered": _("wrong recipient answered about deletion"),
    }


def _mails(words: Words) -> dict[str, str]:
    _ = words.gettext
    return _files(words) | {
        "accepted": _("mail taken in"),
        "refused": _("mail refused"),
        "released": _("hold ended, let go"),
        "cancelled": _("sending cancelled"),
        "frozen": _("waiting time stopped"),
        "thawed": _("waiting time running again"),
        "extended": _("waiting time extended"),
        "corrected": _("recipient corrected"),
        "body-opened": _("text of the mail opened"),
        "confirmed": _("recipients and files confirmed"),
        "approved": _("approval given"),
        "escalated": _("more people asked to approve"),
        "lapsed": _("time to approve or confirm ran out"),
        "attempt": _("delivery begun"),
        "delivered": _("delivered to the next server"),
        "deferred": _("put off, to be tried again"),
        "bounced": _("could not be delivered"),
        "notice": _("notice written"),
        "purged": _("stored data destroyed"),
        "corrupt": _("stored data found damaged"),
    }


def _files(words: Words) -> dict[str, str]:
    _ = words.gettext
    return {
        "share-code": _("a one-time code was asked for at the download page"),
        "share-opened": _("the download page was opened with a code"),
        "share-denied": _("a wrong code was entered at the download page"),
        "share-fetched": _("a file was fetched"),
        "share-locked": _("the link to files was locked"),
        "share-unlocked": _("the link to files was unlocked"),
        "share-extended": _("the link to files was extended"),
        "share-ended": _("the link to files was closed"),
        "taken-back": _("taken back by the sender"),
        "key-way": _("how the key goes to recipients was chosen"),
        "key-shown": _("the key was shown to the sender"),
        "key-attempt": _("sending of the key begun"),
        "key-sent": _("the key was sent"),
        "key-arrived": _("the key arrived"),
        "key-deferred": _("the key was put off"),
        "key-failed": _("the key could not be sent"),
        "key-stopped": _("the key was stopped"),
        "key-deleted": _("the key was deleted"),
    }


def _reasons(words: Words) -> dict[str, str]:
    _ = words.gettext
    return {
        "policy": _("as a rule asks"),
        "window-over": _("the waiting time was over"),
        "no-hold": _("no rule holds it"),
        "by-sender": _("the sender did it"),
        "by-admin": _("an administrator did it"),
        "by-recipient": _("the recipient did it"),
        "by-approver": _("the approver did it"),
        "rejected": _("the approver sent it back"),
        "timed-out": _("nobody answered in time"),
        "nobody-yet": _("nobody has answered so far"),
        "remote-reply": _("the receiving server said so"),
        "no-connection": _("no connection to the receiving server"),
        "no-answer": _("no answer after sending; it may have arrived"),
        "no-route": _("nobody takes mail for this address"),
        "unsupported": _("the receiving server cannot take this kind of mail"),
        "expired": _("the time for delivery was over"),
        "lease-lost": _("the gateway was interrupted"),
        "unreadable": _("the stored mail cannot be read"),
        "retention": _("the time to keep it was over"),
        "restored": _("a backup was restored"),
        "carrier": _("the carrier said so"),
        "system": _("the gateway itself"),
        "by-person": _("the person did it"),
        "by-provider": _("the sign-in provider said so"),
        "by-ordering-body": _("the ordering body did it"),
        "by-colleague": _("a colleague did it"),
        "frozen-too-long": _("stopped for longer than allowed"),
        "all-away": _("too few approvers are there"),
        "proxy-begins": _("a proxy begins"),
        "by-auditor": _("an auditor did it"),
        "on-request": _("somebody asked for it"),
    }


def _actors(words: Words) -> dict[str, str]:
    _ = words.gettext
    return {
        "sender": _("sender"),
        "admin": _("administrator"),
        "approver": _("approver"),
        "auditor": _("auditor"),
        "ordering-body": _("ordering body"),
        "recipient": _("recipient"),
        "colleague": _("colleague"),
        "system": _("gateway"),
        "person": _("person"),
        "provider": _("sign-in provider"),
    }
