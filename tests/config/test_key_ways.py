"""What a policy asks of the settings for keys: an error where none could ever go, a warning where one way is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.key_ways import check_ways, is_reachable, way_warnings
from gateway.config.policies import PolicyInForce, read_policy
from gateway.config.settings import Settings
from gateway.yaml_source import Problems

POLICY = """\
version: 1
organisation: {{name: x, internal: [city.example.lg.jp]}}
rules:
  - id: protect
    reason: r
    when: {{external: {{at_least: 1}}}}
    then: {{attachments: {{protect: {how}{ways}}}}}
"""
TWILIO = {"account": "AC" + "0" * 32, "token_file": "token", "sender": "+815011112222"}


def policy(folder: Path, how: str = "zip-aes256", ways: str = "") -> Path:
    text = POLICY.format(how=how, ways=f", {KEY}: {ways}" if ways else "")
    (folder / "default.yaml").write_text(text, "utf-8")
    return folder


KEY = "password_by"


def settings(folder: Path, url: str = "https://gw.example.jp", carrier: bool = False) -> Settings:
    values: dict[str, object] = {"hostname": "gw.example.jp", "policies": folder, "web": {"public_url": url}}
    if carrier:
        values["channels"] = {"sms": {"twilio": TWILIO}}
    return Settings.model_validate(values)


async def test_a_rule_that_could_never_send_a_key_is_not_put_in_force(tmp_path: Path) -> None:
    policy(tmp_path, ways="[sms]")
    without = PolicyInForce(tmp_path, texts=False)
    assert not await without.reload()
    assert without.problems is not None
    (problem,) = without.problems.problems
    assert (problem.line, problem.where) == (4, "protect")
    assert "channels.sms" in str(problem)
    assert await PolicyInForce(tmp_path, texts=True).reload()
    assert await PolicyInForce(tmp_path).reload()


@pytest.mark.parametrize("ways", ["", "[sms, sender]", "[preagreed, sms, sender]", "[sender]"])
def test_where_another_way_is_left_it_is_no_error(tmp_path: Path, ways: str) -> None:
    check_ways(read_policy(policy(tmp_path, ways=ways)), False, tmp_path)


@pytest.mark.parametrize(
    ("how", "ways", "carrier", "url", "told"),
    [
        ("zip-aes256", "", False, "http://127.0.0.1:8025", []),
        ("zip-aes256", "[sender, sms]", False, "https://gw.example.jp", []),
        ("zip-aes256", "[sms, sender]", False, "https://gw.example.jp", ["sms first"]),
        ("zip-aes256", "[sms, sender]", True, "https://gw.example.jp", []),
        ("link", "", True, "https://gw.example.jp", []),
        ("link", "", True, "http://127.0.0.1:8025", ["web.public_url"]),
        ("link", "", True, "http://localhost:8025", ["web.public_url"]),
        ("link", "[sms, sender]", False, "http://[::1]:8025", ["sms first", "web.public_url"]),
    ],
)
def test_what_is_warned_of(
    tmp_path: Path, how: str, ways: str, carrier: bool, url: str, told: list[str]
) -> None:
    found = way_warnings(read_policy(policy(tmp_path, how, ways)), settings(tmp_path, url, carrier))
    assert len(found) == len(told)
    for problem, words in zip(found, told, strict=True):
        assert words in problem.message
        assert problem.where == "protect"


def test_a_rule_that_only_watches_is_not_asked(tmp_path: Path) -> None:
    text = POLICY.format(how="link", ways="").replace("reason: r", "reason: r\n    monitor: true")
    (tmp_path / "default.yaml").write_text(text, "utf-8")
    assert way_warnings(read_policy(tmp_path), settings(tmp_path, "http://127.0.0.1:1")) == ()


@pytest.mark.parametrize(
    ("url", "outside"),
    [
        ("https://gw.example.jp/x", True),
        ("http://192.0.2.1:8025", True),
        ("http://127.0.0.1:8025", False),
        ("http://127.9.9.9", False),
        ("http://[::1]/", False),
        ("http://LOCALHOST", False),
        ("nonsense", False),
    ],
)
def test_who_reaches_an_address(url: str, outside: bool) -> None:
    assert is_reachable(url) is outside


def test_nothing_is_raised_without_being_asked(tmp_path: Path) -> None:
    found = read_policy(policy(tmp_path, ways="[sms]"))
    check_ways(found, None, tmp_path)
    with pytest.raises(Problems):
        check_ways(found, False, tmp_path)
