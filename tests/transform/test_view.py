"""Views: equal exactly where the octets are equal."""

from __future__ import annotations

from gateway.policy.demands import Form
from gateway.transform.render import QUICK_RECIPIENTS, is_quick, prepare_views, render, unprepared
from gateway.transform.view import View, view_of
from tests.transform.sample import decision, envelope, mail, original

TWO = envelope("ana@one.example.com", "ben@two.example.net")
RAW = mail("From: office@sports.example.jp", "To: ana@one.example.com, ben@two.example.net", "Subject: x")


def test_bcc_recipients_share_a_view() -> None:
    decided = decision(Form.BCC, count=2)
    first, second = (view_of(decided, index, TWO.recipients[index]) for index in (0, 1))
    assert first == second
    assert hash(first) == hash(second)
    assert first.own is None


def test_individual_recipients_do_not() -> None:
    decided = decision(Form.INDIVIDUAL, count=2)
    first, second = (view_of(decided, index, TWO.recipients[index]) for index in (0, 1))
    assert first != second
    assert first.own == TWO.recipients[0]


def test_an_original_view_knows_tags_only() -> None:
    decided = decision(
        Form.ORIGINAL, companions=["a@b.example"], hide_internal=True, tags=[("X-T", "1"), ("X-A", "2")]
    )
    assert view_of(decided, 0, TWO.recipients[0]) == View(Form.ORIGINAL, tags=(("X-A", "2"), ("X-T", "1")))


def test_the_order_of_companions_does_not_matter() -> None:
    one = view_of(decision(companions=["a@x.example", "b@x.example"]), 0, TWO.recipients[0])
    assert one == view_of(
        decision(companions=["b@x.example", "a@x.example", "b@x.example"]), 0, TWO.recipients[0]
    )


def test_equal_views_give_equal_octets_and_the_same_body_memory() -> None:
    decided = decision(Form.BCC, count=2)
    prepared = original(RAW, TWO, decided)
    copies = [render(prepared, view_of(decided, index, TWO.recipients[index])) for index in (0, 1)]
    assert copies[0].header == copies[1].header
    assert copies[0].body.obj is RAW
    assert bytes(copies[0].body) == "本文\r\n".encode()


def test_what_individual_copies_share_is_prepared_once_for_all() -> None:
    decided = decision(Form.INDIVIDUAL, count=2)
    mail_ = original(RAW, TWO, decided)
    first, second = (view_of(decided, index, TWO.recipients[index]) for index in (0, 1))
    assert unprepared(mail_, [first, second]) == [second]
    prepare_views(mail_, [first])
    assert unprepared(mail_, [first, second, View(Form.ORIGINAL)]) == [View(Form.ORIGINAL)]
    render(mail_, View(Form.ORIGINAL))
    assert unprepared(mail_, [second, View(Form.ORIGINAL)]) == []


def test_a_mail_to_thousands_is_not_quick() -> None:
    many = envelope(*(f"r{number}@example.com" for number in range(QUICK_RECIPIENTS + 1)))
    assert is_quick(original(RAW, TWO, decision(count=2)))
    assert not is_quick(original(RAW, many, decision(count=QUICK_RECIPIENTS + 1)))
