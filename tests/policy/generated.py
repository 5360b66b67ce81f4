"""Hypothesis strategies: policies over a small world in which everything meets everything, and mails in that world."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.evidence import Content, Earlier, Evidence, FileEvidence, Findings, Volume
from gateway.message.facts import Attachment, Facts
from gateway.message.header import split

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
# Around the end of a year: a weekend, public holidays and days on which the calendars below are closed.
TIMES = st.datetimes(datetime(2026, 12, 21), datetime(2027, 1, 15), timezones=st.just(UTC))  # noqa: DTZ001
CALENDARS = ("office", "counter")
CLIENT = Client(ip="192.0.2.1")

INTERNAL = ("a@city.example.lg.jp", "b@sub.city.example.lg.jp")
EXTERNAL = ("p@example.com", "q@example.com", "r@example.net", "s@deep.example.net", "t@example.org")
PATTERNS = (*INTERNAL, *EXTERNAL, "example.com", "example.net", ".example.net", "city.example.lg.jp")
DOMAINS = ("example.com", "example.net", "deep.example.net", "example.org")
CIRCLES = ("one", "two")
GROUPS = ("desk", "hall")
TEXTS = ("notice", "school")
OTHERWISE = st.sampled_from(["cancel", "release"])

Json = dict[str, Any]


def address(text: str, ambiguous: bool = False) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(local, domain, ambiguous)


def addresses() -> st.SearchStrategy[Address]:
    return st.builds(
        address, st.sampled_from(INTERNAL + EXTERNAL), st.sampled_from([False, False, False, True])
    )


def facts() -> st.SearchStrategy[Facts]:
    return st.builds(
        _facts,
        sender=st.none() | addresses(),
        recipients=st.lists(addresses(), max_size=6, unique_by=lambda a: a.key),
        visible=st.lists(addresses(), max_size=6, unique_by=lambda a: a.key),
        confident=st.booleans(),
        authors=st.lists(addresses(), max_size=2),
        subject=st.sampled_from(["", "通知", "confidential 通知", "第12号"]),
        attachments=st.lists(_attachments(), max_size=3),
        size=st.integers(0, 3),
        unclear=st.sampled_from([frozenset(), frozenset({"boundary"})]),
        evidence=_evidence(),
        answers=st.booleans(),
        account=st.sampled_from([None, "clerk"]),
    )


def _evidence() -> st.SearchStrategy[Evidence]:
    states = st.dictionaries(st.sampled_from(DOMAINS), st.sampled_from(["accepts", "missing", "unknown"]))
    alike = st.dictionaries(st.sampled_from(DOMAINS), st.just("example.co.jp"))
    keys = st.sampled_from(EXTERNAL)
    counts = st.integers(0, 4)
    writers = st.lists(st.sampled_from(["", *INTERNAL]), max_size=3).map(tuple)
    return st.builds(
        Evidence,
        writers=st.none() | st.dictionaries(keys, writers, max_size=5),
        volume=st.none() | st.builds(Volume, counts, counts, counts, counts),
        replies=st.none() | st.booleans(),
        earlier=st.none() | st.builds(Earlier, st.frozensets(keys)),
        content=st.none() | _content(),
        domains=st.none() | states,
        look_alikes=st.none() | alike,
    )


def _content() -> st.SearchStrategy[Content]:
    found = st.builds(
        Findings, person=st.integers(0, 2), card=st.integers(0, 1), card_possible=st.integers(0, 1)
    )
    unread = st.sampled_from(["", "", "encrypted", "damaged"])
    file = st.builds(
        FileEvidence,
        kind=st.sampled_from(["", "exe", "zip"]),
        encrypted=st.sampled_from([None, False, True]),
        members=st.sampled_from([(), ("a.exe",)]),
        complete=st.booleans(),
        unread=unread,
        found=found,
    )
    return st.builds(
        Content,
        body=found,
        body_unread=unread,
        files=st.lists(file, max_size=3).map(tuple),
        mail_is=st.sampled_from([frozenset(), frozenset({"calendar"})]),
        invited=st.lists(addresses(), max_size=2).map(tuple),
        speaks_of_attachment=st.booleans(),
        greets_other=st.sampled_from([None, False, True]),
        texts=st.dictionaries(st.sampled_from(["body", "attachments"]), st.just(("通知 第12号",))),
        cut=st.sampled_from([frozenset(), frozenset({"body"})]),
    )


def _facts(**given: Any) -> Facts:
    answers = b"In-Reply-To: <earlier@example.jp>\r\n" if given["answers"] else b""
    header, _ = split(answers + b"X-Mailer: batch\r\nX-Mailer: =?utf-8?q?other?=\r\n\r\n")
    return Facts(
        envelope=Envelope(
            given["sender"], tuple(given["recipients"]), replace(CLIENT, account=given["account"])
        ),
        header=header,
        visible=tuple(given["visible"]),
        confident=given["confident"],
        authors=tuple(given["authors"]),
        subject=given["subject"],
        attachments=tuple(given["attachments"]),
        size_bytes=given["size"],
        unclear=given["unclear"],
        evidence=given["evidence"],
    )


def _attachments() -> st.SearchStrategy[Attachment]:
    return st.builds(
        Attachment,
        name=st.sampled_from(["", "a.exe", "名簿.xlsx"]),
        size_bytes=st.integers(0, 3),
        content_type=st.just("application/octet-stream"),
    )


@st.composite
def _range(draw: st.DrawFn) -> Json:
    low, high = sorted(draw(st.tuples(st.integers(0, 4), st.integers(0, 4))))
    return draw(st.sampled_from([{"at_least": low}, {"at_most": high}, {"at_least": low, "at_most": high}]))


def _new_recipient() -> st.SearchStrategy[Any]:
    of = st.sampled_from(["sender", "anybody", *GROUPS])
    return of | st.builds(lambda name, bounds: {"of": name, **bounds}, of, _range())


def _added() -> st.SearchStrategy[Json]:
    earlier = st.sampled_from([{}, {"earlier": "passed-here"}])
    return st.builds(lambda bounds, which: {**bounds, **which}, _range(), earlier)


def _sent() -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"mails": _range()}) | st.fixed_dictionaries(
        {"recipients": _range()}, optional={"mails": _range()}
    )


def _some(*choices: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(choices), min_size=1, max_size=3)


def _text() -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {"contains": _some("通知", "BATCH", "nowhere")},
        optional={"matches": _some(r"\d+号$", "^conf", "o.h")},
    )


@st.composite
def conditions(draw: st.DrawFn) -> Json:
    keys: dict[str, st.SearchStrategy[Any]] = {
        "external": _range(),
        "internal": _range(),
        "visible_external": _range(),
        "sender": _some(*PATTERNS),
        "sender_in": _some(*GROUPS),
        "recipient": _some(*PATTERNS),
        "circle": _some(*CIRCLES),
        "attachments": _range()
        | st.just({"name": ["*.exe"]})
        | st.just({"size": {"at_least": 2}, "at_most": 1})
        | st.just({"kind": "exe", "at_most": 0})
        | st.just({"member": "*.exe", "encrypted": True}),
        "content": st.fixed_dictionaries(
            {"has": _some("person", "card")},
            optional={
                "at_least": st.integers(1, 3),
                "in": _some("body", "attachments"),
                "certain": st.booleans(),
            },
        ),
        "persons": _range(),
        "unread": st.booleans() | _some("encrypted", "damaged"),
        "greets_other": st.booleans(),
        "attachment_forgotten": st.booleans(),
        "mail_is": _some("calendar", "tnef"),
        "invited_external": _range(),
        "text": _text()
        | st.fixed_dictionaries({"contains": _some("通知"), "in": _some("body"), "certain": st.booleans()}),
        "external_domains": _range(),
        "free_mail": _range(),
        "bcc_only_external": st.booleans(),
        "domain_state": _some("missing", "no-mail"),
        "look_alike": st.booleans(),
        "subject": _text(),
        "header": st.fixed_dictionaries({"X-Mailer": _text()}),
        "size": _range(),
        "null_sender": st.booleans(),
        "authenticated": st.booleans(),
        "replies": st.booleans(),
        "new_recipient": _new_recipient(),
        "added_to_reply": _added(),
        "sent_last_hour": _sent(),
        "sent_last_day": _sent(),
        "time": st.fixed_dictionaries({"between": _some("18:00-08:00", "09:00-17:00", "12:00-13:00")}),
        "weekday": _some("mon", "fri", "土", "日"),
        "holiday": st.booleans(),
        "during": _some(*CALENDARS),
        "outside": _some(*CALENDARS),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(keys)), min_size=1, max_size=3, unique=True))
    return {key: draw(keys[key]) for key in chosen}


@st.composite
def _calendars(draw: st.DrawFn) -> Json:
    keys: dict[str, st.SearchStrategy[Any]] = {
        "hours": _some("00:00-24:00", "09:00-12:00", "13:00-17:15", "22:00-24:00"),
        "weekdays": _some("mon", "tue", "土", "日"),
        "holidays": st.sampled_from(["japan", "none"]),
        "closed": st.lists(
            st.sampled_from(["12-29..01-03", "2026-12-25", "2026-12-01..2027-02-28"]), min_size=1
        ),
        "open": st.lists(st.sampled_from(["2026-12-30", "2027-01-01..2027-01-02"]), min_size=1),
    }
    wanted = draw(st.sets(st.sampled_from(sorted(keys)))) | {"hours"}
    return {key: draw(keys[key]) for key in sorted(wanted)}


@st.composite
def _holds(draw: st.DrawFn, whom: st.SearchStrategy[str]) -> Json:
    hold: Json = {"for": draw(whom)}
    if draw(st.booleans()):
        hold["waive"] = draw(st.sampled_from(["sender", "reason", "nobody"]))
    untils = st.sampled_from(["09:00", "23:59"]) | st.fixed_dictionaries(
        {"calendar": st.sampled_from(CALENDARS)}, optional={"time": st.just("10:00")}
    )
    with_window = draw(st.integers(0, 3)) > 0
    if not with_window or draw(st.integers(0, 2)) == 0:
        hold["until"] = draw(untils)
    if with_window:
        hold["window"] = draw(st.sampled_from(["5m", "10m", "1h"]))
        growth = st.fixed_dictionaries({"when": conditions(), "by": st.sampled_from(["5m", "2h", "29d"])})
        if grows := draw(st.lists(growth, max_size=2)):
            hold |= {"grows": grows} | ({"at_most": "3h"} if draw(st.booleans()) else {})
    return hold


@st.composite
def rules(draw: st.DrawFn, prefix: str) -> Json:
    rule: Json = {"id": f"{prefix}-{draw(st.integers(0, 10**9))}", "reason": "why", "then": draw(_actions())}
    if draw(st.booleans()):
        rule["when"] = draw(conditions())
    if draw(st.booleans()):
        rule["unless"] = draw(conditions())
    if draw(st.integers(0, 4)) == 4:
        rule["monitor"] = True
    return rule


@st.composite
def _actions(draw: st.DrawFn) -> Json:
    whom = st.sampled_from(["external", "all", "matching"])
    keys: dict[str, st.SearchStrategy[Any]] = {
        "hold": _holds(whom),
        "recipients": st.fixed_dictionaries(
            {"form": st.sampled_from(["bcc", "individual"]), "for": whom},
            optional={"internal": st.sampled_from(["hide", "keep"])},
        ),
        "confirm": st.fixed_dictionaries(
            {"items": st.sampled_from(["recipients", "attachments", "both"]), "for": whom},
            optional={"within": st.sampled_from(["1h", "2h"]), "otherwise": OTHERWISE},
        ),
        "approve": st.fixed_dictionaries(
            {"by": _some(*GROUPS, "approvers", *INTERNAL), "for": whom},
            optional={
                "at_least": st.integers(1, 2),
                "within": st.sampled_from(["1h", "2h"]),
                "otherwise": OTHERWISE,
                "escalate": st.fixed_dictionaries(
                    {"to": _some(*GROUPS, *INTERNAL), "after": st.sampled_from(["5m", "10m"])}
                ),
            },
        ),
        "refuse": st.just("no"),
        "tag": st.sampled_from([{"X-A": "1"}, {"X-A": "2"}, {"X-B": "1"}]),
        "notify": _some("sender", "audit@city.example.lg.jp"),
        "drop_recipient": st.just(True) | st.fixed_dictionaries({"for": whom}),
        "bcc_to": _some("boss@city.example.lg.jp", "p@example.com"),
        "report_to": _some("audit@city.example.lg.jp", *GROUPS),
        "route": st.fixed_dictionaries({"name": st.sampled_from(["one", "two"]), "for": whom}),
        "disclaimer": st.fixed_dictionaries(
            {"name": st.sampled_from(TEXTS), "for": whom},
            optional={"language": st.sampled_from(["ja", "en"])},
        ),
    }
    likely = ["hold", "recipients", "recipients", *sorted(keys)]
    chosen = draw(st.lists(st.sampled_from(likely), min_size=1, max_size=3, unique=True))
    return {key: draw(keys[key]) for key in chosen}


def _groups(name: str) -> st.SearchStrategy[Json]:
    person = st.sampled_from(INTERNAL + EXTERNAL)
    proxy = {"for": person, "by": person, "from": st.just("2026-01-01"), "until": st.just("2026-01-05")}
    return st.fixed_dictionaries(
        {"senders": _some(*PATTERNS), "report_to": st.just(f"{name}@city.example.lg.jp")},
        optional={
            "approvers": _some(*INTERNAL, *EXTERNAL),
            "proxies": st.lists(st.fixed_dictionaries(proxy), max_size=2),
        },
    )


@st.composite
def floors(draw: st.DrawFn) -> Json:
    """Draw a file that is a policy on its own."""
    people = st.lists(st.sampled_from(EXTERNAL), min_size=1, max_size=4)
    return {
        "version": 1,
        "organisation": {"name": "x", "internal": ["city.example.lg.jp", ".city.example.lg.jp"]},
        "circles": {name: draw(people) for name in CIRCLES},
        "disclaimers": {name: {"ja": f"{name}の文面", "en": f"text of {name}"} for name in TEXTS},
        "groups": {name: draw(_groups(name)) for name in GROUPS},
        "calendars": {name: draw(_calendars()) for name in CALENDARS},
        "rules": draw(st.lists(rules("floor"), min_size=1, max_size=4, unique_by=lambda r: r["id"])),
    }


@st.composite
def additions(draw: st.DrawFn) -> Json:
    """Draw a file that somebody adds to a floor: rules, circles and groups of its own."""
    return {
        "version": 1,
        "circles": {"everybody": list(EXTERNAL + INTERNAL)} if draw(st.booleans()) else {},
        "groups": {"new": {"senders": ["example.com"]}} if draw(st.booleans()) else {},
        "calendars": {"always": {"hours": "00:00-24:00"}} if draw(st.booleans()) else {},
        "rules": draw(st.lists(rules("added"), max_size=3, unique_by=lambda r: r["id"])),
    }


@st.composite
def local_files(draw: st.DrawFn) -> Json:
    """Draw a local file that may try to get at what the floor's rules refer to, and rules that may use names of the floor."""
    file: Json = draw(additions())
    names = draw(st.sets(st.sampled_from(["organisation", "circles", "groups", "calendars"]), max_size=1))
    hostile: Json = {
        "organisation": {"name": "x", "internal": ["example.com", "example.net", "example.org"]},
        "circles": {name: list(EXTERNAL) for name in CIRCLES},
        "groups": {name: {"senders": ["example.invalid"]} for name in GROUPS},
        "calendars": {name: {"hours": "00:00-24:00"} for name in CALENDARS},
    }
    file |= {name: hostile[name] for name in names}
    taken = {"id": "floor-0", "reason": "why", "then": {"hold": "1m"}}
    return file if draw(st.integers(0, 5)) else {**file, "rules": [*file["rules"], taken]}
