"""What rules change about what leaves, on the wire: copies, routes and texts under the mail, to scripted next hops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.delivery.hop import Hop
from gateway.delivery.route import Router
from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands, Form
from gateway.policy.disclaimers import Disclaimer
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.values import NewMessage
from gateway.transform import render as rendering
from gateway.transform.disclaiming import Disclaimed, disclaimed
from tests.delivery.conftest import NoDns
from tests.delivery.next_hop import NextHop, running
from tests.release.test_dispatch import BODY, SENDER, furnished, new_mail, states

TEXT = Disclaimer("note", "この文面は付け足されました。")


def asking(mail: NewMessage, *asked: Demands, copied: int = 0) -> NewMessage:
    """Return the mail with demands for each of its recipients."""
    outcomes = tuple(dict.fromkeys(Outcome(True, each) for each in asked))
    assigned = tuple(outcomes.index(Outcome(True, each)) for each in asked)
    texts = (TEXT,) if any(each.disclaimers for each in asked) else ()
    decision = replace(mail.decision, outcomes=outcomes, assigned=assigned, texts=texts, copied=copied)
    return replace(mail, decision=decision)


async def test_a_copy_leaves_by_itself_from_the_null_sender(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        stored = await house.send(asking(new_mail(3), *[Demands()] * 3, copied=1))
        assert states(stored) == [State.DELIVERED] * 3
        assert sorted((taken.mail_from.partition(" ")[0], taken.rcpt_to) for taken in house.hop.taken) == [
            ("<>", ["<r2@example.com>"]),
            (f"<{SENDER}>", ["<r0@example.com>", "<r1@example.com>"]),
        ]


@pytest.mark.parametrize("form", [Form.ORIGINAL, Form.INDIVIDUAL])
async def test_ways_never_share_an_envelope(tmp_path: Path, form: Form) -> None:
    usual, archive = NextHop(), NextHop()
    async with running(archive), furnished(tmp_path, usual) as house:
        router = Router(
            "gw.example.jp",
            NoDns(),
            Hop("127.0.0.1", usual.port, tls="off"),
            lambda _: None,
            named={"archive": Hop("127.0.0.1", archive.port, tls="off")},
        )
        house.dispatcher.router = router
        house.dispatcher.courier._router = router
        by_archive = Demands(form=form, routes=frozenset({"archive"}))
        mail = asking(new_mail(4), by_archive, Demands(form=form), by_archive, Demands(form=form))
        stored = await house.send(mail)
    assert states(stored) == [State.DELIVERED] * 4
    there = sorted(path for taken in archive.taken for path in taken.rcpt_to)
    here = sorted(path for taken in usual.taken for path in taken.rcpt_to)
    assert there == ["<r0@example.com>", "<r2@example.com>"]
    assert here == ["<r1@example.com>", "<r3@example.com>"]


async def test_an_unknown_way_waits_and_the_others_leave(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        mail = asking(new_mail(2), Demands(routes=frozenset({"gone"})), Demands())
        stored = await house.send(mail)
        assert states(stored) == [State.DEFERRED, State.DELIVERED]
        assert "delivery.routes.gone" in stored.recipients[0].reply
        assert [taken.rcpt_to for taken in house.hop.taken] == [["<r1@example.com>"]]


async def test_a_text_stands_under_the_copies_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(raw: bytes, texts: Sequence[Disclaimer]) -> Disclaimed:
        made.append(1)
        return disclaimed(raw, texts)

    monkeypatch.setattr(rendering, "disclaimed", counted)
    under = Demands(form=Form.INDIVIDUAL, disclaimers=frozenset({"note"}))
    async with furnished(tmp_path, NextHop()) as house:
        stored = await house.send(asking(new_mail(40), *[under] * 39, Demands()))
        assert states(stored) == [State.DELIVERED] * 40
        bodies = {taken.rcpt_to[0]: taken.content for taken in house.hop.taken}
    plain = bodies.pop("<r39@example.com>")
    assert plain.endswith(b"\r\n\r\n" + BODY)
    assert b"charset=utf-8" not in plain
    assert len({content.partition(b"\r\n\r\n")[2] for content in bodies.values()}) == 1
    for path, content in bodies.items():
        header = content.partition(b"\r\n\r\n")[0]
        assert b"Content-Type: text/plain; charset=utf-8" in " ".join(header.decode().split()).encode()
        assert header.count(b"@example.com") == header.count(path.strip("<>").encode()) == 1
    assert made == [1]


async def test_a_bounced_copy_tells_nobody(tmp_path: Path) -> None:
    def script(line: str, number: int) -> str | None:
        return "550 5.1.1 no such user" if line.startswith("RCPT TO:<r1@") else None

    async with furnished(tmp_path, NextHop(script)) as house:
        stored = await house.send(asking(new_mail(2), Demands(), Demands(), copied=1))
        assert states(stored) == [State.DELIVERED, State.BOUNCED]
        kinds = [(notice.kind, notice.recipients) for notice in await house.spool.notices.pending(9)]
        assert kinds in ([], [(NoticeKind.FAILED, (1,))])
