"""What becomes of a mail's files, and how a key gets to a recipient, in words: for pages and for notices. Pure.

Says what was decided, in the words of somebody who sends mail; a word that this module does not know gets a sentence that is
true of all of them. Text that a stranger chose does not come by here, and no key either.
"""

from __future__ import annotations

from gateway.languages import Words
from gateway.policy.handling import Attached
from gateway.policy.protection import How, Way
from gateway.protect.state_word import State
from gateway.values import dataclass

_OFFICE = frozenset({"docx", "docm", "xlsx", "xlsm", "xlsb", "pptx", "pptm"})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why files cannot be protected, and what the sender can do about it."""

    why: str
    advice: str


def fate(file: Attached, how: How | None, words: Words) -> str:
    """Say what becomes of a file; None is a file that nothing is done to."""
    _ = words.gettext
    if how is None:
        if file.state == State.ENCRYPTED:
            return _("as it is: it is encrypted already, and you know its key")
        return _("as it is: no rule asks for its protection")
    if how is How.NATIVE and file.kind == "pdf":
        return _("as a PDF that opens with the key (where that cannot be, in an encrypted ZIP, AES-256)")
    if how is How.NATIVE and file.kind in _OFFICE:
        return _("as a document that opens with the key (where that cannot be, in an encrypted ZIP, AES-256)")
    return {
        How.NATIVE: _("in an encrypted ZIP (AES-256)"),
        How.ZIP_AES256: _("in an encrypted ZIP (AES-256)"),
        How.ZIP_LEGACY: _("in a ZIP of the old kind, whose encryption is weak"),
        How.LINK: _("not in the mail: it waits on the download page"),
        How.BLOCK: _("left out: it is not sent"),
    }[how]


def way_name(way: Way, words: Words) -> str:
    """Name a way by which a key gets to a recipient."""
    _ = words.gettext
    return {
        Way.SENDER: _("You tell it by telephone"),
        Way.SMS: _("Text message (SMS)"),
        Way.PREAGREED: _("The key agreed on before"),
        Way.CODE_PAGE: _("Download page, after a check of the address"),
        Way.SECOND_MAIL: _("A second mail"),
    }[way]


def why_not_sent(word: str, words: Words) -> str:
    """Say why a key did not go (channels/contract.py `Why`); a word that is not known here says nothing."""
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
        "expired": _(
            "It could not be sent before its time was over, and was deleted. Please send the files again."
        ),
    }.get(word, "")


def obstacle(word: str, words: Words) -> Obstacle:
    """Explain why files cannot be protected (the words that `Handling.obstacle` has)."""
    _ = words.gettext
    again = _("Cancel this mail and send it again with the files attached in the usual way.")
    ask = _("Please tell your administrator. Nothing that you could change about the mail helps.")
    known = {
        "unclear": (_("Parts of this mail can be read in two ways, so it is not certain which files are in it."), again),
        "undecodable": (_("An attachment is damaged: programs do not agree on what is in it."), again),
        "signed": (
            _("The mail is signed. To protect its files would break the signature."),
            _("Cancel this mail and send it without a signature, or encrypt the files yourself before you sign it."),
        ),
        "encrypted": (
            _("The mail is encrypted as a whole, so the files in it cannot be seen."),
            _("Cancel this mail and send it without encryption: the files are protected here."),
        ),
        "forwarded": (
            _("The mail is another mail that is forwarded as a whole, and nothing beside it."),
            _("Cancel this mail and forward the other one as an attachment, or save its files and attach them."),
        ),
        "two-halves": (_("A file was attached in a form of old Macs, in two halves."), again),
        "no-body": (_("The mail has no content that could be read."), again),
        "nothing-left": (
            _("Without its files nothing would be left of the mail."),
            _("Cancel this mail and write some words to the files."),
        ),
        "structure": (_("The mail is put together in a way in which its files cannot be replaced."), again),
        "partly-encrypted": (
            _("An archive in the mail is encrypted in part only; the rest of it would open without a key."),
            _("Cancel this mail, and encrypt the archive as a whole or not at all."),
        ),
        "no-way": (_("The rules for its recipients allow no way for the key in common."), ask),
        "no-page": (_("Its files should wait behind a link, but this gateway has no public address."), ask),
        "too-large": (
            _("A file is too large for the form in which a rule wants it protected."),
            _("Cancel this mail and hand the file over in another way; your administrator knows which."),
        ),
        "unread": (
            _("The files could not be looked at: they may be damaged, or too large to be examined."),
            _("Cancel this mail and send it again. If it is held again, please tell your administrator."),
        ),
    }  # fmt: skip
    why, advice = known.get(word, (_("Its files cannot be protected."), again))
    return Obstacle(why, advice)
