"""How a key stands on its way to one recipient, in words. Pure; a key itself is never here."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.file_fates import way_name
from gateway.languages import Words
from gateway.policy.protection import Way
from gateway.spool.key_contract import KeyStatus, Stage

TONES: Mapping[Stage, str] = {
    Stage.WAITING: "queued",
    Stage.READY: "held",
    Stage.SENDING: "active",
    Stage.SENT: "delivered",
    Stage.ARRIVED: "delivered",
    Stage.FAILED: "bounced",
    Stage.STOPPED: "cancelled",
}
"""The state of a recipient whose look a stage has."""

TOLD_IN = frozenset({Stage.READY, Stage.SENDING, Stage.SENT, Stage.ARRIVED})
"""Stages in which a sender has a key to tell: the mail has left."""


def way(status: KeyStatus, words: Words) -> str:
    """Name the way of a recipient's key."""
    return words.gettext("not decided") if status.way is None else way_name(status.way, words)


def stage(status: KeyStatus, words: Words) -> str:
    """Say how far the key is."""
    _ = words.gettext
    if status.stage is Stage.STOPPED:
        return _("stopped, never sent")
    if status.stage is Stage.FAILED:
        return _("could not be sent")
    if status.way is None:
        return _("somebody has to say how it gets there")
    return {
        Way.SENDER: _told,
        Way.SMS: _sent,
        Way.SECOND_MAIL: _sent,
        Way.PREAGREED: _known,
        Way.CODE_PAGE: _on_page,
    }[status.way](status.stage, words)


def detail(status: KeyStatus, words: Words) -> str:
    """Say why a key did not go; empty for a word that is not known here."""
    _ = words.gettext
    return {
        "no-number": _("There is no telephone number for this recipient."),
        "no-carrier": _("Text messages are not set up here."),
        "country": _("Text messages to that country are not allowed here."),
        "refused-number": _("This number takes no text messages, or does not exist."),
        "credentials": _(
            "The service that sends text messages does not let us in. Please tell your administrator."
        ),
        "too-many": _("The service that sends text messages is busy."),
        "unreachable": _("The service that sends text messages could not be reached."),
        "answer": _("The service that sends text messages did not answer as it should."),
        "not-delivered": _("It was sent, but did not arrive."),
        "bounced": _("The mail with the key came back."),
        "gone": _("The mail cannot be read any more."),
    }.get(status.detail, "")


def _told(at: Stage, words: Words) -> str:
    _ = words.gettext
    return {
        Stage.WAITING: _("you tell it once the mail has left"),
        Stage.READY: _("please tell it now"),
        Stage.SENDING: _("please tell it now"),
        Stage.SENT: _("was shown to you"),
        Stage.ARRIVED: _("was shown to you"),
    }[at]


def _sent(at: Stage, words: Words) -> str:
    _ = words.gettext
    return {
        Stage.WAITING: _("goes after the mail"),
        Stage.READY: _("goes soon"),
        Stage.SENDING: _("is being sent"),
        Stage.SENT: _("sent"),
        Stage.ARRIVED: _("arrived"),
    }[at]


def _known(_at: Stage, words: Words) -> str:
    return words.gettext("the recipient has it; nothing is sent")


def _on_page(at: Stage, words: Words) -> str:
    if at is Stage.ARRIVED:
        return words.gettext("was shown to the recipient")
    return words.gettext("the recipient sees it on the download page")
