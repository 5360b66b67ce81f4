"""`sekisho notices`: templates are checked, letters shown, the DNS record printed; and what the doctor says of both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.doctor_notices import unpublished
from gateway.cli.notices import notices
from gateway.config.load import load_settings
from gateway.evidence.resolver import DnsUnavailable
from gateway.notices.dkim import Signer
from gateway.service.errors import CannotStart
from gateway.service.own_letters import OwnLetters
from gateway.yaml_source import Problems
from tests.notices.test_dkim import ED_KEY, RSA_KEY, pem

DKIM = "dkim: {domain: sports.example.jp, selector: gw1, key_file: dkim.pem}"


def run(folder: Path, *args: str, inside: str = "templates: letters") -> Result:
    (folder / "letters").mkdir(exist_ok=True)
    config = folder / "sekisho.yaml"
    config.write_text(f"hostname: mx.sports.example.jp\nnotices:\n  {inside}\n", encoding="utf-8")
    verb, *rest = args
    return CliRunner().invoke(notices, [verb, "--config", str(config), *rest])


def test_a_good_folder_is_good(tmp_path: Path) -> None:
    run(tmp_path, "check")
    (tmp_path / "letters" / "left.txt").write_text("{{ s.total }}", encoding="utf-8")
    result = run(tmp_path, "check")
    assert (result.exit_code, result.output) == (0, "ok, 2 letters of your own (each language counts)\n")


def test_a_broken_template_is_told_with_its_place(tmp_path: Path) -> None:
    run(tmp_path, "check")
    (tmp_path / "letters" / "left.txt").write_text("\n{{ oops }}", encoding="utf-8")
    result = run(tmp_path, "check")
    assert result.exit_code == 1
    assert result.output.startswith("left.txt:2: 'oops' is undefined (in the letter 'left')\n")
    told = json.loads(run(tmp_path, "check", "--json").stdout)
    assert told["problems"][0]["line"] == 2


def test_every_letter_can_be_seen_before_it_is_needed(tmp_path: Path) -> None:
    names = run(tmp_path, "show").output.split()
    assert {"hold", "holds", "report", "left", "code"} <= {*names}
    for name in names:
        for language in ("ja", "en"):
            assert run(tmp_path, "show", name, "--language", language).output.startswith("Subject: ")
    (tmp_path / "letters" / "left.txt").write_text("うちの文面 {{ s.total }}", encoding="utf-8")
    assert "うちの文面 4" in run(tmp_path, "show", "left").output
    assert run(tmp_path, "show", "left", "--html").output.startswith("<!doctype html>")
    assert run(tmp_path, "show", "lift").exit_code == 2


def test_the_record_is_printed_as_a_zone_file_takes_it(tmp_path: Path) -> None:
    (tmp_path / "dkim.pem").write_bytes(pem(RSA_KEY))
    line = run(tmp_path, "dkim", inside=DKIM).output
    assert line.startswith('gw1._domainkey.sports.example.jp. IN TXT ( "v=DKIM1; k=rsa; p=')
    strings = line.split('"')[1::2]
    assert all(len(each) <= 255 for each in strings)
    assert Signer("sports.example.jp", "gw1", RSA_KEY).stands_in("".join(strings))
    (tmp_path / "dkim.pem").write_bytes(b"")
    assert "not a private key" in run(tmp_path, "dkim", inside=DKIM).output
    assert run(tmp_path, "dkim").exit_code == 1


class Dns:
    def __init__(self, *texts: str, down: bool = False) -> None:
        self._texts = texts
        self._down = down

    async def texts(self, name: str) -> Sequence[str]:
        if self._down:
            raise DnsUnavailable(name)
        return self._texts


SIGNER = Signer("sports.example.jp", "gw1", ED_KEY)


@pytest.mark.parametrize(
    ("dns", "said"),
    [
        (Dns("other", SIGNER.record), []),
        (
            Dns(),
            ["the DNS has no TXT record gw1._domainkey.sports.example.jp: sekisho notices dkim prints it"],
        ),
        (Dns("v=DKIM1; p=AAAA"), ["the DNS has another key at gw1"]),
        (Dns(down=True), ["the DNS does not answer for gw1._domainkey.sports.example.jp"]),
    ],
)
def test_the_doctor_compares_the_dns(dns: Dns, said: list[str]) -> None:
    found = asyncio.run(unpublished([SIGNER], dns))
    assert len(found) == len(said)
    assert all(one.startswith(other) for one, other in zip(found, said, strict=True))


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        (DKIM, r"dkim\.pem cannot be read"),
        (DKIM.replace("sports.", "other."), "notices.dkim.domain: our own mail is from mx.sports.example.jp"),
    ],
)
def test_the_gateway_does_not_start_with_a_key_that_will_not_do(
    tmp_path: Path, inside: str, why: str
) -> None:
    run(tmp_path, "check", inside=inside)
    with pytest.raises(CannotStart, match=why):
        OwnLetters(load_settings(tmp_path / "sekisho.yaml"))


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        (
            "{address: a@b.example.jp, dkim: {domain: c.example.jp, selector: s, key_file: k}}",
            "not in the domain",
        ),
        ("{dkim: {domain: 'a b', selector: s, key_file: k}}", "not a name in the DNS"),
        ("{dkim: [{domain: example.jp, selector: s}]}", "key_file"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, inside: str, why: str) -> None:
    path = tmp_path / "sekisho.yaml"
    path.write_text(f"hostname: mx.sports.example.jp\nnotices: {inside}\n", encoding="utf-8")
    with pytest.raises(Problems, match=why):
        load_settings(path)


async def test_templates_and_keys_are_read_again(tmp_path: Path) -> None:
    (tmp_path / "dkim.pem").write_bytes(pem(RSA_KEY))
    run(tmp_path, "check", inside=f"{DKIM}\n  templates: letters")
    letters = OwnLetters(load_settings(tmp_path / "sekisho.yaml"))
    await letters.read()
    await letters.check()()
    (tmp_path / "letters" / "left.txt").write_text("{{ oops }}", encoding="utf-8")
    await letters._look_once()
    with pytest.raises(
        Exception,
        match=r"templates of notices: left\.txt:1: 'oops' is undefined .*; see sekisho notices check",
    ):
        await letters.check()()
    (tmp_path / "letters" / "left.txt").unlink()
    (tmp_path / "dkim.pem").write_bytes(b"")
    await letters._look_once()
    with pytest.raises(Exception, match=r"the signing key of notices: .*dkim\.pem"):
        await letters.check()()
