"""Conditions on what a mail and its attachments hold: numbers, people, passwords; what it is, and what it says of itself.

What could not be read (too large, damaged, encrypted) may hold anything: it fits a `when` and no `unless`, but for a condition
that says `certain: true` and leaves what is unread to rules that ask for `unread`. Texts are matched in wording.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Literal

from gateway.message.evidence import Content
from gateway.policy import values
from gateway.policy.bounds import Range
from gateway.policy.conditions.certainty import NOBODY_KNOWS, Counted, asked, in_range
from gateway.policy.conditions.context import Context, Need, Test
from gateway.policy.conditions.things import Holds, holds, number_of, unread_of
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, told

MailIs = Literal["smime-signed", "smime-encrypted", "pgp-signed", "pgp-encrypted", "tnef", "calendar"]
Unread = Literal["encrypted", "too-large", "too-deep", "too-slow", "damaged", "unknown-kind"]

Kinds = Annotated[tuple[MailIs, ...], values.OneOrMany, values.words_schema(MailIs)]
UnreadOrAny = values.Flag | Annotated[tuple[Unread, ...], values.OneOrMany, values.words_schema(Unread)]


class ContentKeys(Part):
    """Keys that ask for what is in a mail."""

    content: Holds | None = told(
        "本文や添付に含まれるもの", "the mail or an attachment holds one of these things"
    )
    persons: Range | None = told(
        "表に並ぶ人の数(氏名と、住所・電話・生年月日など)",
        "the number of different people in tables, with a name and an address, a telephone, a birth date or the like",
    )
    phones: Range | None = told("電話番号の数", "the number of different telephone numbers")
    postal_addresses: Range | None = told("住所の数", "the number of different postal addresses")
    mail_addresses: Range | None = told(
        "本文や添付に書かれたメールアドレスの数",
        "the number of different mail addresses in subject, body and attachments (not in To and Cc)",
    )
    my_numbers: Range | None = told("マイナンバーの数", "the number of different My Numbers")
    cards: Range | None = told("カード番号の数", "the number of different payment cards")
    password_in_clear: values.Flag | None = told(
        "`true`: 「パスワードは…」とパスワードが書かれている",
        "`true`: a password stands in the subject or the body in clear (パスワードは…)",
    )
    password_follows: values.Flag | None = told(
        "`true`: 「パスワードは別メールで送ります」と予告している(電話・SMS・郵送は除く)",
        "`true`: the text says that a password comes by another mail; one told by telephone or on paper is none",
    )
    unread: UnreadOrAny | None = told(
        "`true`: 本文か添付に読めないものがある。または理由のリスト: `encrypted`(暗号化)、`too-large`(大きすぎ)、"
        "`too-deep`(入れ子)、`too-slow`(時間切れ)、`damaged`(破損)、`unknown-kind`(不明な種類)",
        "`true`: the body or an attachment could not be read; or for one of these reasons: `encrypted`, `too-large`, "
        "`too-deep`, `too-slow`, `damaged`, `unknown-kind`",
    )
    greets_other: values.Flag | None = told(
        "`true`: 宛先にいない人への宛名(「佐藤様」を suzuki@ へ)",
        "`true`: it greets somebody else than it goes to: 佐藤様 in a mail to suzuki@",
    )
    attachment_forgotten: values.Flag | None = told(
        "`true`: 本文に「添付」とあるのに添付がない",
        "`true`: the text says that something is attached, and nothing is. Pictures inside the text leave that in doubt",
    )
    mail_is: Kinds | None = told(
        "メール全体の種類: S/MIME・PGP の署名・暗号、`tnef`(winmail.dat)、`calendar`(会議案内)。いずれか",
        "what the mail is: `smime-signed`, `smime-encrypted`, `pgp-signed`, `pgp-encrypted`, `tnef` (winmail.dat), `calendar` "
        "(an invitation); OR",
    )
    invited_external: Range | None = told(
        "会議案内の外部の参加者の数", "the number of external people (ATTENDEE) in its invitations"
    )


_COUNTS = {
    "persons": "person",
    "phones": "phone",
    "postal_addresses": "postal_address",
    "mail_addresses": "mail_address",
    "my_numbers": "my_number",
    "cards": "card",
}


def tests(keys: ContentKeys, _context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    flags = {
        "password_in_clear": _password,
        "password_follows": _password_follows,
        "greets_other": _greets_other,
        "attachment_forgotten": _forgotten,
    }
    for key, answer in flags.items():
        wanted = getattr(keys, key)
        if wanted is not None:
            yield asked(wanted, answer, in_doubt)
    for key, thing in _COUNTS.items():
        bounds = getattr(keys, key)
        if bounds is not None:
            yield in_range(bounds.at_least, bounds.at_most, partial(number_of, thing), in_doubt)
    if keys.content is not None:
        yield holds(keys.content, in_doubt)
    if keys.unread is not None:
        yield asked(keys.unread is not False, partial(_unread, _reasons(keys.unread)), in_doubt)
    if keys.mail_is is not None:
        yield asked(True, partial(_mail_is, frozenset(keys.mail_is)), in_doubt)
    if keys.invited_external is not None:
        yield in_range(keys.invited_external.at_least, keys.invited_external.at_most, _invited, in_doubt)


def needs(keys: ContentKeys) -> Need:
    """Return what has to be looked up: the content, but for conditions on the subject alone."""
    wanted = ContentKeys.model_fields.keys() & keys.model_fields_set
    if wanted == {"content"} and keys.content is not None and set(keys.content.in_) == {"subject"}:
        return Need.NOTHING
    return Need.CONTENT if wanted else Need.NOTHING


def fits_unread(asked: bool | tuple[str, ...], reason: str) -> bool:
    """Tell whether the reason why something was not read (empty: it was) is one that is asked for."""
    return reason in asked if isinstance(asked, tuple) else bool(reason)


def _reasons(asked: bool | tuple[str, ...]) -> bool | tuple[str, ...]:
    return asked if isinstance(asked, tuple) else True


def _password(mail: Mail) -> bool | None:
    least, most = number_of("password", mail, ("subject", "body"))
    return True if least else False if most == 0 else None


def _password_follows(mail: Mail) -> bool | None:
    content = mail.facts.evidence.content
    if content is None or content.password_follows:
        return None if content is None else True
    return None if content.body_unread else content.password_follows


def _unread(reasons: bool | tuple[str, ...], mail: Mail) -> bool | None:
    content = mail.facts.evidence.content
    if content is None:
        return None
    return any(fits_unread(reasons, r) for r in (content.body_unread, *unread_of(content, "attachments")))


def _of_body(mail: Mail, read: Callable[[Content], bool]) -> bool | None:
    """Return what the text of the mail tells; it may tell anything where it could not be read."""
    content = mail.facts.evidence.content
    if content is None:
        return None
    return read(content) or (None if content.body_unread else False)


def _greets_other(mail: Mail) -> bool | None:
    return _of_body(mail, lambda content: content.greets_other is True)


def _forgotten(mail: Mail) -> bool | None:
    attached = mail.facts.attachments
    if any(not one.inline for one in attached):
        return False
    speaks = _of_body(mail, lambda content: content.speaks_of_attachment)
    return None if speaks and (attached or mail.facts.unclear) else speaks


def _mail_is(wanted: frozenset[str], mail: Mail) -> bool | None:
    content = mail.facts.evidence.content
    if content is None:
        return None
    return bool(wanted & content.mail_is) or (None if mail.facts.unclear else False)


def _invited(mail: Mail) -> Counted:
    content = mail.facts.evidence.content
    if content is None:
        return NOBODY_KNOWS
    outside = len({person.key for person in content.invited if mail.is_external(person)})
    unread = content.body_unread or any(unread_of(content, "attachments"))
    return Counted(outside, None if unread else outside)
