"""From a raw mail to the copies that leave: nobody outside is shown to another, no field is invented, the body is the body.

The checker of leaks shares no code with the product. The first octet chooses between Bcc and individual copies, and whether
people inside are hidden, too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from gateway.message.gather import gather
from gateway.message.header import split
from gateway.policy.decide import decide
from gateway.policy.demands import Form
from gateway.policy.load import load_policy
from gateway.receive.content import content_reply
from gateway.transform.render import prepare, render
from gateway.transform.view import view_of
from tests.transform.leaks import fields, leaks
from tests.transform.sample import envelope

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OUTSIDE = ("ana@one.example.com", "ben@two.example.net", "carl@three.example.org")
SENT = envelope(*OUTSIDE, "chief@city.example.lg.jp")
OURS = {"received", "date", "message-id", "to", "x-route"}
_LOOSE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")
_POLICY = """
version: 1
organisation: {{name: x, internal: [sports.example.jp, city.example.lg.jp]}}
rules:
  - id: hide
    reason: always
    then: {{recipients: {{for: external, form: {form}, internal: {internal}}}, tag: {{X-Route: fuzz}}}}
"""
POLICIES = [
    load_policy({"policy.yaml": _POLICY.format(form=form, internal=internal)})
    for form in ("bcc", "individual")
    for internal in ("keep", "hide")
]


def check(octets: bytes) -> None:
    raw = octets[1:]
    if not octets or content_reply(raw, 50) is not None:
        return  # such a mail is never taken
    decision = decide(gather(SENT, raw), POLICIES[octets[0] % len(POLICIES)], NOW)
    original = prepare(raw, SENT, decision, "Q1", NOW, "gate.example.jp")
    header, body_at = split(raw)
    names = {field.name for field in header.fields} | OURS
    for index, recipient in enumerate(SENT.recipients):
        view = view_of(decision, index, recipient)
        copy = render(original, view)
        assert bytes(copy.body) == raw[body_at:]
        assert copy.header.endswith(b"\r\n\r\n")
        assert _LOOSE_END.search(copy.header) is None
        assert b"\r\n\r\n" not in copy.header[:-2], "the header section ends early"
        if view.form is not Form.ORIGINAL:
            assert {name for name, _ in fields(copy.header)} <= names
            own = {str(recipient)} if view.own is not None else set()
            authors = [address.key for address in original.author.own]
            hidden = [o for o in OUTSIDE if o not in own and not any(o in author for author in authors)]
            assert leaks(copy.header, hidden) == []
