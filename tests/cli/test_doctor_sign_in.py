"""What `sekisho doctor` says of how people sign in: a role for a group that the policy does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.doctor import CHECKS, verdict
from gateway.config.settings import Settings

POLICY = """\
version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
groups:
  halls: {senders: [halls.example.jp]}
rules:
  - {id: window, reason: r, then: {hold: 10m}}
"""


def said(tmp_path: Path, *roles: str) -> str:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "default.yaml").write_text(POLICY, "utf-8")
    oidc = {
        "issuer": "https://id.city.example.lg.jp",
        "client_id": "sekisho",
        "client_secret_file": tmp_path / "secret",
        "roles": {"staff": list(roles)},
    }
    settings = {"hostname": "gw.example.jp", "policies": policies, "sign_in": {"oidc": oidc} if roles else {}}
    return verdict(CHECKS["sign-in"], Settings.model_validate(settings))


def test_passwords_alone(tmp_path: Path) -> None:
    assert said(tmp_path) == "ok, with passwords of their own"


def test_a_provider_whose_roles_name_groups_that_are_there(tmp_path: Path) -> None:
    assert said(tmp_path, "sender@halls", "auditor") == "ok, also through OpenID Connect"


@pytest.mark.parametrize(
    ("role", "hint"), [("sender@hals", "did you mean 'halls'?"), ("admin@zoo", "known here: halls")]
)
def test_a_group_that_is_not_there_is_named(tmp_path: Path, role: str, hint: str) -> None:
    group = role.partition("@")[2]
    expected = f"sign_in.oidc.roles: {role}: the policy has no group {group!r} ({hint})"
    assert said(tmp_path, "sender@halls", role) == expected
