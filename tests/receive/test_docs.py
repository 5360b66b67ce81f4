"""docs/smtp-in.md tells every limit and every reply that this room gives."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.config.settings import Limits

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "smtp-in.md").read_text()
CODES = re.compile(r"(?:Reply|SyntaxFault)\(\s*(\d{3}), (?:\"(\d\.\d+\.\d+)\"|\w+)")


def test_every_limit_is_listed() -> None:
    assert set(re.findall(r"`limits\.(\w+)`", TEXT)) == set(Limits.model_fields)


def test_every_reply_is_listed() -> None:
    said = {
        pair
        for path in (ROOT / "gateway" / "receive").glob("*.py")
        for pair in CODES.findall(path.read_text())
    }
    assert len(said) > 20
    for code, enhanced in said:
        line = next((line for line in TEXT.splitlines() if re.search(rf"\| .*\b{code}\b", line)), None)
        assert line is not None, code
        listed = "\n".join(line for line in TEXT.splitlines() if code in line)
        assert enhanced in listed, (code, enhanced)
