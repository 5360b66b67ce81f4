"""Hypothesis strategies: policies over the small world of generated_facts.py. Every key of a policy file is drawn."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.policy.generated_conditions import (
    CALENDARS,
    CIRCLES,
    CONDITIONS,
    GROUPS,
    LISTS,
    PATTERNS,
    Json,
    Keys,
    some,
)
from tests.policy.generated_facts import EXTERNAL, INTERNAL

TEXTS = ("notice", "school")
OTHERWISE = st.sampled_from(["cancel", "release"])

_CALENDAR: Keys = {
    "hours": some("00:00-24:00", "09:00-12:00", "13:00-17:15", "22:00-24:00"),
    "weekdays": some("mon", "tue", "土", "日"),
    "holidays": st.sampled_from(["japan", "none"]),
    "closed": st.lists(st.sampled_from(["12-29..01-03", "2026-12-25", "2026-12-01..2027-02-28"]), min_size=1),
    "open": st.lists(st.sampled_from(["2026-12-30", "2027-01-01..2027-01-02"]), min_size=1),
}
CALENDAR = st.fixed_dictionaries(
    {"hours": _CALENDAR["hours"]}, optional={key: _CALENDAR[key] for key in _CALENDAR if key != "hours"}
)
WHOM = st.sampled_from(["external", "all", "matching"])


_UNTIL = st.sampled_from(["09:00", "23:59"]) | st.fixed_dictionaries(
    {"calendar": st.sampled_from(CALENDARS)}, optional={"time": st.just("10:00")}
)
_WINDOW = st.sampled_from(["5m", "10m", "1h"])
_WAIVE = st.sampled_from(["sender", "reason", "nobody"])
_GROWS = st.lists(
    st.fixed_dictionaries({"when": CONDITIONS, "by": st.sampled_from(["5m", "2h", "29d"])}),
    min_size=1,
    max_size=2,
)
HOLD = (
    st.fixed_dictionaries({"for": WHOM, "window": _WINDOW}, optional={"waive": _WAIVE, "until": _UNTIL})
    | st.fixed_dictionaries({"for": WHOM, "until": _UNTIL}, optional={"waive": _WAIVE})
    | st.fixed_dictionaries(
        {"for": WHOM, "window": _WINDOW, "grows": _GROWS},
        optional={"waive": _WAIVE, "until": _UNTIL, "at_most": st.just("3h")},
    )
)


_KEY = st.fixed_dictionaries(
    {},
    optional={
        "style": st.sampled_from(["letters", "characters", "words-ja", "words-en"]),
        "bits": st.sampled_from([40, 60, 80]),
    },
)
_KEPT = some("pdf", "*.txt", "zip")
_SPANS: Keys = {"expires": st.sampled_from(["1d", "30d"]), "within": st.sampled_from(["1h", "2d"])}
_NAMES: Keys = {"hide_names": st.booleans(), "for": WHOM}
_OF_KEYS: Keys = {
    "per": st.sampled_from(["message", "recipient"]),
    "key": _KEY,
    "keep": _KEPT,
    **_SPANS,
}
_WAYS = ("sms", "sender", "preagreed", "second-mail")
ATTACHMENTS = (
    st.fixed_dictionaries(
        {"protect": st.sampled_from(["native", "zip-aes256", "zip-legacy"]), **_NAMES},
        optional={"password_by": some(*_WAYS), **_OF_KEYS},
    )
    | st.fixed_dictionaries(
        {"protect": st.just("link"), "downloads": st.integers(1, 3), **_NAMES},
        optional={"password_by": some(*_WAYS, "code-page"), **_OF_KEYS},
    )
    | st.fixed_dictionaries({"protect": st.just("block"), "for": WHOM}, optional={"keep": _KEPT})
)
REMIND = some("15m", "30m")
_ACTIONS: Keys = {
    "attachments": ATTACHMENTS,
    "hold": HOLD,
    "recipients": st.fixed_dictionaries(
        {"form": st.sampled_from(["bcc", "individual"]), "for": WHOM},
        optional={"internal": st.sampled_from(["hide", "keep"])},
    ),
    "confirm": st.fixed_dictionaries(
        {"items": st.sampled_from(["recipients", "attachments", "both"]), "for": WHOM},
        optional={
            "within": st.sampled_from(["1h", "2h"]),
            "otherwise": OTHERWISE,
            "remind": REMIND,
            "calendar": st.sampled_from(CALENDARS),
        },
    ),
    "approve": st.fixed_dictionaries(
        {"by": some(*GROUPS, "approvers", *INTERNAL), "for": WHOM},
        optional={
            "at_least": st.integers(1, 2),
            "within": st.sampled_from(["1h", "2h"]),
            "otherwise": OTHERWISE,
            "calendar": st.sampled_from(CALENDARS),
            "remind": REMIND,
            "escalate": st.fixed_dictionaries(
                {"to": some(*GROUPS, *INTERNAL), "after": st.sampled_from(["5m", "10m"])}
            ),
        },
    ),
    "refuse": st.just("no"),
    "tag": st.sampled_from([{"X-A": "1"}, {"X-A": "2"}, {"X-B": "1"}]),
    "colleagues_may_stop": st.just(True),
    "notify": some("sender", "audit@city.example.lg.jp")
    | st.fixed_dictionaries({"sender": some("hold", "left")}),
    "drop_recipient": st.just(True) | st.fixed_dictionaries({"for": WHOM}),
    "bcc_to": some("boss@city.example.lg.jp", "p@example.com"),
    "report_to": some("audit@city.example.lg.jp", *GROUPS),
    "route": st.fixed_dictionaries({"name": st.sampled_from(["one", "two"]), "for": WHOM}),
    "disclaimer": st.fixed_dictionaries(
        {"name": st.sampled_from(TEXTS), "for": WHOM},
        optional={"language": st.sampled_from(["ja", "en"])},
    ),
}
_SOME_ACTIONS = st.lists(
    st.sampled_from(["hold", "recipients", "recipients", "attachments", *sorted(_ACTIONS)]),
    min_size=1,
    max_size=3,
    unique=True,
)


@st.composite
def _actions(draw: st.DrawFn) -> Json:
    return {key: draw(_ACTIONS[key]) for key in draw(_SOME_ACTIONS)}


ACTIONS = _actions()
_MAYBE = st.none() | CONDITIONS
_NUMBER = st.integers(0, 10**9)
_WATCHES = st.integers(0, 4).map((4).__eq__)


@st.composite
def rules(draw: st.DrawFn, prefix: str) -> Json:
    rule: Json = {"id": f"{prefix}-{draw(_NUMBER)}", "reason": "why", "then": draw(ACTIONS)}
    asked = {"when": draw(_MAYBE), "unless": draw(_MAYBE), "monitor": draw(_WATCHES)}
    return rule | {key: value for key, value in asked.items() if value}


def _groups(name: str) -> st.SearchStrategy[Json]:
    person = st.sampled_from(INTERNAL + EXTERNAL)
    proxy = {"for": person, "by": person, "from": st.just("2026-01-01"), "until": st.just("2026-01-05")}
    return st.fixed_dictionaries(
        {"senders": some(*PATTERNS), "report_to": st.just(f"{name}@city.example.lg.jp")},
        optional={
            "approvers": some(*INTERNAL, *EXTERNAL),
            "proxies": st.lists(st.fixed_dictionaries(proxy), max_size=2),
        },
    )


_GROUPS = {name: _groups(name) for name in GROUPS}
_YES = st.booleans()
_MEMBERS = st.lists(st.sampled_from(EXTERNAL), min_size=1, max_size=4)
_FLOOR_RULES = st.lists(rules("floor"), min_size=1, max_size=4, unique_by=lambda rule: rule["id"])
_ADDED_RULES = st.lists(rules("added"), max_size=3, unique_by=lambda rule: rule["id"])


@st.composite
def floors(draw: st.DrawFn) -> Json:
    """Draw a file that is a policy on its own."""
    return {
        "version": 1,
        "organisation": {"name": "x", "internal": ["city.example.lg.jp", ".city.example.lg.jp"]},
        "circles": {name: draw(_MEMBERS) for name in CIRCLES},
        "disclaimers": {name: {"ja": f"{name}の文面", "en": f"text of {name}"} for name in TEXTS},
        "groups": {name: draw(_GROUPS[name]) for name in GROUPS},
        "keywords": {"secret": ["通知", "confidential"], "usual": ["第12号"]},
        "calendars": {name: draw(CALENDAR) for name in CALENDARS},
        "rules": draw(_FLOOR_RULES),
    }


@st.composite
def additions(draw: st.DrawFn) -> Json:
    """Draw a file that somebody adds to a floor: rules, circles and groups of its own."""
    return {
        "version": 1,
        "circles": {"everybody": list(EXTERNAL + INTERNAL)} if draw(_YES) else {},
        "groups": {"new": {"senders": ["example.com"]}} if draw(_YES) else {},
        "calendars": {"always": {"hours": "00:00-24:00"}} if draw(_YES) else {},
        "rules": draw(_ADDED_RULES),
    }


@st.composite
def local_files(draw: st.DrawFn) -> Json:
    """Draw a local file that may try to get at what the floor's rules refer to, and rules that may use names of the floor."""
    file: Json = draw(additions())
    hostile: Json = {
        "organisation": {"name": "x", "internal": ["example.com", "example.net", "example.org"]},
        "circles": {name: list(EXTERNAL) for name in CIRCLES},
        "groups": {name: {"senders": ["example.invalid"]} for name in GROUPS},
        "calendars": {name: {"hours": "00:00-24:00"} for name in CALENDARS},
        "keywords": {name: ["nowhere"] for name in LISTS},
        "disclaimers": dict.fromkeys(TEXTS, "another text"),
    }
    names = draw(st.sets(st.sampled_from(sorted(hostile)), max_size=1))
    file |= {name: hostile[name] for name in names}
    taken = {"id": "floor-0", "reason": "why", "then": {"hold": "1m"}}
    return file if draw(st.integers(0, 5)) else {**file, "rules": [*file["rules"], taken]}
