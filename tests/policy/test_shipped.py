"""What ships: policies that load, cases that pass, a schema that is the published one, a page that lists every key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gateway.cli.case_files import facts_of_cases, read_cases
from gateway.config.policy_files import read_files
from gateway.policy import cases, reference, schema
from gateway.policy.demands import Language
from gateway.policy.load import load_policy
from gateway.policy.parts import Part
from gateway.policy.tiers import Tier, tier_of
from gateway.yaml_source import Problems

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(folder for kind in ("examples", "ready") for folder in (ROOT / "policies" / kind).iterdir())
FOLDERS = [ROOT / "policies", *SHIPPED]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


def files_of(folder: Path) -> dict[str, str]:
    return read_files(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_cases_of_shipped_policies_pass(folder: Path) -> None:
    files = files_of(folder)
    floor = {name: text for name, text in files.items() if tier_of(name) is Tier.FLOOR}
    whole, alone = load_policy(files), load_policy(floor or files)
    ran = 0
    for read in read_cases(folder):
        policy = alone if tier_of(read.name) is Tier.FLOOR else whole
        for case, facts in zip(read.cases, facts_of_cases(read.cases, policy.needs), strict=True):
            assert cases.run_case(case, policy, facts).differences == ()
            ran += 1
    assert ran > 0


def test_the_published_schema_is_this_one() -> None:
    published = json.loads((ROOT / "policies" / "schema.json").read_text(encoding="utf-8"))
    assert published == schema.json_schema()


def test_every_key_says_in_both_languages_what_it_means() -> None:
    silent = [
        f"{name}.{key}"
        for name, model in reference.models().items()
        for key, field in reference.keys(model)
        if not all(reference.told_in(field, language) for language in reference.BOTH)
    ]
    assert silent == []


def test_the_tables_of_the_page_are_the_models() -> None:
    assert reference.filled(PAGE) == PAGE, "run: sekisho policy docs --write docs/policy.md"


def parts(part: type[BaseModel] = Part) -> list[type[BaseModel]]:
    """Return every model that policy files and cases are made of."""
    below = [each for kind in part.__subclasses__() for each in parts(kind)]
    return [part, *below] if part.model_fields and not part.__subclasses__() else below


def test_the_reference_misses_no_model() -> None:
    assert {model.__name__ for model in parts()} <= set(reference.models())


@pytest.mark.parametrize(
    ("language", "said"),
    [(Language.JA, "だれも短縮できない部分"), (Language.EN, "the part that nobody can waive")],
)
def test_the_reference_is_of_one_language(language: Language, said: str) -> None:
    page = reference.reference(language)
    assert f"| `firm` | {said} |" in page
    assert page.count("| --- |") == len(reference.models())


@pytest.mark.parametrize(
    "page", ["no marks", "<!-- keys: Nobody -->\n<!-- end -->\n<!-- keys: * -->\n<!-- end -->"]
)
def test_a_page_without_a_place_for_each_table_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match=r"no place for PolicyFile|no part of a policy is called Nobody"):
        reference.filled(page)


@pytest.mark.parametrize("path", sorted((ROOT / "policies").rglob("*.yaml")), ids=lambda path: path.name)
def test_editors_find_the_schema(path: Path) -> None:
    if path.name.endswith(".cases.yaml"):
        return
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == ROOT / "policies" / "schema.json"


def test_the_schema_has_the_descriptions() -> None:
    published = schema.json_schema()
    described = [d for definition in published["$defs"].values() for d in _properties(definition)]
    assert described
    assert all("description" in each for each in described)


def _properties(definition: Any) -> list[Any]:
    objects = [definition, *definition.get("anyOf", [])]
    return [each for found in objects for each in found.get("properties", {}).values()]


def test_the_files_in_the_page_load() -> None:
    policy, case = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    load_policy({"page.yaml": policy})
    assert cases.load_cases(case, "page.cases.yaml")


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ("{recipients: {p01@example.com: {hold: 5m}}}", "p01@example.com: hold: expected 5m, got 10m"),
        ("{recipients: {p01@example.com: {waive: nobody}}}", "p01@example.com: waive: expected nobody, got sender"),
        ("{recipients: {p01@example.com: {firm: 1m}}}", "p01@example.com: firm: expected 1m, got 0s"),
        ("{recipients: {p01@example.com: {form: bcc}}}", "p01@example.com: form: expected bcc, got original"),
        ("{recipients: {p01@example.com: {tags: {X-A: b}}}}", "p01@example.com: tags: expected X-A: b, got nothing"),
        ("{recipients: {p01@example.com: {sees: [a@b.example]}}}", "p01@example.com: sees: expected a@b.example, got nothing"),
        ("{recipients: {q@example.com: {hold: 0s}}}", "q@example.com: is no recipient of this mail"),
        ("{refused: true}", "expected a refusal, got none"),
        ("{refused: some-rule}", "expected a refusal by some-rule, got none"),
        ("{rules: []}", "rules: expected nothing, got cancel-window"),
        ("{notify: []}", "notify: expected nothing, got sender"),
    ],
)  # fmt: skip
def test_a_difference_is_said(expect: str, difference: str) -> None:
    text = f"- name: x\n  mail: {{from: desk@sports.example.jp, to: p01@example.com}}\n  expect: {expect}\n"
    policy = load_policy(files_of(ROOT / "policies"))
    [case] = cases.load_cases(text, "x.cases.yaml")
    assert cases.run_case(case, policy).differences == (difference,)


def test_mistakes_in_cases_have_their_line() -> None:
    with pytest.raises(Problems) as caught:
        cases.load_cases(
            "- name: x\n  mail: {form: a@example.jp}\n  expect: {refusd: true}\n", "x.cases.yaml"
        )
    assert "x.cases.yaml:3:12: [0].expect.refusd: unknown key 'refusd' (did you mean 'refused'?)" in str(
        caught.value
    )


LEAVING = """\
version: 1
organisation: {name: x, internal: [sports.example.jp]}
disclaimers: {note: text}
rules:
  - {id: a, reason: r, when: {recipient: q@example.com}, then: {drop_recipient: true}}
  - {id: b, reason: r, then: {bcc_to: b@sports.example.jp, report_to: b@sports.example.jp, route: way}}
  - {id: c, reason: r, then: {disclaimer: {name: note, language: en}}}
"""


@pytest.mark.parametrize(
    ("expect", "differences"),
    [
        ("{bcc_to: b@sports.example.jp, report_to: [b@sports.example.jp]}", ()),
        ("{bcc_to: []}", ("bcc_to: expected nothing, got b@sports.example.jp",)),
        ("{recipients: {q@example.com: {drop: true, route: way, disclaimers: 'note:en'}}}", ()),
        ("{recipients: {p@example.com: {drop: true}}}", ("p@example.com: drop: expected True, got False",)),
        ("{recipients: {p@example.com: {route: other}}}", ("p@example.com: route: expected other, got way",)),
        (
            "{recipients: {p@example.com: {disclaimers: []}}}",
            ("p@example.com: disclaimers: expected nothing, got note:en",),
        ),
    ],
)
def test_cases_can_expect_what_leaves(expect: str, differences: tuple[str, ...]) -> None:
    mail = "{from: desk@sports.example.jp, to: [p@example.com, q@example.com]}"
    text = f"- name: x\n  mail: {mail}\n  expect: {expect}\n"
    (case,) = cases.load_cases(text, "x.cases.yaml")
    assert cases.run_case(case, load_policy({"policy.yaml": LEAVING})).differences == differences
