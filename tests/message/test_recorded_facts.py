"""A facts record gives back every fact that a policy may ask for, and none of the mail's words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.message.evidence import NOTHING_LOOKED_UP, Content, Evidence
from gateway.message.facts import Attachment, Facts
from gateway.message.gather import gather
from gateway.message.header import HeaderSection, split
from gateway.message.recorded_facts import from_json, to_json
from gateway.message.replies import is_reply

PEOPLE = [Address(name, "example.com", odd) for name in "abcdef" for odd in (False, True)]
people = st.sampled_from(PEOPLE) | st.builds(Address, st.text(min_size=1), st.text(min_size=1), st.booleans())
lists = st.lists(people, max_size=8, unique_by=lambda address: address.key).map(tuple)
keys = people.map(lambda address: address.key)
st.register_type_strategy(Address, people)
contents = st.from_type(Content).map(lambda content: replace(content, texts={"body": ("秘密",)}))
evidences = st.builds(
    Evidence,
    content=st.none() | contents,
    writers=st.none() | st.dictionaries(keys, st.lists(keys, max_size=2).map(tuple)),
    domains=st.none() | st.dictionaries(st.text(), st.sampled_from(["accepts", "missing"])),
    look_alikes=st.none() | st.dictionaries(st.text(), st.text()),
)
all_facts = st.builds(
    Facts,
    envelope=st.builds(Envelope, st.none() | people, lists, st.just(Client("192.0.2.1"))),
    header=st.sampled_from(
        [split(b"X-Secret: words\r\n" + more)[0] for more in (b"\r\n", b"References: <a@b>\r\n\r\n")]
    ),
    visible=lists,
    confident=st.booleans(),
    authors=lists,
    subject=st.text(),
    attachments=st.lists(st.builds(Attachment, st.text(), st.integers(0), st.text(), st.booleans())).map(
        tuple
    ),
    size_bytes=st.integers(0),
    unclear=st.frozensets(st.sampled_from(["boundary", "encoding"])),
    blind=st.frozensets(keys),
    evidence=st.just(NOTHING_LOOKED_UP) | evidences,
)


def without_words(facts: Facts) -> Facts:
    evidence = facts.evidence
    if evidence.content is not None:
        evidence = replace(evidence, content=replace(evidence.content, texts={}, cut=frozenset()))
    answers = is_reply(facts.header)
    return replace(facts, header=HeaderSection(()), evidence=evidence, recorded=True, answers=answers)


@given(all_facts)
def test_facts_read_back_without_the_words(facts: Facts) -> None:
    record = json.loads(json.dumps(to_json(facts)))
    assert "秘密" not in json.dumps(record, ensure_ascii=False)
    assert from_json(record, facts.envelope, facts.subject, facts.size_bytes) == without_words(facts)


def test_a_mail_to_a_class_is_recorded_in_a_line() -> None:
    pupils = tuple(Address(f"p{number}", "example.com") for number in range(400))
    envelope = Envelope(Address("desk", "sports.example.jp"), pupils, Client("192.0.2.1"))
    shown = ",\r\n ".join(map(str, pupils))
    facts = gather(envelope, f"From: desk@sports.example.jp\r\nTo: {shown}\r\n\r\nbody\r\n".encode())
    assert to_json(facts) == {"v": 1, "visible": [[0, 399]]}


@pytest.mark.parametrize("record", [{}, {"v": 2}, {"v": "1"}, [], None])
def test_a_version_that_is_not_known_is_named(record: object) -> None:
    version = record.get("v") if isinstance(record, dict) else None
    with pytest.raises(ValueError, match=f"version {version!r}, known is 1"):
        from_json(record, Envelope(None, (), Client("")), "", 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "broken", [{"visible": 3}, {"visible": [[]]}, {"attachments": [["a"]]}, {"evidence": {"content": {"files": [{"x": 1}]}}}]
)  # fmt: skip
def test_a_record_that_is_none_is_a_value_error(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        from_json({"v": 1, **broken}, Envelope(None, (), Client("")), "", 0)
