"""Every file that is kept keeps its laws, on every Python, with or without atheris; and so do cuts of it."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import TARGETS, corpus

KEPT = [(name, path) for name in TARGETS for path in sorted(corpus(name).iterdir())]


@pytest.mark.parametrize(("name", "path"), KEPT, ids=lambda value: getattr(value, "name", value))
def test_a_kept_file_keeps_the_laws(name: str, path: object) -> None:
    octets = (corpus(name) / str(getattr(path, "name", path))).read_bytes()
    TARGETS[name].check(octets)
    for end in (0, 1, len(octets) // 3, len(octets) // 2, max(0, len(octets) - 1)):
        TARGETS[name].check(octets[:end])


def test_every_target_has_files_and_words() -> None:
    for name, target in TARGETS.items():
        assert {target_name for target_name, _ in KEPT} >= {name}
        assert target.words.read_text("ascii").count("\n") > 20
