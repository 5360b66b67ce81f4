"""Every broken policy in tests/bad_policies is refused with exactly the lines of its `expected`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.policy.load import load_policy
from gateway.yaml_source import Problems

FOLDERS = sorted(p for p in (Path(__file__).parents[1] / "bad_policies").iterdir() if p.is_dir())
FLOOR = (
    "version: 1\norganisation: {name: x, internal: [city.example.lg.jp]}\n"
    "circles: {tennis: [a@example.com]}\ngroups: {hall: {senders: example.com}}\n"
    "rules: [{id: floor, reason: why, then: {hold: 10m}}]\n"
)


def problems_of(files: dict[str, str]) -> str:
    with pytest.raises(Problems) as caught:
        load_policy(files)
    return str(caught.value)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_problems_are_those_expected(folder: Path) -> None:
    files = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.yaml")}
    assert problems_of(files) + "\n" == (folder / "expected").read_text(encoding="utf-8")


def test_names_are_compared_across_files() -> None:
    assert problems_of({"a.yaml": FLOOR, "b.yaml": FLOOR}).splitlines() == [
        "b.yaml:2:1: organisation: the organisation stands in a.yaml already (keep it in one file)",
        "b.yaml:3:11: circles.tennis: the circle 'tennis' stands twice (first at a.yaml:3)",
        "b.yaml:4:10: groups.hall: the group 'hall' stands twice (first at a.yaml:4)",
        "b.yaml:5:14: rules[0].id: the rule id 'floor' stands twice (first at a.yaml:5)",
    ]


def test_a_broken_file_is_reported_with_the_problems_of_the_others() -> None:
    idle = "version: 1\nrules: [{id: b, reason: why, when: {external: {at_most: 0}}, then: {hold: 1m}}]\n"
    lines = problems_of({"a.yaml": "version: [", "b.yaml": idle}).splitlines()
    assert [line.split(":")[0] for line in lines] == ["a.yaml", "b.yaml"]


def test_no_file_is_a_problem() -> None:
    assert "there is no policy file" in problems_of({})


def test_names_of_another_file_may_be_used() -> None:
    rule = "when: {sender_in: hall}, unless: {circle: tennis}, then: {hold: 1m}"
    policy = load_policy(
        {"a.yaml": FLOOR, "b.yaml": f"version: 1\nrules: [{{id: b, reason: why, {rule}}}]\n"}
    )
    assert [rule.id for rule in policy.rules] == ["b", "floor"]


def test_the_digest_names_content_not_folders_or_line_ends() -> None:
    digest = load_policy({"a.yaml": FLOOR}).digest
    assert load_policy({"/etc/sekisho/a.yaml": FLOOR.replace("\n", "\r\n")}).digest == digest
    assert load_policy({"b.yaml": FLOOR}).digest != digest
    assert load_policy({"a.yaml": FLOOR + "# note\n"}).digest != digest
