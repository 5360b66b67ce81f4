"""What becomes of files: the form of each, the way of the key, what is held, and who is treated alike."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.policy.decision import Decision, Outcome, Watched
from gateway.policy.demands import Demands, MailDemands
from gateway.policy.handle import MAX_LEGACY_OCTETS, plan, with_handling
from gateway.policy.handling import Attached, Handling, Seen
from gateway.policy.protection import How, Protection, Way
from gateway.policy.stored_decision import from_json, to_json
from gateway.protect import archive

ALWAYS = frozenset({Way.SENDER, Way.SECOND_MAIL, Way.CODE_PAGE})
STRONG = (Way.PREAGREED, Way.SMS, Way.SENDER)
PLAN = Attached(2, "plan.docx", "docx", 4096, "plain")
LIST = Attached(3, "名簿.pdf", "pdf", 2048, "plain")
SEALED = Attached(4, "sealed.zip", "zip", 1024, "encrypted")
HALF = Attached(5, "half.zip", "zip", 1024, "partly")
DAMAGED = Attached(6, "damaged.pdf", "pdf", 99, "unreadable")


def asks(how: How, rule: str = "r", ways: tuple[Way, ...] = STRONG, **more: object) -> Protection:
    """Return what a rule asks for."""
    return replace(Protection(rule, how, ways), **more)  # type: ignore[arg-type]  # keys of the dataclass by name


def outcome(*protections: Protection, external: bool = True, **more: object) -> Outcome:
    return Outcome(external, Demands(protections=frozenset(protections), **more))  # type: ignore[arg-type]


def planned(seen: Seen, *protections: Protection) -> Handling:
    found = plan(protections, seen)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("file", "how", "expected"),
    [
        (PLAN, How.NATIVE, How.NATIVE),
        (PLAN, How.BLOCK, How.BLOCK),
        (SEALED, How.ZIP_LEGACY, None),  # a key inside a key helps nobody
        (SEALED, How.NATIVE, None),
        (SEALED, How.ZIP_AES256, None),
        (SEALED, How.LINK, How.LINK),  # it can still be taken back
        (SEALED, How.BLOCK, How.BLOCK),
        (HALF, How.LINK, How.LINK),
        (HALF, How.BLOCK, How.BLOCK),
        (DAMAGED, How.NATIVE, How.NATIVE),
    ],
)
def test_a_file_gets_the_form_that_its_state_allows(file: Attached, how: How, expected: How | None) -> None:
    found = plan([asks(how)], Seen((file,)))
    assert (found.forms if found is not None else ()) == (((file.place, expected),) if expected else ())
    assert found is None or not found.obstacle


@pytest.mark.parametrize("how", [How.ZIP_LEGACY, How.NATIVE, How.ZIP_AES256])
def test_an_archive_encrypted_in_part_is_held(how: How) -> None:
    found = planned(Seen((PLAN, HALF)), asks(how, within=timedelta(hours=2)))
    assert found.obstacle == "partly-encrypted"
    assert not found.is_complete
    assert found.within == timedelta(hours=2)


def test_the_strongest_form_counts_for_each_file_and_keep_is_of_one_rule_alone() -> None:
    found = planned(
        Seen((PLAN, LIST)),
        asks(How.ZIP_AES256, "a", keep=("*.pdf",)),
        asks(How.NATIVE, "b", keep=("docx",)),
    )
    assert found.forms == ((2, How.ZIP_AES256), (3, How.NATIVE))
    assert found.rules == ("a", "b")
    assert planned(Seen((PLAN,)), asks(How.LINK, "a", keep=("docx",)), asks(How.NATIVE, "b")).rules == ("b",)


def test_a_file_that_every_rule_keeps_leaves_as_it_is() -> None:
    assert plan([asks(How.LINK, keep=("pdf",))], Seen((LIST,))) is None
    assert plan([asks(How.LINK, keep=("*.txt",))], Seen(())) is None


def test_a_kind_is_what_the_file_is_and_not_its_name() -> None:
    program = Attached(2, "report.pdf", "exe", 10, "plain")
    assert plan([asks(How.NATIVE, keep=("pdf",))], Seen((program,))) is not None


def test_names_are_hidden_also_where_something_else_holds_the_mail() -> None:
    hides, keeps_none = asks(How.NATIVE, "a", hide_names=True, keep=("zip",)), asks(How.NATIVE, "b")
    seen = Seen((LIST, HALF))
    assert dict(planned(seen, hides).forms) == {LIST.place: How.ZIP_AES256}
    held = planned(seen, hides, keeps_none)
    assert held.obstacle == "partly-encrypted"
    assert dict(held.forms)[LIST.place] is How.ZIP_AES256


@pytest.mark.parametrize("obstacle", ["unclear", "unread", "structure"])
def test_a_mail_of_which_nobody_can_tell_the_files_is_held_without_any(obstacle: str) -> None:
    found = planned(Seen((), obstacle), asks(How.NATIVE))
    assert found.obstacle == obstacle
    assert not found.is_complete
    assert plan([], Seen((), obstacle)) is None


@pytest.mark.parametrize(
    "obstacle", ["signed", "encrypted", "forwarded", "two-halves", "no-body", "nothing-left"]
)
def test_what_is_in_the_way_of_nothing_does_not_matter(obstacle: str) -> None:
    assert plan([asks(How.NATIVE)], Seen((), obstacle)) is None
    assert plan([asks(How.NATIVE, keep=("pdf",))], Seen((LIST,), obstacle)) is None
    assert planned(Seen((LIST,), obstacle), asks(How.NATIVE)).obstacle == obstacle


@pytest.mark.parametrize(
    ("how", "held"), [(How.NATIVE, False), (How.ZIP_AES256, False), (How.LINK, False), (How.BLOCK, True)]
)
def test_a_mail_encrypted_as_a_whole_leaves_as_it_is_unless_files_are_blocked(how: How, held: bool) -> None:
    blob = Attached(0, "smime.p7m", "p7m", 4096, "encrypted")
    found = plan([asks(how)], Seen((blob,), "encrypted"))
    assert (found is not None and found.obstacle == "encrypted") is held


def test_where_nobody_can_tell_the_files_every_rule_has_a_say() -> None:
    found = planned(
        Seen((LIST,), "unclear"),
        asks(How.NATIVE, "a", keep=("pdf",), hide_names=True, within=timedelta(hours=1)),
        asks(How.NATIVE, "b"),
    )
    assert (found.rules, found.hide_names, found.within) == (("a", "b"), True, timedelta(hours=1))


def test_hidden_names_need_an_archive() -> None:
    found = planned(Seen((PLAN, LIST)), asks(How.NATIVE, "a"), asks(How.ZIP_LEGACY, "b", hide_names=True))
    assert found.hide_names
    assert found.forms == ((2, How.ZIP_AES256), (3, How.ZIP_AES256))


def test_the_key_is_as_strong_and_as_short_lived_as_any_rule_asks() -> None:
    found = planned(
        Seen((PLAN,)),
        asks(How.NATIVE, "a", bits=80, style="words-ja", expires=timedelta(days=9), downloads=3),
        asks(How.LINK, "b", own_key=True, expires=timedelta(days=2), within=timedelta(hours=1)),
        asks(How.ZIP_AES256, "c", downloads=7),
    )
    assert (found.bits, found.style, found.own_key) == (80, "words-ja", True)
    assert (found.expires, found.downloads, found.within) == (timedelta(days=2), 3, timedelta(hours=1))


def test_a_rule_that_only_blocks_says_nothing_about_keys() -> None:
    found = planned(Seen((PLAN,)), asks(How.BLOCK, "a", ways=()), asks(How.NATIVE, "b", bits=99))
    assert found.forms == ((2, How.BLOCK),)
    assert not found.needs_key
    assert found.is_complete


def one(protection: tuple[Protection, ...], ways: frozenset[Way]) -> Handling:
    """Handle a mail to one recipient to whom these ways are possible."""
    decision = Decision("d", (outcome(*protection),), (0,))
    found = with_handling(decision, Seen((PLAN,)), lambda _: ways).of(0).handling
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("asked", "possible", "way"),
    [
        ((STRONG,), ALWAYS, Way.SENDER),
        ((STRONG,), ALWAYS | {Way.SMS}, Way.SMS),
        ((STRONG,), ALWAYS | {Way.SMS, Way.PREAGREED}, Way.PREAGREED),
        (((Way.SMS,),), ALWAYS, None),
        (((Way.SECOND_MAIL, Way.SMS),), ALWAYS | {Way.SMS}, Way.SMS),  # the weak way is tried last
        (((Way.SECOND_MAIL, Way.SMS),), ALWAYS, Way.SECOND_MAIL),
        ((STRONG, (Way.SENDER,)), ALWAYS | {Way.SMS}, Way.SENDER),
        ((STRONG, (Way.SECOND_MAIL,)), ALWAYS | {Way.SMS}, Way.SMS),
        (((Way.SECOND_MAIL,), (Way.SECOND_MAIL, Way.SMS)), ALWAYS | {Way.SMS}, Way.SMS),
        (((Way.SMS, Way.SENDER), (Way.SENDER, Way.SMS)), ALWAYS | {Way.SMS}, Way.SMS),
    ],
)
def test_the_way_is_the_first_possible_one_that_all_rules_agree_with(
    asked: tuple[tuple[Way, ...], ...], possible: frozenset[Way], way: Way | None
) -> None:
    rules = tuple(asks(How.NATIVE, f"r{number}", ways) for number, ways in enumerate(asked))
    found = one(rules, possible)
    assert found.way is way
    assert found.needs_key
    assert found.is_complete is (way is not None)
    assert not found.obstacle


def test_rules_that_agree_on_no_way_hold_the_mail() -> None:
    found = one((asks(How.NATIVE, "a", (Way.SMS,)), asks(How.NATIVE, "b", (Way.SENDER,))), ALWAYS | {Way.SMS})
    assert found.obstacle == "no-way"
    assert not found.is_complete


@pytest.mark.parametrize(
    ("asked", "possible", "way", "needs_key"),
    [
        (((Way.CODE_PAGE,),), ALWAYS, Way.CODE_PAGE, False),
        (((Way.SMS, Way.CODE_PAGE),), ALWAYS, Way.CODE_PAGE, False),
        (((Way.CODE_PAGE, Way.SMS),), ALWAYS | {Way.SMS}, Way.SMS, True),
        (((Way.SENDER,),), ALWAYS, Way.SENDER, True),
        (((Way.SMS,),), ALWAYS, None, True),
        (((Way.CODE_PAGE,), (Way.SENDER,)), ALWAYS, Way.SENDER, True),
        (((Way.CODE_PAGE,), (Way.SECOND_MAIL,)), ALWAYS, Way.SECOND_MAIL, True),
    ],
)
def test_a_link_opens_with_the_code_alone_only_where_every_rule_is_content_with_it(
    asked: tuple[tuple[Way, ...], ...], possible: frozenset[Way], way: Way | None, needs_key: bool
) -> None:
    found = one(tuple(asks(How.LINK, f"r{n}", ways) for n, ways in enumerate(asked)), possible)
    assert (found.way, found.needs_key) == (way, needs_key)
    assert found.shares


def test_a_link_over_a_sealed_file_keeps_the_way_that_the_other_rule_wants() -> None:
    found = one((asks(How.LINK, "a", (Way.CODE_PAGE,)), asks(How.ZIP_AES256, "b")), ALWAYS)
    assert found.forms == ((2, How.LINK),)
    assert (found.way, found.needs_key) == (Way.SENDER, True)


@pytest.mark.parametrize("ways", [(Way.CODE_PAGE,), (Way.SENDER,)])
def test_a_link_without_a_page_is_held(ways: tuple[Way, ...]) -> None:
    found = one((asks(How.LINK, ways=ways),), ALWAYS - {Way.CODE_PAGE})
    assert found.obstacle == "no-page"
    assert not found.is_complete


def test_recipients_of_one_fate_share_an_outcome_and_others_do_not() -> None:
    protected, free = outcome(asks(How.NATIVE)), Outcome(False, Demands())
    dropped = outcome(asks(How.NATIVE), drop=True)
    decision = Decision("d", (protected, free, dropped), (0, 1, 0, 0, 2))
    asked: list[int] = []

    def possible(index: int) -> frozenset[Way]:
        asked.append(index)
        return ALWAYS | ({Way.SMS} if index == 2 else frozenset())

    found = with_handling(decision, Seen((PLAN,)), possible)
    assert found.assigned == (0, 1, 2, 0, 3)
    ways = [o.handling.way if o.handling is not None else None for o in found.outcomes]
    assert ways == [Way.SENDER, None, Way.SMS, None]
    assert asked == [0, 2, 3]
    assert found.files == (PLAN,)
    assert [o.waits_for_nobody for o in found.outcomes] == [True] * 4


def test_a_mail_that_nobody_protects_comes_back_as_it_is() -> None:
    decision = Decision("d", (Outcome(True, Demands()),), (0,))

    def possible(_: int) -> frozenset[Way]:
        raise AssertionError("asked for a way that nobody needs")

    assert with_handling(decision, Seen((PLAN,)), possible) is decision
    blocked = Decision("d", (outcome(asks(How.BLOCK, ways=())),), (0,))
    assert with_handling(blocked, Seen((PLAN,)), possible).of(0).handling is not None


@pytest.mark.parametrize(
    ("ways", "form"),
    [(STRONG, How.BLOCK), ((Way.SMS,), How.BLOCK), ((Way.SENDER, Way.SECOND_MAIL), How.NATIVE)],
)
def test_a_copy_waits_for_nobody_whom_it_would_have_to_be_told_to(ways: tuple[Way, ...], form: How) -> None:
    decision = Decision("d", (outcome(asks(How.NATIVE, ways=ways)),), (0, 0), copied=1)
    found = with_handling(decision, Seen((PLAN,)), lambda _: ALWAYS).of(1)
    assert found.handling is not None
    assert found.handling.forms == ((2, form),)
    assert found.waits_for_nobody


def test_a_copy_that_something_is_in_the_way_of_never_comes() -> None:
    decision = Decision("d", (outcome(asks(How.NATIVE)),), (0, 0), copied=1)
    found = with_handling(decision, Seen((PLAN,), "signed"), lambda _: ALWAYS)
    assert found.of(1).demands.drop
    assert not found.of(0).demands.drop
    assert not found.of(0).waits_for_nobody


@pytest.mark.parametrize(
    ("sizes", "hide_names", "held"),
    [
        ((MAX_LEGACY_OCTETS,), False, False),
        ((MAX_LEGACY_OCTETS + 1,), False, True),
        ((MAX_LEGACY_OCTETS // 2, MAX_LEGACY_OCTETS), False, False),
        ((MAX_LEGACY_OCTETS // 2, MAX_LEGACY_OCTETS), True, True),  # in one archive inside
    ],
)
def test_what_the_old_cipher_does_not_seal_is_held(
    sizes: tuple[int, ...], hide_names: bool, held: bool
) -> None:
    files = tuple(replace(PLAN, place=place, size_bytes=size) for place, size in enumerate(sizes, 2))
    found = planned(Seen(files), asks(How.ZIP_LEGACY, hide_names=hide_names))
    assert found.obstacle == ("too-large" if held else "")
    assert MAX_LEGACY_OCTETS < archive.MAX_LEGACY_OCTETS


def test_a_decision_with_files_is_stored_in_a_form_that_older_code_cannot_read() -> None:
    asked = asks(How.LINK, "a", STRONG, keep=("pdf",), downloads=3, hide_names=True, own_key=True, bits=80)
    plain = Decision("d", (Outcome(True, Demands()),), (0,))
    before = Decision("d", (outcome(asked, asks(How.NATIVE, "b")),), (0, 0))
    after = with_handling(before, Seen((PLAN, LIST)), lambda n: ALWAYS | ({Way.SMS} if n else frozenset()))
    signed = with_handling(before, Seen((PLAN,), "signed"), lambda _: ALWAYS)
    assert len(after.outcomes) == 2
    for decision in (before, after, signed):
        stored = json.loads(json.dumps(to_json(decision)))
        assert stored["v"] == 3
        assert from_json(stored, decision.assigned) == decision
    assert to_json(plain)["v"] == 1
    with pytest.raises(ValueError, match="version 4"):
        from_json({**to_json(after), "v": 4}, after.assigned)


def test_a_watching_rule_that_would_protect_is_stored_with_what_it_would_ask() -> None:
    watched = Watched("w", 1, Demands(protections=frozenset([asks(How.BLOCK, ways=())])), MailDemands())
    decision = Decision("d", (Outcome(True, Demands()),), (0,), watched=(watched,))
    assert not decision.protects
    assert from_json(to_json(decision), (0,)) == decision
