"""A policy that asks for a next hop which the settings do not have is not put in force; the last good one stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.config.load import load_settings
from gateway.config.policies import PolicyInForce
from gateway.yaml_source import Problems

GOOD = """\
version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
rules:
  - {id: archive, reason: r, then: {route: archive}}
  - {id: watched, reason: r, monitor: true, then: {route: never-asked-for}}
"""
BAD = GOOD.replace("route: archive", "route: archvie")


async def test_the_last_good_policy_stays(tmp_path: Path) -> None:
    file = tmp_path / "default.yaml"
    file.write_text(GOOD, "utf-8")
    policy = PolicyInForce(tmp_path, routes=("archive", "other"))
    assert await policy.reload()
    digest = policy.current.digest
    file.write_text(BAD, "utf-8")
    assert not await policy.reload()
    assert policy.current.digest == digest
    assert policy.problems is not None
    assert "delivery.routes.archvie" in str(policy.problems)
    assert "archive, other" in str(policy.problems)


async def test_without_a_good_one_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text(GOOD, "utf-8")
    policy = PolicyInForce(tmp_path, routes=())
    assert not await policy.reload()
    with pytest.raises(Problems, match=r"delivery\.routes\.archive"):
        _ = policy.current


def test_check_says_which_routes_the_policy_needs(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text(GOOD, "utf-8")
    told = CliRunner().invoke(main, ["policy", "check", str(tmp_path)])
    assert told.exit_code == 0
    assert "needs in the settings, under delivery.routes: archive\n" in told.output
    assert "never-asked-for" not in told.output


def test_routes_are_read_in_their_order_and_their_paths_are_absolute(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.yaml"
    path.write_text(
        "hostname: gw.example.jp\ndelivery:\n  routes:\n    zed: {host: z.example.jp, port: 587}\n"
        "    archive: {host: a.example.jp, username: u, password_file: secret}\n",
        "utf-8",
    )
    routes = load_settings(path, {}).delivery.routes
    assert list(routes) == ["zed", "archive"]
    assert routes["archive"].password_file == tmp_path / "secret"


def test_a_name_no_policy_could_write_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.yaml"
    path.write_text(
        "hostname: gw.example.jp\ndelivery: {routes: {Main Relay: {host: a.example.jp}}}\n", "utf-8"
    )
    with pytest.raises(Problems, match="not the name of a next hop"):
        load_settings(path, {})
