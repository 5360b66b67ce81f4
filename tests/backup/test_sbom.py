"""The SBOM that `make sbom` writes: every locked package is in it, and the same lock gives the same octets."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.process import ROOT

TOOL = ROOT / ".venv" / "audit" / "bin" / "cyclonedx-py"
OPTIONS = ("requirements", "--output-reproducible", "--of", "JSON", "-o")


def test_every_locked_package_is_in_the_sbom_and_it_is_reproducible(tmp_path: Path) -> None:
    if not TOOL.exists():
        why = "make sbom was never run here: its tool has a venv of its own"
        pytest.fail(why) if os.environ.get("TEST_NO_SKIP") else pytest.skip(why)
    lock = ROOT / "requirements.lock"
    for name in ("one.json", "two.json"):
        subprocess.run([TOOL, *OPTIONS, tmp_path / name, lock], check=True, capture_output=True, timeout=60)
    octets = (tmp_path / "one.json").read_bytes()
    assert octets == (tmp_path / "two.json").read_bytes()
    listed = {(part["name"], part["version"]) for part in json.loads(octets)["components"]}
    locked = set(re.findall(r"(?m)^([\w.-]+)(?:\[[^\]]*\])?==([\w.+!-]+)", lock.read_text()))
    assert locked
    assert locked == listed


def test_the_makefile_makes_it_with_these_options() -> None:
    assert "cyclonedx-py " + " ".join(OPTIONS) in (ROOT / "Makefile").read_text()
