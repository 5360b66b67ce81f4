"""What is said of a verb for many mails, where it is one: English counts."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from gateway.acting.wish import Verb
from gateway.console.mail.many_view import VERBS
from gateway.console.mail.many_words import question, summary
from gateway.languages import Words

JA, EN = (Words(language, ZoneInfo("Asia/Tokyo")) for language in ("ja", "en"))


@pytest.mark.parametrize("verb", VERBS)
def test_one_is_not_many(verb: Verb) -> None:
    for said in (question(verb, 1, 1, EN), summary(verb, 1, 1, EN)):
        assert "1 mail " in said
        assert "1 recipient" in said
        assert "mails" not in said
        assert "recipients" not in said
    assert "3 mails " in question(verb, 3, 5, EN)
    assert "5 recipients" in summary(verb, 3, 5, EN)
    assert "メール 3通" in question(verb, 3, 5, JA)
    assert "宛先 5件" in question(verb, 3, 5, JA)
