"""Every shipped policy, end to end through the pure rooms: mail is drawn, decided and rendered, and read by another reader.

Who may stand in a copy is worked out here anew, from docs/policy.md alone: by which addresses the drawn mail placed where.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.policy_files import read_files
from gateway.message.envelope import Envelope
from gateway.message.gather import gather
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.demands import Form
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.stored_decision import from_json, to_json
from gateway.transform.render import render
from gateway.transform.view import view_of
from tests.thoroughness import examples
from tests.transform.leaks import addresses, fields, leaks
from tests.transform.sample import WHEN, envelope, original

POLICIES = Path(__file__).parents[2] / "policies"
CIRCLE = ("chair@example.com", "secretary@example.net", "treasurer@example.org")
OUTSIDE = (
    *CIRCLE,
    "ana@example.com",
    "hanna@example.com",
    "b.o'neill@freemail.example.com",
    "chair@example.net",
)
INSIDE = {
    "circles": ("desk@sports.example.jp", "chief@sports.example.jp"),
    "school-bulk": ("desk@office.school.example.lg.jp", "teacher@junior.school.example.lg.jp"),
    "tag": ("desk@city.example.lg.jp", "chief@city.example.lg.jp"),
    "firm-window": ("desk@city.example.lg.jp", "chief@city.example.lg.jp"),
    "attachments": ("desk@city.example.lg.jp", "chief@city.example.lg.jp"),
    "two-tiers": ("desk@sports.example.jp", "chief@sports.example.jp"),
}
KEEPS_INTERNAL = {"circles"}
TAGS = ("X-Classification", "X-File-Number", "X-Origin")
LOWER_TAGS = {tag.lower() for tag in TAGS}
PROGRAMS = ("設定.ＥＸＥ", "run.Js")
FILES = ("", "図面.pdf", "会員名簿.xlsx", *PROGRAMS)
SHOWING = {"to", "cc", "reply-to", "resent-to", "x-original-to", "delivered-to", "errors-to", "apparently-to",
           "disposition-notification-to"}  # fmt: skip


def policy_of(name: str) -> Policy:
    return load_policy(read_files(POLICIES / "examples" / name))


LOADED = {name: policy_of(name) for name in INSIDE}


def hides(folder: Path) -> bool:
    """Tell whether a rule of the folder changes the header section of a copy."""
    policy = load_policy(read_files(folder))
    return any(ask.demands.form or ask.demands.tags for rule in policy.rules for ask in rule.asks)


def test_every_example_that_changes_copies_is_looked_at() -> None:
    folders = (POLICIES / "examples").iterdir()
    assert {folder.name for folder in folders if hides(folder)} <= set(INSIDE)


@dataclass(frozen=True)
class Draft:
    """A mail with what the one who drew it knows: `shown` in To or Cc, `seen` in any field that tells people."""

    sender: str
    shown: frozenset[str]
    seen: frozenset[str]
    envelope: Envelope
    raw: bytes
    file: str


@st.composite
def drafts(draw: st.DrawFn, name: str, files: bool = False) -> Draft:
    sender, colleague = INSIDE[name]
    people = st.lists(st.sampled_from((*OUTSIDE, colleague)), max_size=5, unique=True)
    to, cc, bcc = draw(people), draw(people), draw(people)
    everybody = list(dict.fromkeys((*to, *cc, *bcc))) or [OUTSIDE[0]]
    file = draw(st.sampled_from(FILES)) if files else ""
    lines = [f"From: {draw(st.sampled_from(['', '事務局 ', 'office ']))}<{sender}>"]
    lines += [listed(draw, field, group) for field, group in (("To", to), ("Cc", cc), ("Bcc", bcc)) if group]
    lines += draw(st.lists(extra_lines(everybody), max_size=5)) if not files else []
    lines = draw(st.permutations(lines))
    seen = {who for line in lines if line.partition(":")[0].lower() in SHOWING for who in everybody
            if who in line.lower()}  # fmt: skip
    body = b"\r\nbody\r\n" if not file else with_file(draw, file)
    raw = "".join(f"{line}\r\n" for line in lines).encode() + body
    sent = envelope(*everybody, sender=sender)
    return Draft(sender, frozenset((*to, *cc)), frozenset(seen), sent, raw, file)


def with_file(draw: st.DrawFn, file: str) -> bytes:
    """Return the rest of a mail with one attachment, its name written in one of the ways of real clients."""
    octets = file.encode()
    name = draw(
        st.sampled_from(
            [
                b'filename="%b"' % octets,
                b'filename="=?utf-8?b?%b?="' % b64encode(octets),
                b"filename*=utf-8''%b" % quote(file).encode(),
                b"filename*0*=utf-8''%b;\r\n filename*1=%b"
                % (quote(file[:2]).encode(), quote(file[2:]).encode())
                if file[2:].isascii()
                else b"filename=%b" % octets,
            ]
        )
    )
    return (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody\r\n--b\r\n"
        b"Content-Disposition: attachment; " + name + b"\r\n\r\nxxxx\r\n--b--\r\n"
    )


def listed(draw: st.DrawFn, field: str, group: list[str]) -> str:
    """Write people as clients do, the broken ways among them."""
    spell = draw(st.sampled_from(SPELLINGS))
    mark = draw(st.sampled_from([", ", ",", ",\r\n ", " ,\r\n\t", "; ", ",, "]))
    label = draw(st.sampled_from([field, field.upper(), field.lower()]))
    return f"{label}: {mark.join(map(spell, group))}"


SPELLINGS = (
    str,
    lambda a: f"<{a}>",
    lambda a: f"{a.upper()}",
    lambda a: f'"{a}" <{a}>',
    lambda a: f"=?utf-8?b?{b64encode(('様 ' + a).encode()).decode()}?= <{a}>",
    lambda a: f"{a} (保護者)",
)


def extra_lines(people: list[str]) -> st.SearchStrategy[str]:
    """Other fields with somebody in them, and tags that the sender forges."""
    somebody = st.sampled_from(people)
    place = st.sampled_from(
        ["Subject", "Reply-To", "Resent-To", "X-Original-To", "Delivered-To", "X-Any", "Comments", "Sender", "Errors-To",
         "Disposition-Notification-To", "Return-Path", "References", "Apparently-To", "Resent-Bcc", "Thread-Topic"]
    )  # fmt: skip
    forged = st.builds(
        lambda name, spell, gap: f"{spell(name)}{gap}: forged",
        st.sampled_from(TAGS),
        st.sampled_from([str, str.upper, str.lower, str.swapcase]),
        st.sampled_from(["", " ", "\t"]),
    )
    return st.one_of(
        st.builds(
            lambda field, who, spell: f"{field}: {spell(who)}", place, somebody, st.sampled_from(SPELLINGS)
        ),
        st.builds(
            lambda who: f"Received: from a by b for <{who}>; Sat, 21 Nov 2026 10:00:00 +0900", somebody
        ),
        st.builds(lambda who: f'Content-Type: text/plain; name="{who}.txt"', somebody),
        st.sampled_from(["Subject: 【社外秘】通知", "Subject: 見本市発第12号", "X-Mailer: Batch Sender 2"]),
        forged,
    )


def decided(name: str, draft: Draft) -> Decision:
    """Decide as the reception does, and take the decision from its stored form as delivery does."""
    decision = decide(gather(draft.envelope, draft.raw), LOADED[name], WHEN)
    return from_json(to_json(decision), decision.assigned)


def header_of(draft: Draft, decision: Decision, index: int) -> bytes:
    view = view_of(decision, index, draft.envelope.recipients[index])
    return render(original(draft.raw, draft.envelope, decision), view).header


HIDING = ("circles", "school-bulk")


@pytest.mark.parametrize("name", HIDING)
@settings(max_examples=examples(80), deadline=None)
@given(st.data())
def test_a_hiding_copy_names_those_it_may_and_exactly_those(name: str, data: st.DataObject) -> None:
    draft = data.draw(drafts(name))
    decision = decided(name, draft)
    for index, recipient in enumerate(draft.envelope.recipients):
        form, own = decision.of(index).demands.form, str(recipient)
        if form is Form.ORIGINAL:
            continue
        assert own in OUTSIDE, "nobody inside is hidden from by these policies"
        companions = set(CIRCLE) if name == "circles" and own in CIRCLE else set()
        inside = set(INSIDE[name]) if name in KEEPS_INTERNAL else set()
        alone = {own} if form is Form.INDIVIDUAL else set()
        author = set() if name in KEEPS_INTERNAL or alone else {draft.sender}
        header = header_of(draft, decision, index)
        (to,) = [raw for field, raw in fields(header) if field == "to"]
        assert addresses(to) == (companions | inside) & draft.shown | alone | author
        hidden = {*OUTSIDE, *INSIDE[name]} - (companions & draft.seen) - inside - {draft.sender}
        assert leaks(header.replace(to, b"", 1) if alone else header, hidden) == []


@settings(max_examples=examples(80), deadline=None)
@given(drafts("circles"))
def test_companions_are_members_whom_the_mail_shows_to_a_member(draft: Draft) -> None:
    decision = decided("circles", draft)
    for index, recipient in enumerate(draft.envelope.recipients):
        outcome = decision.of(index)
        if outcome.demands.form is Form.ORIGINAL or str(recipient) not in CIRCLE:
            assert outcome.companions == ()
        else:
            assert set(CIRCLE) & draft.shown <= set(outcome.companions) <= set(CIRCLE) & draft.seen


@settings(max_examples=examples(80), deadline=None)
@given(drafts("tag"))
def test_a_tag_is_the_policys_own(draft: Draft) -> None:
    """Once where a rule asks for it, and nowhere else, whatever field of that name came with the mail."""
    decision = decided("tag", draft)
    for index in range(len(draft.envelope.recipients)):
        found = [raw for field, raw in fields(header_of(draft, decision, index)) if field in LOWER_TAGS]
        wanted = [f"{name}: {value}\r\n".encode() for name, value in decision.of(index).demands.tags]
        assert sorted(found) == sorted(wanted)


@settings(max_examples=examples(60), deadline=None)
@given(drafts("firm-window", files=True))
def test_what_is_firm_is_firm_for_those_whom_the_rule_names(draft: Draft) -> None:
    decision = decided("firm-window", draft)
    for index, recipient in enumerate(draft.envelope.recipients):
        demands = decision.of(index).demands
        firm = draft.file != "" and recipient.domain.endswith("freemail.example.com")
        assert demands.firm == timedelta(minutes=5 if firm else 0)
        assert demands.window == timedelta(minutes=10 if str(recipient) in OUTSIDE else 0)


@settings(max_examples=examples(60), deadline=None)
@given(drafts("attachments", files=True))
def test_a_file_that_may_not_go_is_refused(draft: Draft) -> None:
    outside = any(str(each) in OUTSIDE for each in draft.envelope.recipients)
    refusing = {refusal.rule for refusal in decided("attachments", draft).refusals}
    assert ("no-programs" in refusing) is (draft.file in PROGRAMS)
    assert ("no-registers-outside" in refusing) is ("名簿" in draft.file and outside)
