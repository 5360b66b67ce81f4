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
    said = {
        Way.SENDER: _told,
        Way.SMS: _sent,
        Way.SECOND_MAIL: _sent,
        Way.PREAGREED: _known,
    }.get(status.way)
    return "" if said is None else said(status.stage, words)


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
