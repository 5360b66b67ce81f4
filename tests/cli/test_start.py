"""What an admin reads when something cannot start: one line that names the file and the cause."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from gateway.cli import main
from gateway.cli.before import before_start
from gateway.config.settings import Settings, Smtp, Tls
from gateway.service.errors import CannotStart


def settings(folder: Path, **smtp: object) -> Settings:
    return Settings(hostname="gw.example.jp", state=folder / "var", smtp=Smtp.model_validate(smtp))


def pair(folder: Path, certificate: bytes | None, key: bytes | None) -> Tls:
    for name, octets in (("tls.crt", certificate), ("tls.key", key)):
        if octets is not None:
            (folder / name).write_bytes(octets)
    return Tls(certificate=folder / "tls.crt", key=folder / "tls.key")


def issued() -> tuple[bytes, bytes]:
    own = trustme.CA().issue_cert("gw.example.jp")
    return own.cert_chain_pems[0].bytes(), own.private_key_pem.bytes()


def test_a_good_pair_is_taken_and_the_state_is_created_for_its_owner(tmp_path: Path) -> None:
    before_start(settings(tmp_path, tls=pair(tmp_path, *issued())))
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        (None, b"x", "smtp.tls.certificate: .*tls.crt cannot be read: No such file"),
        (b"x", None, "smtp.tls.key: .*tls.key cannot be read: No such file"),
        (b"x", b"x", "tls.crt and .*tls.key are no certificate and its key"),
        (issued()[0], issued()[1], "KEY_VALUES_MISMATCH"),
    ],
)
def test_a_bad_pair_is_named(tmp_path: Path, certificate: bytes | None, key: bytes | None, said: str) -> None:
    with pytest.raises(CannotStart, match=said):
        before_start(settings(tmp_path, tls=pair(tmp_path, certificate, key)))


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file stands here")
    with pytest.raises(CannotStart, match=r"state: .*var cannot be created: File exists"):
        before_start(settings(tmp_path))


def test_serve_says_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "sekisho.yaml").write_text(
        "hostname: gw.example.jp\nsmtp: {tls: {certificate: no.crt, key: no.key}}\n"
    )
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(tmp_path / "sekisho.yaml")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("sekisho: smtp.tls.certificate: ")


@pytest.mark.parametrize("option", ["--smtp-port", "--web-port"])
def test_the_demo_wants_ports_that_exist(option: str) -> None:
    result = CliRunner().invoke(main, ["demo", option, "99999"])
    assert (result.exit_code, "1<=x<=65535" in result.output) == (2, True)
