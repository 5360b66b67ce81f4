"""Who tells the sender of a success: the next hop where it offers DSN, we where it does not, nobody where it was not asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.message.status_request import NOTHING_ASKED, MailRequest, Notify, RecipientRequest, Return
from gateway.policy.demands import Form
from gateway.spool.notice import NoticeKind
from gateway.spool.values import NewMessage
from tests.delivery.next_hop import EXTENSIONS, NextHop
from tests.release.test_dispatch import furnished, new_mail

WITH_DSN = (*EXTENSIONS, "DSN")
ASKED = (
    RecipientRequest(Notify.SUCCESS, "rfc822", "r0@example.com"),
    NOTHING_ASKED,
    RecipientRequest(Notify.NEVER),
    RecipientRequest(Notify.SUCCESS | Notify.FAILURE, "rfc822", "hidden@example.net"),
)


def asking(form: Form = Form.BCC) -> NewMessage:
    new = new_mail(4, form=form)
    about = MailRequest(Return.HEADERS, "Job7")
    return replace(new, envelope=replace(new.envelope, asked=about, requests=ASKED))


@pytest.mark.parametrize("form", [Form.BCC, Form.INDIVIDUAL])
async def test_a_next_hop_without_dsn_learns_nothing_and_we_tell(tmp_path: Path, form: Form) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        await house.send(asking(form))
        told = [number for n in await house.spool.notices.pending(9) for number in n.recipients]
        assert {n.kind for n in await house.spool.notices.pending(9)} == {NoticeKind.RELAYED}
        assert sorted(told) == [0, 3]
        assert house.rings
        envelopes = [line for line in house.hop.lines if line.startswith(("MAIL", "RCPT"))]
        assert not any(word in line for line in envelopes for word in ("NOTIFY", "ORCPT", "RET", "ENVID"))


@pytest.mark.parametrize("form", [Form.BCC, Form.INDIVIDUAL])
async def test_a_next_hop_with_dsn_is_asked_to_tell_and_we_do_not(tmp_path: Path, form: Form) -> None:
    async with furnished(tmp_path, NextHop(extensions=WITH_DSN)) as house:
        await house.send(asking(form))
        assert await house.spool.notices.pending(9) == []
        assert house.rings == []
        commands = {line for line in house.hop.lines if line.startswith("RCPT")}
        assert commands == {
            "RCPT TO:<r0@example.com> NOTIFY=SUCCESS ORCPT=rfc822;r0@example.com",
            "RCPT TO:<r1@example.com>",
            "RCPT TO:<r2@example.com> NOTIFY=NEVER",
            "RCPT TO:<r3@example.com> NOTIFY=SUCCESS,FAILURE",  # its ORCPT names somebody else
        }
        mails = [line for line in house.hop.lines if line.startswith("MAIL")]
        assert all(line.endswith(" RET=HDRS ENVID=Job7") for line in mails)
        assert "hidden@" not in "".join(house.hop.lines)
        assert all(b"hidden@" not in taken.content for taken in house.hop.taken)


async def test_nobody_is_told_of_what_did_not_succeed(tmp_path: Path) -> None:
    hop = NextHop(lambda line, number: "450 4.2.0 later" if line.startswith("RCPT") else None)
    async with furnished(tmp_path, hop) as house:
        await house.send(asking())
        assert await house.spool.notices.pending(9) == []


async def test_the_null_sender_is_told_nothing(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        new = asking()
        await house.send(replace(new, envelope=replace(new.envelope, sender=None)))
        assert await house.spool.notices.pending(9) == []
