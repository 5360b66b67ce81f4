"""The client against a scripted next hop: what it says, what it makes of the answers, and what arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.delivery.timeouts import Timeouts
from tests.delivery.conftest import HEADER, QUICK, connected, mail
from tests.delivery.next_hop import CLOSE, EXTENSIONS, HANG, NextHop

SHORT = replace(QUICK, greeting=0.2, command=0.2, data=0.2, final=0.2)
WITHOUT_PIPELINING = tuple(e for e in EXTENSIONS if e != "PIPELINING")
BOTH_WAYS = pytest.mark.parametrize(
    "extensions", [EXTENSIONS, WITHOUT_PIPELINING], ids=["pipelined", "stop-and-wait"]
)


def on(start: str, reply: str, times: int = 1000) -> Callable[[str, int], str | None]:
    """Script: give this reply to the first `times` commands that begin so."""
    return lambda line, number: reply if line.startswith(start) and number < times else None


@BOTH_WAYS
async def test_one_transaction_carries_all_recipients_and_every_octet(extensions: tuple[str, ...]) -> None:
    body = b".\r\n..\r\n.x\r\nplain\r\n\r\n.\r\nlast"
    async with connected(NextHop(extensions=extensions)) as line:
        outgoing = mail("a@example.com", "b@example.net", body=body)
        assert await line.states(outgoing) == ["delivered", "delivered"]
        [taken] = line.hop.taken
        assert taken.rcpt_to == ["<a@example.com>", "<b@example.net>"]
        assert taken.mail_from == f"<s@example.jp> SIZE={len(HEADER) + len(body)}"
        assert taken.content == HEADER + body + b"\r\n"
        assert taken.data.startswith(HEADER + b"..\r\n...\r\n..x\r\n")


async def test_a_session_is_reused_without_reset() -> None:
    async with connected(NextHop()) as line:
        for _ in range(5):
            assert await line.states(mail()) == ["delivered"]
        assert line.hop.connections == 1
        assert "RSET" not in line.hop.lines


@BOTH_WAYS
@pytest.mark.parametrize("data", ["354 go\r\n250 2.0.0 queued", "354 go\r\n354 go on"])
async def test_a_reply_before_the_end_of_the_message_is_no_receipt(
    data: str, extensions: tuple[str, ...]
) -> None:
    """A peer that says 250 too early and then refuses has not taken the mail."""
    hop = NextHop(lambda line, n: {"DATA": data, "END": "552 5.3.4 no"}.get(line), extensions)
    async with connected(hop) as line:
        assert await line.states(mail()) == ["deferred"]


async def test_a_message_that_is_neither_taken_nor_refused_ends_the_session() -> None:
    async with connected(NextHop(on("END", "354 what", 1))) as line:
        assert await line.states(mail()) == ["deferred"]
        assert await line.states(mail()) == ["delivered"]
        assert line.hop.connections == 2


async def test_the_null_sender_leaves_as_an_empty_path() -> None:
    async with connected(NextHop()) as line:
        await line.send(mail(sender=None))
        assert line.hop.taken[0].mail_from.startswith("<> ")


CASES = [
    # what the next hop answers                        , states of two recipients     , reason
    (on("RCPT TO:<a@", "550 5.1.1 no such user"), ["bounced", "delivered"], "remote-reply"),
    (on("RCPT TO:<a@", "450 4.2.0 grey-listed"), ["deferred", "delivered"], "remote-reply"),
    (on("RCPT", "550 5.1.1 nobody here"), ["bounced", "bounced"], "remote-reply"),
    (on("RCPT TO:<a@", "552 5.2.2 mailbox full"), ["bounced", "delivered"], "remote-reply"),
    (on("MAIL", "550 5.7.1 we do not like you"), ["bounced", "bounced"], "remote-reply"),
    (on("MAIL", "451 4.3.0 try later"), ["deferred", "deferred"], "remote-reply"),
    (on("MAIL", "530 5.7.0 authenticate first"), ["deferred", "deferred"], "remote-reply"),
    (on("DATA", "554 5.7.1 no"), ["bounced", "bounced"], "remote-reply"),
    (on("DATA", "451 4.3.0 no disk"), ["deferred", "deferred"], "remote-reply"),
    (on("END", "554 5.7.1 spam"), ["bounced", "bounced"], "remote-reply"),
    (on("END", "452 4.3.1 full"), ["deferred", "deferred"], "remote-reply"),
    (on("END", "421 4.3.2 shutting down"), ["deferred", "deferred"], "remote-reply"),
    (on("GREETING", "554 no SMTP here"), ["deferred", "deferred"], "remote-reply"),
    (on("GREETING", "421 busy"), ["deferred", "deferred"], "remote-reply"),
    (on("RCPT", "421 4.3.2 going down"), ["deferred", "deferred"], "remote-reply"),
    (on("GREETING", "SSH-2.0-OpenSSH_9"), ["deferred", "deferred"], "no-connection"),
    (on("RCPT TO:<b@", "%%% garbage"), ["deferred", "deferred"], "no-connection"),
    (on("END", "999 what?"), ["deferred", "deferred"], "no-answer"),
    (on("END", "550-one\r\n250 two"), ["deferred", "deferred"], "no-answer"),
    (on("MAIL", "250-never ends\r\n" + "250-more\r\n" * 200), ["deferred", "deferred"], "no-connection"),
    (on("MAIL", "250 " + "x" * 5000), ["deferred", "deferred"], "no-connection"),
    (on("GREETING", CLOSE), ["deferred", "deferred"], "no-connection"),
    (on("RCPT", CLOSE), ["deferred", "deferred"], "no-connection"),
    (on("END", CLOSE), ["deferred", "deferred"], "no-answer"),
    (on("DATA", "250 what"), ["deferred", "deferred"], "no-connection"),
]


@BOTH_WAYS
@pytest.mark.parametrize(("script", "states", "reason"), CASES)
async def test_what_is_made_of_an_answer(
    script: Callable[[str, int], str | None], states: list[str], reason: str, extensions: tuple[str, ...]
) -> None:
    async with connected(NextHop(script, extensions)) as line:
        delivery = await line.send(mail("a@example.com", "b@example.net"))
        assert [verdict.state.value for verdict in delivery.verdicts] == states
        assert delivery.verdicts[0].reason.value == reason
        assert len([taken for taken in line.hop.taken if taken.data]) == states.count("delivered")


@BOTH_WAYS
@pytest.mark.parametrize("where", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "END"])
async def test_a_peer_that_hangs_is_left(where: str, extensions: tuple[str, ...]) -> None:
    async with connected(NextHop(on(where, HANG), extensions), timeouts=SHORT) as line:
        [verdict] = (await line.send(mail())).verdicts
        reason = "no-answer" if where == "END" else "no-connection"
        assert (verdict.state.value, verdict.reason.value) == ("deferred", reason)


async def test_the_whole_transaction_has_a_deadline() -> None:
    slow = Timeouts(connect=2, greeting=2, command=2, data=2, block=2, final=9, transaction=0.3)
    async with connected(NextHop(on("END", HANG)), timeouts=slow) as line:
        [verdict] = (await line.send(mail())).verdicts
        assert verdict.state.value == "deferred"
        assert verdict.reason.value == "no-answer"
        assert "not finished" in verdict.reply


async def test_a_peer_that_drips_comes_to_an_end() -> None:
    """Each octet comes in time; the reply does not."""
    slow = replace(QUICK, transaction=0.4)
    async with connected(NextHop(), timeouts=slow) as line:
        assert await line.states(mail("a@example.com")) == ["delivered"]
        line.hop.drip, line.hop.pause = True, 0.1
        [verdict] = (await line.send(mail("b@example.com"))).verdicts
        assert (verdict.state.value, verdict.reason.value) == ("deferred", "no-connection")
        assert len(line.hop.taken) == 1


async def test_a_session_that_opens_by_drips_comes_to_an_end() -> None:
    hop = NextHop(drip=True, pause=0.05)
    async with connected(hop, timeouts=replace(QUICK, transaction=0.3)) as line:
        [verdict] = (await line.send(mail())).verdicts
        assert (verdict.state.value, verdict.reason.value) == ("deferred", "no-connection")
        assert "in the time for a transaction" in verdict.reply


async def test_a_deadline_in_the_second_turn_takes_nothing_back() -> None:
    def script(line: str, number: int) -> str | None:
        if line.startswith("RCPT TO:<b@") and number < 2:
            return "452 4.5.3 too many recipients"
        return HANG if line.startswith("MAIL") and number == 1 else None

    slow = Timeouts(connect=2, greeting=2, command=9, data=2, block=2, final=9, transaction=0.5)
    async with connected(NextHop(script), timeouts=slow) as line:
        first, second = (await line.send(mail("a@example.com", "b@example.com"))).verdicts
        assert first.state.value == "delivered"
        assert (second.state.value, second.reason.value) == ("deferred", "no-connection")


async def test_a_late_250_is_never_taken_for_the_next_mails_reply() -> None:
    hop = NextHop(delay=0.4)
    async with connected(hop, timeouts=SHORT) as line:
        assert await line.states(mail("a@example.com")) == ["deferred"]
        hop.delay = 0.0
        hop.script = on("RCPT", "550 5.1.1 no such user")
        assert await line.states(mail("b@example.com")) == ["bounced"]
        assert hop.connections == 2


@BOTH_WAYS
async def test_data_let_in_without_recipients_sends_nothing(extensions: tuple[str, ...]) -> None:
    def script(line: str, number: int) -> str | None:
        if line.startswith("RCPT") and number == 0:
            return "550 5.1.1 no such user"
        return "354 go on" if line == "DATA" else None

    async with connected(NextHop(script, extensions)) as line:
        assert await line.states(mail("a@example.com")) == ["bounced"]
        assert await line.states(mail("b@example.com")) == ["delivered"]
        assert [taken.content for taken in line.hop.taken if taken.rcpt_to] == [HEADER + b"hello\r\n"]
        assert all(taken.data == b"" for taken in line.hop.taken if not taken.rcpt_to)
        assert line.hop.connections == 1


@BOTH_WAYS
async def test_an_unfinished_transaction_is_reset_before_the_next(extensions: tuple[str, ...]) -> None:
    script = on("RCPT", "550 5.1.1 no such user", times=1)
    async with connected(NextHop(script, extensions)) as line:
        assert await line.states(mail("a@example.com")) == ["bounced"]
        assert await line.states(mail("b@example.com")) == ["delivered"]
        assert line.hop.lines.count("RSET") == 1
        assert line.hop.connections == 1


@pytest.mark.parametrize("reply", ["452 4.5.3 too many recipients", "452 too many", "552 too many"])
@BOTH_WAYS
async def test_a_lower_limit_of_recipients_makes_more_transactions(
    reply: str, extensions: tuple[str, ...]
) -> None:
    hop = NextHop(extensions=extensions)

    def script(line: str, number: int) -> str | None:
        if line.startswith("MAIL"):
            hop.counts["RCPT"] = 0
        return reply if line.startswith("RCPT") and number >= 3 else None

    hop.script = script
    async with connected(hop) as line:
        people = [f"p{number}@example.com" for number in range(8)]
        assert await line.states(mail(*people)) == ["delivered"] * 8
        assert [len(taken.rcpt_to) for taken in hop.taken] == [3, 3, 2]
        assert [path for taken in hop.taken for path in taken.rcpt_to] == [f"<{each}>" for each in people]


async def test_a_full_transaction_that_serves_nobody_is_put_off() -> None:
    async with connected(NextHop(on("RCPT", "452 4.5.3 too many recipients"))) as line:
        assert await line.states(mail("a@example.com", "b@example.com")) == ["deferred", "deferred"]
        assert line.hop.counts["MAIL"] == 1


async def test_a_failure_after_the_first_turn_does_not_undo_it() -> None:
    def script(line: str, number: int) -> str | None:
        if line.startswith("RCPT TO:<b@") and number < 2:
            return "452 4.5.3 too many recipients"
        return CLOSE if line.startswith("MAIL") and number == 1 else None

    async with connected(NextHop(script)) as line:
        states = await line.states(mail("a@example.com", "b@example.com"))
        assert states[0] == "delivered"
        assert line.hop.taken[0].rcpt_to == ["<a@example.com>"]
        assert sum("<a@example.com>" in taken.rcpt_to for taken in line.hop.taken) == 1


async def test_replies_that_drip_in_are_read() -> None:
    async with connected(NextHop(drip=True)) as line:
        assert await line.states(mail("a@example.com", "b@example.com")) == ["delivered", "delivered"]


async def test_a_large_body_arrives_whole() -> None:
    body = b"".join(b".%d\r\n%s\r\n" % (n, b"x" * 70) for n in range(20_000))
    async with connected(NextHop()) as line:
        assert await line.states(mail(body=body)) == ["delivered"]
        assert line.hop.taken[0].content == HEADER + body


async def test_a_refusal_while_the_body_is_sent_counts() -> None:
    def script(line: str, number: int) -> str | None:
        return "354 go\r\n552 5.3.4 too large" if line == "DATA" else None

    async with connected(NextHop(script)) as line:
        [verdict] = (await line.send(mail(body=b"y\r\n" * 500_000))).verdicts
        assert (verdict.state.value, verdict.enhanced) == ("bounced", "5.3.4")


async def test_bare_line_ends_never_leave() -> None:
    for body in (b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\n", b"x" * 300_000 + b"\r"):
        async with connected(NextHop()) as line:
            [verdict] = (await line.send(mail(body=body))).verdicts
            assert (verdict.state.value, verdict.reason.value) == ("deferred", "system")
            assert line.hop.taken == []


async def test_a_control_character_in_an_address_never_leaves() -> None:
    async with connected(NextHop()) as line:
        assert await line.states(mail("a@example.com>\r\nRCPT TO:<b@example.com")) == ["deferred"]
        assert line.hop.taken == []
        assert not any("b@example.com" in text for text in line.hop.lines)


async def test_helo_where_ehlo_is_unknown() -> None:
    async with connected(NextHop(on("EHLO", "502 5.5.1 what?"))) as line:
        assert await line.states(mail()) == ["delivered"]
        assert "HELO gw.example.jp" in line.hop.lines
        assert line.hop.taken[0].mail_from == "<s@example.jp>"


def lacking(*missing: str) -> NextHop:
    return NextHop(extensions=tuple(e for e in EXTENSIONS if e not in missing))


async def test_eight_bit_mail_needs_8bitmime() -> None:
    eight_bit = mail(body="本文\r\n".encode())
    async with connected(NextHop()) as line:
        assert await line.states(eight_bit) == ["delivered"]
        assert line.hop.taken[0].mail_from.endswith(" BODY=8BITMIME")
    async with connected(lacking("8BITMIME")) as line:
        [verdict] = (await line.send(eight_bit)).verdicts
        assert (verdict.state.value, verdict.reason.value, verdict.enhanced) == (
            "bounced",
            "unsupported",
            "5.6.3",
        )
        assert line.hop.taken == []


async def test_only_the_internationalised_recipient_bounces_where_smtputf8_is_missing() -> None:
    async with connected(lacking("SMTPUTF8")) as line:
        delivery = await line.send(mail("名前@example.com", "b@example.com"))
        assert [verdict.state.value for verdict in delivery.verdicts] == ["bounced", "delivered"]
        assert delivery.verdicts[0].enhanced == "5.6.7"
        assert line.hop.taken[0].rcpt_to == ["<b@example.com>"]
        assert "SMTPUTF8" not in line.hop.taken[0].mail_from


async def test_declared_utf8_header_needs_smtputf8() -> None:
    utf8 = mail(header="Subject: 件名\r\n\r\n".encode(), smtputf8=True)
    async with connected(NextHop()) as line:
        assert await line.states(utf8) == ["delivered"]
        assert line.hop.taken[0].mail_from.endswith(" BODY=8BITMIME SMTPUTF8")
    async with connected(lacking("SMTPUTF8")) as line:
        [verdict] = (await line.send(utf8)).verdicts
        assert (verdict.state.value, verdict.enhanced) == ("bounced", "5.6.7")


async def test_undeclared_raw_header_is_eight_bit_data() -> None:
    raw = mail(header="Subject: 件名\r\n\r\n".encode("shift_jis"))
    async with connected(lacking("SMTPUTF8")) as line:
        assert await line.states(raw) == ["delivered"]
        assert line.hop.taken[0].mail_from.endswith(" BODY=8BITMIME")
