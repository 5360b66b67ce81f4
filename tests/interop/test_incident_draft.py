"""The draft report of an incident in LibreOffice: it opens, and says what python-docx wrote."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway.incidents.draft_sections import TO_WRITE
from tests.incidents.test_draft import incident, made
from tests.interop.conftest import require

pytestmark = pytest.mark.interop

TITLE = "個人情報の漏えい等に関する報告書（下書き）"


def test_libreoffice_reads_it(tmp_path: Path) -> None:
    office = require("soffice")
    source = tmp_path / "draft.docx"
    source.write_bytes(made(incident()))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    wanted = ["--convert-to", "txt:Text (encoded):UTF8", "--outdir", str(tmp_path), str(source)]
    subprocess.run(
        [office, profile, "--headless", "--norestore", *wanted], check=True, capture_output=True, timeout=120
    )
    text = (tmp_path / "draft.txt").read_text(encoding="utf-8-sig")
    assert TITLE in text
    assert text.count(TO_WRITE) >= 7
    assert "確報：2026年7月9日(木)まで" in text
