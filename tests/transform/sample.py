"""Envelopes, decisions and times for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.message.address import Address, parse_path
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome, ToLine
from gateway.policy.demands import Demands, Form
from gateway.transform.render import Original, prepare, render
from gateway.transform.view import View, view_of

WHEN = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
HOST = "gate.example.jp"
QUEUE_ID = "Q7F3A"
SENDER = "office@sports.example.jp"
INTERNAL = ("sports.example.jp", "city.example.lg.jp", ".city.example.lg.jp")


def envelope(
    *recipients: str, sender: str | None = SENDER, smtputf8: bool = False, client: Client | None = None
) -> Envelope:
    return Envelope(
        sender=None if sender is None else parse_path(sender),
        recipients=tuple(parse_path(each) for each in recipients),
        client=client or Client(ip="192.0.2.7", helo="pc12.sports.example.jp"),
        smtputf8=smtputf8,
    )


def decision(
    form: Form = Form.BCC,
    *,
    count: int = 1,
    companions: Iterable[str] = (),
    hide_internal: bool = False,
    tags: Iterable[tuple[str, str]] = (),
    to_group: str | None = None,
) -> Decision:
    demands = Demands(form=form, hide_internal=hide_internal, tags=frozenset(tags))
    outcome = Outcome(external=True, demands=demands, companions=tuple(companions))
    return Decision("digest", (outcome,), (0,) * count, internal=INTERNAL, to_line=ToLine(to_group))


def original(raw: bytes, sent: Envelope, decided: Decision) -> Original:
    return prepare(raw, sent, decided, QUEUE_ID, WHEN, HOST)


def view(decided: Decision, recipient: Address) -> View:
    return view_of(decided, 0, recipient)


def copy_of(raw: bytes, sent: Envelope, decided: Decision, index: int = 0) -> bytes:
    """Return the whole copy for one recipient."""
    return render(original(raw, sent, decided), view_of(decided, index, sent.recipients[index])).to_bytes()


def header_of(raw: bytes, sent: Envelope, decided: Decision, index: int = 0) -> bytes:
    """Return the header section of the copy for one recipient."""
    return render(original(raw, sent, decided), view_of(decided, index, sent.recipients[index])).header


def mail(*lines: str, body: str = "本文\r\n") -> bytes:
    """Write a mail from header lines; non-ASCII goes out as UTF-8."""
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body.encode()
