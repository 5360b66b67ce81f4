"""Every mail of the corpus is decided, and nobody outside is left seeing two others under the default policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.message.envelope import Envelope
from gateway.message.gather import gather
from gateway.policy.decide import decide
from gateway.policy.demands import Form
from gateway.policy.load import load_policy
from gateway.policy.stored_decision import from_json, to_json
from gateway.yaml_source import load
from tests.policy.generated_facts import CLIENT, NOW, address

POLICIES = Path(__file__).parents[2] / "policies"
FILES = [POLICIES / "default.yaml", *sorted(POLICIES.glob("examples/*/policy.yaml"))]
ENVELOPE = Envelope(
    address("desk@sports.example.jp"), (address("p@example.com"), address("q@example.net")), CLIENT
)


@pytest.mark.corpus
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_every_mail_is_decided(corpus: list[tuple[str, bytes]], file: Path) -> None:
    policy = load_policy({file.name: file.read_text(encoding="utf-8")})
    for _, raw in corpus:
        decision = decide(gather(ENVELOPE, raw), policy, NOW)
        assert from_json(to_json(decision), decision.assigned) == decision


@pytest.mark.corpus
def test_the_default_policy_hides_wherever_two_outsiders_may_be_seen(
    corpus: list[tuple[str, bytes]],
) -> None:
    policy = load_policy({"default.yaml": FILES[0].read_text(encoding="utf-8")})
    for name, raw in corpus:
        facts = gather(ENVELOPE, raw)
        seen = {a.key for a in facts.visible if not policy.domains.matches(a)}
        form = decide(facts, policy, NOW).of(0).demands.form
        assert form is (Form.BCC if len(seen) >= 2 or not facts.confident else Form.ORIGINAL), name


@pytest.mark.corpus
def test_no_mail_is_a_policy(corpus: list[tuple[str, bytes]]) -> None:
    """The reader of files people write meets files nobody wrote for it."""
    for _, raw in corpus[::10]:
        try:
            load(raw[:20_000].decode("utf-8", "replace"), "mail")
        except Exception as problem:
            assert type(problem).__name__ == "Problems"  # noqa: PT017 - reading it as YAML is right as well
