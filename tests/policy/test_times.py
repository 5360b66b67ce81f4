"""Conditions on the time, and windows that wait for a time or grow with conditions, each at the edges of its clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.policy.clock_values import read_clock, read_days, read_span
from gateway.policy.decide import decide
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.values import MAX_WINDOW
from gateway.yaml_source import Hinted, Problems
from tests.policy.test_decide import mail

HEAD = """version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
calendars:
  office: {hours: ["09:00-12:00", "13:00-17:00"], closed: [12-29..01-03], open: 2026-11-22}
  counter: {hours: "09:00-17:00", weekdays: [土], holidays: none}
  late: {hours: ["22:00-24:00", "00:00-02:00"]}
  never: {hours: "09:00-17:00", closed: 01-01..12-31}
rules:
"""


def policy_of(rule: str) -> Policy:
    return load_policy({"policy.yaml": f"{HEAD}  - {{id: a, reason: why, {rule}}}\n"})


def at(text: str, zone: str = "Asia/Tokyo") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def applies(condition: str, now: datetime, key: str = "when") -> bool:
    decision = decide(mail("p@example.com"), policy_of(f"{key}: {condition}, then: {{hold: 10m}}"), now)
    return bool(decision.reasons)


def window(hold: str, now: datetime, to: str = "p@example.com") -> timedelta:
    return decide(mail(to), policy_of(f"then: {{hold: {hold}}}"), now).of(0).demands.window


@pytest.mark.parametrize(
    ("condition", "fits", "fits_not"),
    [
        ('{time: "09:00-17:00"}', "2026-11-20T09:00", "2026-11-20T17:00"),
        ('{time: {between: "18:00-08:00"}}', "2026-11-20T07:59:59", "2026-11-20T08:00"),
        ('{time: {between: "18:00-08:00"}}', "2026-11-20T18:00", "2026-11-20T17:59"),
        ('{time: ["18:00-24:00", "06:00〜07:00"]}', "2026-11-20T06:30", "2026-11-20T00:00"),
        ("{weekday: [sat, sun]}", "2026-11-22T00:00", "2026-11-23T00:00"),
        ("{weekday: 金曜日}", "2026-11-20T23:59", "2026-11-21T00:00"),
        ("{holiday: true}", "2026-11-23T12:00", "2026-11-24T00:00"),
        ("{holiday: false}", "2026-11-22T12:00", "2026-05-06T12:00"),
        ("{during: office}", "2026-11-20T11:59", "2026-11-20T12:00"),
        ("{during: office}", "2026-11-22T10:00", "2026-12-29T10:00"),
        ("{during: [office, counter]}", "2026-11-21T12:30", "2026-11-21T17:00"),
        ("{during: late}", "2026-11-20T23:00", "2026-11-21T01:00"),  # Saturday's hours are not Friday's
        ("{outside: office}", "2026-11-23T10:00", "2026-11-20T13:00"),
        ('{during: office, time: "16:00-18:00"}', "2026-11-20T16:00", "2026-11-20T17:30"),
    ],
)
def test_a_condition_at_its_edges(condition: str, fits: str, fits_not: str) -> None:
    assert applies(condition, at(fits))
    assert not applies(condition, at(fits), "unless")
    assert not applies(condition, at(fits_not))
    assert applies(condition, at(fits_not), "unless")


def test_outside_one_of_several_is_enough() -> None:
    """Items of a list are OR, here as everywhere: the office is open, the counter is not."""
    assert applies("{outside: [office, counter]}", at("2026-11-22T09:00"))


def test_times_are_those_of_the_organisation() -> None:
    now = at("2026-11-20T02:00", "UTC")
    assert applies('{time: "10:00-12:00"}', now)
    text = HEAD.replace("internal: [city.example.lg.jp]", "internal: [city.example.lg.jp], timezone: UTC")
    rule = '  - {id: a, reason: why, when: {time: "10:00-12:00"}, then: {hold: 10m}}\n'
    policy = load_policy({"policy.yaml": text + rule})
    assert policy.zone == ZoneInfo("UTC")
    assert not decide(mail("p@example.com"), policy, now).reasons


@pytest.mark.parametrize(
    ("hold", "now", "until"),
    [
        ('{until: "09:00"}', "2026-11-20T17:30", "2026-11-21T09:00"),
        ('{until: "09:00"}', "2026-11-20T09:00", "2026-11-20T09:00"),
        ('{until: "24:00"}', "2026-11-20T17:30", "2026-11-21T00:00"),
        ('{until: {time: "09:00"}, window: 20h}', "2026-11-20T17:30", "2026-11-21T13:30"),
        ("{until: {calendar: office}}", "2026-11-20T10:00", "2026-11-20T10:00"),
        ("{until: {calendar: office}, window: 5m}", "2026-11-20T10:00", "2026-11-20T10:05"),
        ("{until: {calendar: office}, window: 5m}", "2026-11-20T17:00", "2026-11-22T09:00"),
        ("{until: {calendar: office}}", "2026-12-28T17:00", "2027-01-04T09:00"),
        ('{until: {calendar: office, time: "14:00"}}', "2026-11-20T15:00", "2026-11-22T14:00"),
    ],
)  # fmt: skip
def test_a_window_until(hold: str, now: str, until: str) -> None:
    assert at(now) + window(hold, at(now)) == at(until)


def test_what_never_opens_holds_for_the_longest_wait() -> None:
    assert window("{until: {calendar: never}}", at("2026-11-20T10:00")) == MAX_WINDOW


GROWS = "{{window: 5m, grows: [{{when: {{external: {{at_least: 2}}}}, by: 10m}}, {{when: {{outside: office}}, by: 1h}}]{}}}"


@pytest.mark.parametrize(
    ("people", "now", "bound", "minutes"),
    [
        ("p@example.com", "2026-11-20T10:00", "", 5),
        ("p@example.com q@example.com", "2026-11-20T10:00", "", 15),
        ("p@example.com", "2026-11-20T20:00", "", 65),
        ("p@example.com q@example.com", "2026-11-20T20:00", "", 75),
        ("p@example.com q@example.com", "2026-11-20T20:00", ", at_most: 30m", 30),
        ("p@example.com q@example.com", "2026-11-20T20:00", ', at_most: 30m, until: "22:00"', 120),
    ],
)
def test_a_window_grows_with_conditions(people: str, now: str, bound: str, minutes: int) -> None:
    assert window(GROWS.format(bound), at(now), people) == timedelta(minutes=minutes)


def test_a_condition_in_doubt_grows_the_window() -> None:
    policy = policy_of(
        "then: {hold: {window: 5m, grows: [{when: {visible_external: {at_least: 2}}, by: 1h}]}}"
    )
    clear = mail("p@example.com q@example.com", visible="p@example.com")
    windows = [
        decide(each, policy, at("2026-11-20T10:00")).of(0).demands.window
        for each in (clear, replace(clear, confident=False))
    ]
    assert windows == [timedelta(minutes=5), timedelta(minutes=65)]


def test_growth_never_exceeds_the_longest_wait() -> None:
    hold = "{window: 30d, grows: [{when: {external: {at_least: 1}}, by: 30d}]}"
    assert window(hold, at("2026-11-20T10:00")) == MAX_WINDOW


def test_nobody_may_waive_any_of_it() -> None:
    policy = policy_of("then: {hold: {until: {calendar: office}, window: 5m, waive: nobody}}")
    demands = decide(mail("p@example.com"), policy, at("2026-11-20T17:00")).of(0).demands
    assert demands.firm == demands.window == timedelta(hours=40)


def test_whom_an_open_office_does_not_hold_no_rule_touches() -> None:
    decision = decide(
        mail("p@example.com"), policy_of("then: {hold: {until: {calendar: office}}}"), at("2026-11-20T10:00")
    )
    assert not decision.of(0).demands.waits
    assert decision.of(0).rules == ()


@pytest.mark.parametrize("text", ["9", "25:00", "24:01", "09:60", "-1:00", "０９：００x", "", "1e1:00"])
def test_what_is_no_time_of_the_day(text: str) -> None:
    with pytest.raises(Hinted):
        read_clock(text)


def test_full_width_is_read() -> None:
    assert read_clock("０９：３０") == 570
    assert read_span("18:00～08:00") == (1080, 480)


@pytest.mark.parametrize(
    "text", ["2026-13-01", "02-30", "2026-1-1", "..", "2026-01-01..", "01-01..01-02..01-03", ""]
)
def test_what_are_no_days(text: str) -> None:
    with pytest.raises(Hinted):
        read_days(text)


def test_every_problem_of_a_calendar_names_its_line() -> None:
    with pytest.raises(Problems) as caught:
        load_policy(
            {
                "p.yaml": HEAD.replace('"09:00-12:00"', '"09:00-12"')
                + "  - {id: a, reason: w, then: {hold: 1m}}\n"
            }
        )
    assert [p.line for p in caught.value.problems] == [4]
