"""The limit of open files against what the settings may need: told at start and by doctor, raised where the system allows."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.descriptors import needed, shortage
from gateway.config.load import load_settings
from tests.process import ROOT, environment

LOOK = """
import resource, sys
from pathlib import Path
from gateway.cli.descriptors import provide
from gateway.config.load import load_settings
said = provide(load_settings(Path(sys.argv[1])))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], said)
"""


def settings_file(folder: Path, connections: int, more: str = "") -> Path:
    path = folder / "sekisho.yaml"
    path.write_text(f"hostname: gw.example.jp\nlimits: {{connections: {connections}}}\n{more}")
    return path


def with_limits(soft: int, hard: int, *command: str) -> str:
    """Run a command under a limit of open files; return what it printed."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("soft", "hard", "enough"), [(256, 4096, True), (4096, 4096, True), (256, 512, False)]
)
def test_the_soft_limit_is_raised_as_far_as_needed_and_allowed(
    tmp_path: Path, soft: int, hard: int, enough: bool
) -> None:
    path = settings_file(tmp_path, 1000)
    want = needed(load_settings(path))
    assert 1000 < want < 4096
    now, _, said = with_limits(soft, hard, "-c", LOOK, str(path)).strip().partition(" ")
    assert int(now) == min(max(soft, want), hard)
    assert (said == "") == enough


def test_doctor_says_what_to_do(tmp_path: Path) -> None:
    path = settings_file(tmp_path, 1000)
    printed = with_limits(256, 512, "-m", "gateway.cli", "doctor", "--json", "--config", str(path))
    said = json.loads(printed)["descriptors"]
    assert said == shortage(needed(load_settings(path)), 512)
    assert "LimitNOFILE" in said


def test_workers_share_what_is_needed(tmp_path: Path) -> None:
    alone = needed(load_settings(settings_file(tmp_path, 4000)))
    assert needed(load_settings(settings_file(tmp_path, 4000, "workers: 4\n"))) < alone / 2
