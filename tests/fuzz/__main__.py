"""`make fuzz`: run every target for FUZZ_SECONDS, two at a time, and say what was found.

What is learnt stays in `var/fuzz/<target>/` and is where the next run begins. A finding is kept in `var/fuzz/findings/`, named
with the command that shows it again; mend it, and keep the file in tests/fuzz/corpus/<target>/.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.targets import TARGETS, corpus

SECONDS = int(os.environ.get("FUZZ_SECONDS", "180"))
AT_ONCE = 2
HANG_S = 20  # seconds for one input, which takes a millisecond
START_S = 60  # seconds for starting up and reading what is known, on a busy machine
MEMORY_MIB = 2048
FOLDER = Path("var") / "fuzz"
FINDINGS = FOLDER / "findings"


def fuzz(name: str) -> bool:
    """Run one target; tell whether it found nothing."""
    target, learnt, log = TARGETS[name], FOLDER / name, FOLDER / f"{name}.log"
    learnt.mkdir(parents=True, exist_ok=True)
    corpus(name).mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "tests.fuzz.one", name, str(learnt), str(corpus(name))),
        *(f"-max_total_time={SECONDS}", f"-max_len={target.longest}", f"-dict={target.words}"),
        *(f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MIB}", f"-artifact_prefix={FINDINGS}/{name}-"),
        "-print_final_stats=1",
    ]
    with log.open("wb") as out:
        try:
            code = subprocess.run(command, stdout=out, stderr=out, timeout=SECONDS + START_S).returncode
        except subprocess.TimeoutExpired:
            code = -1
    text = log.read_text("utf-8", "replace")
    runs = [line.split()[-1] for line in text.splitlines() if "number_of_executed_units" in line]
    say(
        f"{name}: {'ok' if code == 0 else 'FAILED'}, {runs[-1] if runs else '?'} inputs{text[-4000:] if code else ''}"
    )
    return code == 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the targets named, or all; exit 1 where one found something."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    begun = time.time()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fine = list(pool.map(fuzz, sys.argv[1:] or TARGETS))
    for found in sorted(path for path in FINDINGS.iterdir() if path.stat().st_mtime >= begun - 1):
        name = found.name.partition("-")[0]
        say(f"found: {found}\n  see it: .venv/bin/python -m tests.fuzz.one {name} {found}")
        say(f"  keep it: cp {found} {corpus(name)}/ and mend what it shows")
    sys.exit(0 if all(fine) else 1)


main()
