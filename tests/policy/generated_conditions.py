"""Hypothesis strategies: conditions of policies over the small world of generated_facts.py, every key of every family."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.policy.generated_facts import EXTERNAL, INTERNAL

PATTERNS = (*INTERNAL, *EXTERNAL, "example.com", "example.net", ".example.net", "city.example.lg.jp")
CALENDARS = ("office", "counter")
CIRCLES = ("one", "two")
GROUPS = ("desk", "hall")
LISTS = ("secret", "usual")

Json = dict[str, Any]
Keys = dict[str, st.SearchStrategy[Any]]


_THREE = st.integers(0, 2)
_TWO_COUNTS = st.tuples(st.integers(0, 4), st.integers(0, 4))


@st.composite
def _ranges(draw: st.DrawFn) -> Json:
    low, high = sorted(draw(_TWO_COUNTS))
    return ({"at_least": low}, {"at_most": high}, {"at_least": low, "at_most": high})[draw(_THREE)]


RANGE = _ranges()


def _new_recipient() -> st.SearchStrategy[Any]:
    of = st.sampled_from(["sender", "anybody", *GROUPS])
    return of | st.builds(lambda name, bounds: {"of": name, **bounds}, of, RANGE)


def _added() -> st.SearchStrategy[Json]:
    earlier = st.sampled_from([{}, {"earlier": "passed-here"}])
    return st.builds(lambda bounds, which: {**bounds, **which}, RANGE, earlier)


def some(*choices: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(choices), min_size=1, max_size=3)


def _ppap() -> st.SearchStrategy[Any]:
    how = some("same-mail", "following", "preceding") | st.just("any")
    options = {"within": st.sampled_from(["1h", "2d"]), "certain": st.booleans()}
    return how | st.builds(
        lambda how, rest: {"how": how, **rest}, how, st.fixed_dictionaries({}, optional=options)
    )


def _sent() -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"mails": RANGE}) | st.fixed_dictionaries(
        {"recipients": RANGE}, optional={"mails": RANGE}
    )


def _text() -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {"contains": some("通知", "BATCH", "nowhere")},
        optional={"matches": some(r"\d+号$", "^conf", "o.h")},
    )


_CONDITIONS: Keys = {
    "external": RANGE,
    "internal": RANGE,
    "visible_external": RANGE,
    "sender": some(*PATTERNS),
    "sender_in": some(*GROUPS),
    "recipient": some(*PATTERNS),
    "circle": some(*CIRCLES),
    "attachments": RANGE
    | st.fixed_dictionaries(
        {},
        optional={
            "at_least": st.integers(0, 1),
            "at_most": st.integers(1, 2),
            "name": st.just(["*.exe"]),
            "size": st.just({"at_least": 2}),
            "kind": st.just("exe"),
            "member": st.just("*.exe"),
            "encrypted": st.booleans(),
            "macros": st.booleans(),
            "unread": st.booleans() | some("encrypted", "damaged"),
            "kind_differs": st.booleans(),
        },
    ).filter(bool),
    "content": st.fixed_dictionaries(
        {"has": some("person", "card")},
        optional={
            "at_least": st.integers(1, 3),
            "in": some("body", "attachments"),
            "certain": st.booleans(),
            "possible": st.booleans(),
        },
    ),
    "persons": RANGE,
    "phones": RANGE,
    "postal_addresses": RANGE,
    "mail_addresses": RANGE,
    "my_numbers": RANGE,
    "cards": RANGE,
    "password_in_clear": st.booleans(),
    "password_follows": st.booleans(),
    "ppap": _ppap(),
    "unread": st.booleans() | some("encrypted", "damaged"),
    "greets_other": st.booleans(),
    "attachment_forgotten": st.booleans(),
    "mail_is": some("calendar", "tnef"),
    "invited_external": RANGE,
    "text": _text()
    | st.fixed_dictionaries({"contains": some("通知"), "in": some("body"), "certain": st.booleans()})
    | st.fixed_dictionaries({"keywords": some(*LISTS)}),
    "external_domains": RANGE,
    "free_mail": RANGE | st.just(True) | st.builds(lambda bounds: {**bounds, "of": ["free", "isp"]}, RANGE),
    "bcc_only_external": st.booleans(),
    "domain_state": some("missing", "no-mail"),
    "look_alike": st.booleans(),
    "subject": _text(),
    "header": st.fixed_dictionaries({"X-Mailer": _text()}),
    "size": RANGE,
    "null_sender": st.booleans(),
    "authenticated": st.booleans(),
    "replies": st.booleans(),
    "new_recipient": _new_recipient(),
    "added_to_reply": _added(),
    "sent_last_hour": _sent(),
    "sent_last_day": _sent(),
    "time": st.fixed_dictionaries({"between": some("18:00-08:00", "09:00-17:00", "12:00-13:00")}),
    "weekday": some("mon", "fri", "土", "日"),
    "holiday": st.booleans(),
    "during": some(*CALENDARS),
    "outside": some(*CALENDARS),
}
_SOME_CONDITIONS = st.lists(st.sampled_from(sorted(_CONDITIONS)), min_size=1, max_size=3, unique=True)


@st.composite
def _conditions(draw: st.DrawFn) -> Json:
    return {key: draw(_CONDITIONS[key]) for key in draw(_SOME_CONDITIONS)}


CONDITIONS = _conditions()
