"""Settings: every problem at once with its place; the environment overrides; the page lists every key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from gateway.config.load import _group_of, load_settings
from gateway.config.settings import Listen, Settings
from gateway.yaml_source import Problems

ROOT = Path(__file__).parents[2]
BAD = sorted((ROOT / "tests" / "bad_configs").iterdir())


def write(folder: Path, text: str) -> Path:
    path = folder / "sekisho.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.name)
def test_a_broken_file_is_told_line_by_line(case: Path) -> None:
    with pytest.raises(Problems) as caught:
        load_settings(case / "config.yaml", {})
    told = [str(problem).removeprefix(f"{case / 'config.yaml'}:") for problem in caught.value.problems]
    expected = (case / "expected").read_text(encoding="utf-8").splitlines()
    assert len(told) == len(expected)
    for line, beginning in zip(told, expected, strict=True):
        assert line.startswith(beginning)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problems, match=r"nowhere\.yaml:1:1: cannot be read: No such file"):
        load_settings(tmp_path / "nowhere.yaml", {})


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "hostname: gw.example.jp\nstate: data\n"), {})
    assert settings.state == tmp_path / "data"
    assert settings.policies == tmp_path / "policies"


def test_the_environment_overrides(tmp_path: Path) -> None:
    path = write(tmp_path, "hostname: gw.example.jp\nweb: {public_url: 'http://a.example'}\n")
    environ = {
        "SEKISHO_WEB__PUBLIC_URL": "https://b.example",
        "SEKISHO_SMTP__LISTEN": '["127.0.0.1:25", "[::1]:25"]',
        "SEKISHO_DELIVERY__SMARTHOST__HOST": "mta.example",
        "SEKISHO_MASTER_KEY": "a secret is no setting",
        "HOME": "/nowhere",
    }
    settings = load_settings(path, environ)
    assert settings.web.public_url == "https://b.example"
    assert [(at.host, at.port) for at in settings.smtp.listen] == [("127.0.0.1", 25), ("::1", 25)]
    assert settings.delivery.smarthost is not None
    assert settings.delivery.smarthost.host == "mta.example"


def test_a_misspelt_variable_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "hostname: gw.example.jp\n")
    with pytest.raises(Problems, match=r"\$SEKISHO_WEB__PUBLIC_ULR:1:1: .*did you mean 'public_url'"):
        load_settings(path, {"SEKISHO_WEB__PUBLIC_ULR": "https://b.example"})


def keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        inner = _group_of(field.annotation)
        found += [prefix + name] if inner is None or inner is Listen else keys(inner, f"{prefix}{name}.")
    return found


def test_the_page_lists_every_setting() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    missing = [key for key in keys(Settings) if f"`{key}`" not in page]
    assert not missing


def test_the_page_lists_no_setting_that_is_not_there() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    listed = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    known = {
        *keys(Settings),
        "smtp.tls",
        "delivery.smarthost",
        "delivery.routes",
        "delivery.tls_policy",
        "channels.sms.webhook",
        "channels.sms.twilio",
        "sign_in.oidc",
        "webhooks",
        "notices.dkim",
        "notices.digest",
    }  # groups that may be absent as a whole
    assert [key for key in listed if key not in known] == []
