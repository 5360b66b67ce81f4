"""What a case says about earlier mail and the DNS. A case that says nothing stands on a gateway that has seen no mail yet.

So nothing of this is in doubt in a case: who is not `known` was never written to, a reply without `replied_to` answers a mail
that did not pass here, and a domain takes mail unless `domain_states` says otherwise. Domains are compared with those of the
people who are `known`, and with common providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator

from gateway.detect.look_alike import KnownDomains
from gateway.message.evidence import HALVES_KEPT, Earlier, Evidence, Halves, Volume
from gateway.message.facts import Facts
from gateway.message.replies import is_reply
from gateway.policy import values
from gateway.policy.parts import Part, told
from gateway.policy.people import read_address
from gateway.yaml_source import Hinted

DomainState = Literal[
    "accepts", "no-mail", "null-mx", "missing", "unknown"
]  # message/evidence.py, DOMAIN_STATES

REPLIES_TO = "<earlier@case.invalid>"  # what In-Reply-To says in a case with `replied_to`


def _before(ago: timedelta) -> timedelta:
    if ago > HALVES_KEPT:
        raise Hinted(
            "longer ago than anybody knows", f"write at most {HALVES_KEPT.days}d, or leave the key out"
        )
    return ago


Before = Annotated[values.Window, AfterValidator(_before)]


class CaseSent(Part):
    """What the sender handed in before the case's mail."""

    mails: values.Count = told("メールの数", "how many mails", default=0)
    recipients: values.Count = told("宛先ののべ数", "how many recipients they had, added up", default=0)


class CaseHistory(Part):
    """Earlier mail, as far as it matters to a case.

    `known` are people to whom the sender had mail delivered before, or for each of them who did. `replied_to` are the people
    of the mail that this one answers.
    """

    authenticated: values.Flag = told(
        "`true`: 送信者がSMTP認証をした", "`true`: the client signed in", default=False
    )
    known: values.Addresses | dict[str, values.Addresses] = told(
        "差出人がこれまでに送った相手 `[a@example.com]`。または相手ごとに送った人 "
        "`{a@example.com: [boss@example.jp]}`。ほかは初めての相手",
        "people the sender had mail delivered to before: `[a@example.com]`; or for each of them who had: "
        "`{a@example.com: [boss@example.jp]}`. Everybody else is new",
        default=(),
    )
    replied_to: values.Addresses | None = told(
        "このメールは返信で、ここを通った元のメールにいた人",
        "the mail is a reply, and these are the people of the mail it answers, which passed here",
    )
    sent_last_hour: CaseSent = told(
        "差出人がこの前の1時間に出した数",
        "what the sender handed in within the hour before",
        default=CaseSent(),
    )
    sent_last_day: CaseSent = told("同じく24時間の数", "the same, within 24 hours", default=CaseSent())
    encrypted_file_before: Before | None = told(
        "差出人が、同じ外部の宛先のだれかに、暗号化した添付をこの時間だけ前に送った(例 `2h`)",
        "so long before, the sender sent an encrypted file to one of the same external people: `2h`",
    )
    password_before: Before | None = told(
        "同じく、パスワードを書いたメールをこの時間だけ前に送った",
        "so long before, the sender sent one of them a password",
    )
    domain_states: dict[str, DomainState] = told(
        "ドメインの DNS の状態 `{example.com: missing}`。書かないドメインはメールを受け取ります",
        "what the DNS says of a domain: `{example.com: missing}`; all others take mail",
        default={},
    )


def reply_fields(history: CaseHistory, header: Mapping[str, str]) -> dict[str, str]:
    """Return the header field that makes the case's mail a reply, where the case does not write one itself."""
    named = {name.lower() for name in header}
    if history.replied_to is None or named & {"in-reply-to", "references"}:
        return {}
    return {"In-Reply-To": REPLIES_TO}


def evidence_of(history: CaseHistory, facts: Facts) -> Evidence:
    """Return what would have been looked up for the case's mail."""
    hour, day = history.sent_last_hour, history.sent_last_day
    return Evidence(
        writers=_writers(history, facts),
        volume=Volume(
            mails_hour=hour.mails,
            mails_day=max(hour.mails, day.mails),
            recipients_hour=hour.recipients,
            recipients_day=max(hour.recipients, day.recipients),
        ),
        replies=is_reply(facts.header),
        earlier=None if history.replied_to is None else Earlier(frozenset(history.replied_to)),
        domains={domain: history.domain_states.get(domain, "accepts") for domain in _domains(facts)},
        look_alikes=_look_alikes(history, facts),
        halves=Halves(
            file=_seconds(history.encrypted_file_before), password=_seconds(history.password_before)
        ),
    )


def _seconds(ago: timedelta | None) -> int | None:
    return None if ago is None else int(ago.total_seconds())


def _domains(facts: Facts) -> set[str]:
    return {address.domain for address in (*facts.envelope.recipients, *facts.visible)}


def _look_alikes(history: CaseHistory, facts: Facts) -> dict[str, str]:
    known = KnownDomains(
        {person.rpartition("@")[2] for person in history.known} | {author.domain for author in facts.authors}
    )
    found = {domain: known.nearest(domain) for domain in _domains(facts)}
    return {domain: other for domain, other in found.items() if other is not None}


def _writers(history: CaseHistory, facts: Facts) -> dict[str, tuple[str, ...]]:
    if isinstance(history.known, dict):
        return {read_address(person): writers for person, writers in history.known.items()}
    sender = facts.envelope.sender
    return dict.fromkeys(history.known, () if sender is None else (sender.key,))
