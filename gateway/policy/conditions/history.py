"""Conditions on earlier mail: new recipients, people added to a reply, volume, and whether the sender signed in.

Everything here but the last two was looked up before (message/evidence.py). What was not looked up, or could not be told, is
counted both ways: a `when` fits where any count that is possible does, an `unless` where all of them do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, Self

from pydantic import model_validator

from gateway.message.address import Address
from gateway.message.replies import says_reply
from gateway.policy import values
from gateway.policy.bounds import Range, check_range
from gateway.policy.conditions.context import Context, Need, Test
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, Short, told
from gateway.policy.people import People
from gateway.yaml_source import Hinted

SENDER, ANYBODY = "sender", "anybody"
RESERVED = (SENDER, ANYBODY)
Span = tuple[int, int]  # the least and the most that a count can be
WroteBefore = Callable[[tuple[str, ...]], bool]


class NewRecipient(Short):
    """External recipients to whom nobody of some people ever wrote; `new_recipient: sender` is short for `{of: sender}`."""

    short = "of"

    of: values.Name = told(
        "`sender`: 差出人本人。`anybody`: 組織のだれか。またはグループの名前",
        "to whom has nobody written: `sender` (the envelope's sender), `anybody` (of us), or the name of a group",
        default=...,
    )
    at_least: values.Count | None = told("この数以上", "this many or more")
    at_most: values.Count | None = told("この数以下", "this many or fewer")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.at_least is not None or self.at_most is not None:
            check_range(self.at_least, self.at_most)
        return self


class AddedToReply(Part):
    """External recipients that the mail this one replies to did not have."""

    at_least: values.Count | None = told("この数以上", "this many or more")
    at_most: values.Count | None = told("この数以下", "this many or fewer")
    earlier: Literal["any", "passed-here"] = told(
        "`passed-here`: 元のメールがここを通った返信だけ。`any`(既定): 通っていない返信は、追加の数が不明",
        "`passed-here`: only replies to mail that passed here; `any` (default): of other replies it cannot be told how many "
        "were added",
        default="any",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        check_range(self.at_least, self.at_most)
        return self


class Sent(Part):
    """What the sender handed in before this mail; both keys must fit (AND)."""

    mails: Range | None = told("メールの数", "how many mails")
    recipients: Range | None = told("宛先ののべ数", "how many recipients they had, added up")

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.mails is None and self.recipients is None:
            raise Hinted("nothing is counted here", "write mails: or recipients:")
        return self


class HistoryKeys(Part):
    """Keys that ask for earlier mail."""

    new_recipient: NewRecipient | None = told(
        "初めて送る外部の宛先の数。範囲を書かなければ1件以上。配達された過去のメールから分かります",
        "the number of external recipients to whom nobody of these had mail delivered before; without a bound, at least one",
    )
    added_to_reply: AddedToReply | None = told(
        "返信で、元のメールにいなかった外部の宛先の数",
        "the mail is a reply, and the number of external recipients that the mail it replies to neither went to nor named "
        "lies in the range",
    )
    sent_last_hour: Sent | None = told(
        "この差出人(認証したアカウント、なければエンベロープの差出人)がこのメールの前の1時間に出した数。5分単位で数えます",
        "what this sender (the account, or the envelope's sender where nobody signed in) handed in within the hour before "
        "this mail, counted in slices of five minutes",
    )
    sent_last_day: Sent | None = told("同じことを、24時間について", "the same, within 24 hours")
    replies: values.Flag | None = told(
        "`true`: 返信(In-Reply-To または References がある)。`false`: 返信でない",
        "`true`: the mail says that it answers another one (In-Reply-To or References); `false`: it does not",
    )
    authenticated: values.Flag | None = told(
        "`true`: 送信者がSMTP認証をした。`false`: していない",
        "`true`: the client signed in; `false`: it did not",
    )


def needs(keys: HistoryKeys) -> Need:
    """Return what has to be looked up for these keys."""
    found = Need.NOTHING
    if keys.new_recipient is not None:
        found |= Need.WRITERS
    if keys.added_to_reply is not None:
        found |= Need.EARLIER
    if keys.sent_last_hour is not None or keys.sent_last_day is not None:
        found |= Need.VOLUME
    return found


def tests(keys: HistoryKeys, context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    if keys.authenticated is not None:
        yield _authenticated(keys.authenticated)
    if keys.replies is not None:
        yield _replies(keys.replies)
    if keys.sent_last_hour is not None:
        yield _sent(keys.sent_last_hour, "hour", in_doubt)
    if keys.sent_last_day is not None:
        yield _sent(keys.sent_last_day, "day", in_doubt)
    if keys.added_to_reply is not None:
        yield _added(keys.added_to_reply, in_doubt)
    if keys.new_recipient is not None:
        yield _new(keys.new_recipient, context, in_doubt)


def _authenticated(wanted: bool) -> Test:
    return lambda mail: mail.facts.envelope.client.authenticated is wanted


def _replies(wanted: bool) -> Test:
    return lambda mail: says_reply(mail.facts) is wanted


def _sent(asked: Sent, span: str, in_doubt: bool) -> Test:
    counts = [(f"mails_{span}", asked.mails), (f"recipients_{span}", asked.recipients)]
    wanted = [(name, bounds) for name, bounds in counts if bounds is not None]

    def test(mail: Mail) -> bool:
        volume = mail.facts.evidence.volume
        if volume is None:
            return in_doubt
        return all(_within(bounds, (getattr(volume, name),) * 2, in_doubt) for name, bounds in wanted)

    return test


def _added(asked: AddedToReply, in_doubt: bool) -> Test:
    only_known = asked.earlier == "passed-here"

    def test(mail: Mail) -> bool:
        evidence = mail.facts.evidence
        if not says_reply(mail.facts):
            return False
        if evidence.earlier is None:
            known_to_be_foreign = evidence.replies is True
            if only_known and known_to_be_foreign:
                return False
            return in_doubt and _within(asked, (0, mail.external_count), in_doubt)
        people = evidence.earlier.people
        outside = mail.external_recipients()
        least = sum(a.key not in people for a in outside)
        return _within(
            asked, (least, least + sum(a.ambiguous and a.key in people for a in outside)), in_doubt
        )

    return test


def _new(asked: NewRecipient, context: Context, in_doubt: bool) -> Test:
    wrote = _wrote(asked.of, context)
    bounds = asked if asked.at_least is not None or asked.at_most is not None else Range(at_least=1)

    def test(mail: Mail) -> bool:
        return _within(bounds, _span_of_new(mail, wrote), in_doubt)

    return test


def _wrote(of: str, context: Context) -> Callable[[Mail], WroteBefore]:
    """Return what tells of a mail whether one of the writers (keys; an empty one is nobody) is one of these."""
    if of == SENDER:
        return lambda mail: _is_among(mail.facts.envelope.sender)
    if of == ANYBODY:
        return lambda mail: any
    people = People(context.senders[of])
    return lambda mail: lambda keys: any(people.include(_address(key), in_doubt=False) for key in keys if key)


def _is_among(sender: Address | None) -> WroteBefore:
    own = None if sender is None or sender.ambiguous else sender.key
    return lambda keys: own in keys


def _address(key: str) -> Address:
    local, _, domain = key.rpartition("@")
    return Address(local, domain)


def _span_of_new(mail: Mail, wrote: Callable[[Mail], WroteBefore]) -> Span:
    """Count those nobody wrote to, and beside them those of whom that is not certain."""
    writers = mail.facts.evidence.writers
    if writers is None:
        return 0, mail.external_count
    wrote_to, least, doubtful = wrote(mail), 0, 0
    for address in mail.external_recipients():
        known = writers.get(address.key, ())
        wrote_before = wrote_to(known)
        if address.ambiguous or (not wrote_before and "" in known):
            doubtful += 1
        elif not wrote_before:
            least += 1
    return least, least + doubtful


def _within(bounds: Range | NewRecipient | AddedToReply, span: Span, in_doubt: bool) -> bool:
    """Tell whether some count of the span lies in the bounds (in doubt), or all of them do."""
    low, high = bounds.at_least or 0, bounds.at_most
    least, most = span
    if in_doubt:
        return most >= low and (high is None or least <= high)
    return least >= low and (high is None or most <= high)
