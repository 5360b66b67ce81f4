"""What of the sender's requests goes on to a next hop: as it came, to those who offer DSN, and of each recipient its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.hop import Capabilities
from gateway.delivery.mail import Outgoing, plan
from gateway.message.address import Address
from gateway.message.status_request import (
    NOTHING_ASKED,
    NOTHING_SAID,
    MailRequest,
    Notify,
    RecipientRequest,
    Return,
    read_original,
)
from tests.delivery.conftest import Connect, mail
from tests.delivery.next_hop import EXTENSIONS, NextHop

DSN = Capabilities({"DSN": ""})
A, B = "a@example.com", "b@example.net"


def asking(
    *requests: RecipientRequest, about: MailRequest = NOTHING_SAID, to: tuple[str, ...] = (A, B)
) -> Outgoing:
    return replace(mail(*to), asked=about, requests=requests)


@pytest.mark.parametrize(
    ("about", "command"),
    [
        (NOTHING_SAID, "MAIL FROM:<s@example.jp>"),
        (MailRequest(Return.HEADERS), "MAIL FROM:<s@example.jp> RET=HDRS"),
        (MailRequest(Return.FULL, "Job 7=+"), "MAIL FROM:<s@example.jp> RET=FULL ENVID=Job+207+3D+2B"),
        (MailRequest(None, "x"), "MAIL FROM:<s@example.jp> ENVID=x"),
    ],
)
def test_what_is_said_of_the_mail_goes_on_as_it_came(about: MailRequest, command: str) -> None:
    assert plan(asking(about=about), DSN).mail_from == command
    assert plan(asking(about=about), Capabilities()).mail_from == "MAIL FROM:<s@example.jp>"


@pytest.mark.parametrize(
    ("request_", "parameters"),
    [
        (NOTHING_ASKED, ""),
        (RecipientRequest(Notify.NEVER), " NOTIFY=NEVER"),
        (RecipientRequest(Notify(7)), " NOTIFY=SUCCESS,FAILURE,DELAY"),
        (RecipientRequest(None, "rfc822", "A@Example.com"), " ORCPT=rfc822;A@Example.com"),
        (RecipientRequest(Notify.DELAY, "utf-8", A), f" NOTIFY=DELAY ORCPT=utf-8;{A}"),
        (RecipientRequest(Notify.DELAY, "rfc822", B), " NOTIFY=DELAY"),
        (RecipientRequest(None, "x400", A), ""),
    ],
)
def test_what_is_asked_of_a_recipient_goes_on_with_it_alone(
    request_: RecipientRequest, parameters: str
) -> None:
    steps = plan(asking(request_, NOTHING_ASKED), DSN)
    assert steps.rcpt_to == {0: f"RCPT TO:<{A}>{parameters}", 1: f"RCPT TO:<{B}>"}
    without = plan(asking(request_, NOTHING_ASKED), Capabilities({"SIZE": ""}))
    assert without.rcpt_to == {0: f"RCPT TO:<{A}>", 1: f"RCPT TO:<{B}>"}


people = st.sampled_from(
    ["a@example.com", "b@example.net", "c@example.org", "+=@example.com", "%@example.com"]
)
requests = st.builds(
    RecipientRequest,
    st.none() | st.integers(0, 7).map(Notify),
    st.sampled_from(["rfc822", "utf-8", "x400"]),
    people
    | st.tuples(people, people).map(", ".join)
    | st.tuples(people, people).map(lambda two: f"@{two[0]}:{two[1]}"),
)


@given(st.lists(st.tuples(people, requests), min_size=1, unique_by=lambda pair: pair[0]))
def test_no_command_shows_an_address_but_its_recipient_s(pairs: list[tuple[str, RecipientRequest]]) -> None:
    steps = plan(asking(*(wish for _, wish in pairs), to=tuple(to for to, _ in pairs)), DSN)
    for number, (to, _) in enumerate(pairs):
        command = steps.rcpt_to[number]
        path, _, rest = command.removeprefix("RCPT TO:<").partition(">")
        assert path == to
        if "ORCPT=" in rest:
            assert read_original(rest.partition("ORCPT=")[2])[1] == to
        assert "\r" not in command
        assert command.isascii()


def test_some_recipients_of_a_mail_keep_what_was_asked_of_them() -> None:
    many = asking(*(RecipientRequest(Notify(number)) for number in range(3)), to=(A, B, "c@example.org"))
    some = many.only([2, 0])
    assert some.recipients == (Address("c", "example.org"), Address("a", "example.com"))
    assert [some.request(number).notify for number in (0, 1)] == [Notify(2), Notify(0)]
    assert mail(A, B).only([1]).requests == ()


async def test_a_second_turn_asks_of_each_recipient_what_the_first_did(connect: Connect) -> None:
    def one_at_a_time(line: str, number: int) -> str | None:
        if not line.startswith("RCPT"):
            return None
        taken = [command for command in hop.lines if command.startswith("RCPT")]
        since = hop.lines[::-1].index(next(each for each in hop.lines[::-1] if each.startswith("MAIL")))
        return "452 4.5.3 too many recipients" if taken and since > 1 else None

    hop = NextHop(one_at_a_time, extensions=(*EXTENSIONS, "DSN"))
    wishes = RecipientRequest(Notify.SUCCESS, "rfc822", A), RecipientRequest(Notify.NEVER, "rfc822", B)
    async with connect(hop) as line:
        delivery = await line.send(asking(*wishes, about=MailRequest(Return.HEADERS, "7")))
    assert [verdict.state.value for verdict in delivery.verdicts] == ["delivered"] * 2
    assert all(verdict.tells for verdict in delivery.verdicts)
    commands = [command.partition(" ")[2] for command in hop.lines if command.startswith("RCPT")]
    first, second = f"TO:<{A}> NOTIFY=SUCCESS ORCPT=rfc822;{A}", f"TO:<{B}> NOTIFY=NEVER ORCPT=rfc822;{B}"
    assert commands == [first, second, second]
    mails = [command for command in hop.lines if command.startswith("MAIL")]
    assert len(mails) == 2
    assert all(command.endswith(" RET=HDRS ENVID=7") for command in mails)


@pytest.mark.parametrize("offers", [False, True])
async def test_the_verdict_tells_whether_the_next_hop_will_tell(connect: Connect, offers: bool) -> None:
    extensions = (*EXTENSIONS, "DSN") if offers else EXTENSIONS
    async with connect(NextHop(extensions=extensions)) as line:
        [verdict] = (await line.send(mail(A))).verdicts
    assert verdict.tells is offers
