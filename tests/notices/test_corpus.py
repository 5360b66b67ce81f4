"""Real mail: each of the corpus gets a hold notice that parses, says what is in it, and hides what is hidden."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.languages import shown
from gateway.message.gather import gather
from gateway.notices.compose import Composers
from gateway.notices.summary import FILE_NAME, SHOWN_ATTACHMENTS
from gateway.policy.demands import Form
from gateway.transform.preview import preview
from tests.memory_spool import NOON, MemorySpool, hold
from tests.notices.conftest import notice, read_back, text
from tests.thoroughness import part_of

OUT = ("zz-first@outside.example.com", "zz-second@outside.example.net")


@pytest.mark.corpus
def test_every_real_mail_gets_a_notice(corpus: list[tuple[str, bytes]], composers: Composers) -> None:
    for name, raw in part_of(corpus):
        unnamed = hold(MemorySpool(), "Q1", OUT, raw=raw)
        facts = gather(unnamed.envelope, raw)
        message = replace(unnamed, subject=facts.subject)
        mail = read_back(composers.hold(message, notice(), raw))
        said = text(mail)
        for item in facts.attachments[:SHOWN_ATTACHMENTS]:
            assert shown(item.name, FILE_NAME) in said, name
        assert "<script" not in text(mail, "html"), name


@pytest.mark.corpus
def test_no_preview_of_a_hiding_copy_shows_an_outside_recipient(corpus: list[tuple[str, bytes]]) -> None:
    for name, raw in part_of(corpus):
        octets = b"To: " + ", ".join(OUT).encode() + b"\r\n" + raw
        message = hold(MemorySpool(), "Q1", OUT, raw=octets)
        seen = preview(octets, message.envelope, message.decision, "Q1", NOON, "mx.example.jp", (0, 1))
        (group,) = seen.groups
        assert group.form is Form.BCC
        assert group.sight is not None
        assert "zz-" not in group.sight.to + group.sight.cc, name
