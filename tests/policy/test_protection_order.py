"""Laws of protections that meet: a further one weakens nothing, and one that is said to add nothing adds nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands
from gateway.policy.handle import keeps, plan, with_handling
from gateway.policy.handling import Attached, Handling, Seen
from gateway.policy.key_ways import WEAK
from gateway.policy.protection import How, Protection, Way
from gateway.policy.protection_order import adds_nothing, as_strict
from tests.thoroughness import examples

thorough = settings(max_examples=examples(400), deadline=None)
SEALED_WAYS: list[Way] = [way for way in Way if way is not Way.CODE_PAGE]


@st.composite
def protections(draw: st.DrawFn) -> Protection:
    """Draw what a rule can ask for; the names are few, so that their order matters."""
    how = draw(st.sampled_from(How))
    ways = () if how is How.BLOCK else draw(ways_of(list(Way) if how is How.LINK else SEALED_WAYS))
    return Protection(
        draw(st.sampled_from("abcdef")),
        how,
        ways,
        tuple(sorted(draw(st.sets(st.sampled_from(["pdf", "zip", "*.txt"]), max_size=2)))),
        hide_names=how is not How.BLOCK and draw(st.booleans()),
        style=draw(st.sampled_from(["letters", "words-ja"])),
        bits=draw(st.sampled_from([60, 80])),
        own_key=draw(st.booleans()),
        expires=timedelta(days=draw(st.integers(1, 2))),
        downloads=draw(st.integers(0, 2)) if how is How.LINK else 0,
        within=timedelta(hours=draw(st.integers(1, 2))),
    )


def ways_of(among: list[Way]) -> st.SearchStrategy[tuple[Way, ...]]:
    return st.lists(st.sampled_from(among), min_size=1, max_size=3, unique=True).map(tuple)


FILES = st.lists(
    st.builds(
        Attached,
        place=st.just(0),
        name=st.sampled_from(["a.pdf", "b.txt", "c.zip"]),
        kind=st.sampled_from(["pdf", "text", "zip", ""]),
        size_bytes=st.sampled_from([10, 10, 10, 20 << 20]),
        state=st.sampled_from([*["plain"] * 6, "encrypted", "partly", "unreadable"]),
    ),
    min_size=1,
    max_size=3,
).map(lambda files: tuple(replace(file, place=place) for place, file in enumerate(files, 2)))
SEEN = st.builds(Seen, FILES, st.sampled_from([*[""] * 9, "signed", "encrypted", "unclear"]))
ALWAYS = frozenset({Way.SENDER, Way.SECOND_MAIL, Way.CODE_PAGE})
POSSIBLE = st.sets(st.sampled_from(Way)).map(ALWAYS.union) | st.sets(st.sampled_from(Way)).map(frozenset)
SEVERAL = st.lists(protections(), min_size=1, max_size=3, unique_by=lambda p: p.rule).map(frozenset)


def handled(asked: frozenset[Protection], seen: Seen, possible: frozenset[Way]) -> Handling | None:
    decision = Decision("d", (Outcome(True, Demands(protections=asked)),), (0,))
    return with_handling(decision, seen, lambda _: possible).of(0).handling


def key_of(handling: Handling) -> int:
    """Return how much the way is worth: a mailed code alone, a mail after the mail, or another way."""
    assert handling.way is not None
    return {Way.CODE_PAGE: 0, Way.SECOND_MAIL: 1}.get(handling.way, 2)


@thorough
@given(SEVERAL, SEVERAL, SEEN, POSSIBLE)
def test_a_further_rule_weakens_nothing(
    floor: frozenset[Protection], added: frozenset[Protection], seen: Seen, possible: frozenset[Way]
) -> None:
    names = {p.rule for p in floor}
    after = handled(floor | {p for p in added if p.rule not in names}, seen, possible)
    before = handled(floor, seen, possible)
    if before is None:
        return
    assert after is not None
    assert after.within <= before.within
    then, now = dict(before.forms), dict(after.forms)
    assert set(then) <= set(now)
    assert all(now[place] >= how for place, how in then.items())
    assert after.hide_names >= before.hide_names
    if not after.is_complete:
        event("held")
        return
    assert before.obstacle not in {"signed", "encrypted", "unclear"}
    if after.needs_key and before.needs_key:
        event("two keys were compared")
        if any(how is not How.BLOCK for place, how in after.forms if place in then):
            assert after.expires <= before.expires
        if set(after.rules) >= set(before.rules) and before.is_complete and How.BLOCK not in now.values():
            assert after.bits >= before.bits
            assert after.own_key >= before.own_key
            assert key_of(after) >= key_of(before)


@thorough
@given(SEVERAL, SEEN, POSSIBLE)
def test_what_leaves_leaves_as_every_rule_allows(
    asked: frozenset[Protection], seen: Seen, possible: frozenset[Way]
) -> None:
    handling = handled(asked, seen, possible)
    forms = dict(handling.forms) if handling is not None else {}
    if handling is not None and not handling.is_complete:
        return
    for file in seen.files:
        wanted = [p for p in asked if not keeps(p, file)]
        got = forms.get(file.place)
        if wanted and got is None:
            assert file.state == "encrypted"
            assert max(p.how for p in wanted) < How.LINK or seen.obstacle == "encrypted"
        if got is None:
            continue
        assert handling is not None
        assert all(got >= p.how for p in wanted)
        assert got is not How.NATIVE or not any(p.hide_names for p in wanted)
        assert got >= How.LINK or file.state in {"plain", "unreadable"}
        if got is not How.BLOCK:
            event("a way was compared")
            assert handling.way in possible
            assert all(_allows(p, handling.way) for p in wanted)


def _allows(protection: Protection, way: Way | None) -> bool:
    """Tell whether the rule names the way, or a weaker one."""
    if way in protection.ways:
        return True
    weaker = set(WEAK) if way not in WEAK else {Way.CODE_PAGE} if way is Way.SECOND_MAIL else set()
    return bool(weaker & set(protection.ways))


@thorough
@given(st.data(), protections(), protections(), st.lists(protections(), max_size=2), SEEN)
def test_a_protection_that_adds_nothing_changes_no_handling(
    data: st.DataObject, one: Protection, other: Protection, beside: list[Protection], seen: Seen
) -> None:
    if data.draw(st.booleans()):  # or they would seldom be comparable
        keys = data.draw(st.sets(st.sampled_from(["keep", "hide_names", "bits", "within", "ways", "how"])))
        other = replace(one, rule=other.rule, **{key: getattr(other, key) for key in keys})
        if (other.how is How.BLOCK) is not (not other.ways) or (
            Way.CODE_PAGE in other.ways and other.how is not How.LINK
        ):
            return
    others = [p for p in beside if p.rule not in {one.rule, other.rule}]
    if one.rule == other.rule or not adds_nothing(other, one):
        return
    event("adds nothing")
    assert as_strict(one, other)
    without, whole = plan([one, *others], seen), plan([one, other, *others], seen)
    if without is None or whole is None:
        assert without == whole
    else:
        assert replace(whole, rules=()) == replace(without, rules=())


@thorough
@given(protections(), protections(), protections())
def test_strictness_is_an_order(one: Protection, two: Protection, three: Protection) -> None:
    assert as_strict(one, one)
    if as_strict(one, two) and as_strict(two, three):
        assert as_strict(one, three)
