"""The accounts file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.clock import utc_now
from gateway.message.address import parse_path
from gateway.policy.demands import Language
from gateway.receive.account import Account, Changes
from gateway.receive.accounts import Accounts
from gateway.receive.accounts_file import read, to_yaml, write
from gateway.yaml_source import Problems
from tests.receive.conftest import ALICE, HASH, SUSPENDED


def test_what_is_written_is_read(tmp_path: Path) -> None:
    odd = Account(
        login='山田 "taro": #1',
        password=HASH,
        addresses=('"a b"@example.jp', "@例え.jp"),
        language=Language.EN,
    )
    file = tmp_path / "folder" / "accounts.yaml"
    write(file, (ALICE, SUSPENDED, odd))
    assert read(file) == (ALICE, SUSPENDED, odd)
    assert [path.name for path in file.parent.iterdir()] == ["accounts.yaml"]
    write(file, ())
    assert read(file) == ()


def test_no_file_means_no_accounts(tmp_path: Path) -> None:
    assert len(Accounts(tmp_path / "none.yaml")) == 0
    assert len(Accounts(None)) == 0


def test_only_a_whole_and_valid_file_changes_the_accounts(tmp_path: Path) -> None:
    file, told = tmp_path / "accounts.yaml", list[Changes]()
    now = utc_now() + timedelta(seconds=0.5)
    write(file, (ALICE, SUSPENDED))
    accounts = Accounts(file, told.append, lambda: now)
    whole = file.read_text()
    file.unlink()
    assert len(accounts) == 2
    file.write_text(whole[: whole.index("  - ", whole.index("  - ") + 1)])  # one of two accounts so far
    assert len(accounts) == 2
    for half in ("", "# accounts\n", "accounts:\n", "accounts: ["):
        now += timedelta(seconds=10)
        file.write_text(half)
        assert len(accounts) == 2, half
    now += timedelta(seconds=10)
    file.write_text(whole)
    assert len(accounts) == 2
    assert told == []
    write(file, (SUSPENDED,))
    assert len(accounts) == 1
    write(file, ())
    assert len(accounts) == 0
    assert len(told) == 2


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "accounts.yaml"
    write(file, (ALICE,))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(file, (SUSPENDED,))
    assert read(file) == (ALICE,)
    assert [path.name for path in tmp_path.iterdir()] == ["accounts.yaml"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("accounts: [", ":1:"),
        ("account: []", "unknown key 'account'"),
        (
            "accounts:\n  - login: a\n    password: secret\n    addresses: [a@example.jp]\n",
            "not an argon2id hash",
        ),
        (f"accounts:\n  - login: a\n    password: {HASH}\n    addresses: []\n", "accounts[0].addresses"),
        (f"accounts:\n  - login: a\n    password: {HASH}\n    addresses: [nobody]\n", ":4:"),
        (f"accounts:\n  - login: a\n    password: {HASH}\n    addresses: [a@b, '@']\n", "not an address"),
        (f"accounts:\n  - login: a\n    password: {HASH}\n    addresses: [a%b@example.jp]\n", "two ways"),
        (
            f"accounts:\n  - login: ' a'\n    password: {HASH}\n    addresses: [a@example.jp]\n",
            "no space around",
        ),
        (to_yaml((ALICE, ALICE.model_copy(update={"login": "ALICE"}))), "stands here twice"),
    ],
)
def test_problems_name_the_place(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text(text)
    with pytest.raises(Problems) as caught:
        read(file)
    assert problem in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_broken_password_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text("accounts:\n  - login: a\n    password: in the clear\n    addresses: [a@example.jp]\n")
    with pytest.raises(Problems) as caught:
        read(file)
    assert "in the clear" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "owned"),
    [
        ("alice@sports.example.jp", True),
        ("ALICE@Sports.Example.JP", True),
        ("alice@club.example.jp", True),
        ("any.one@CLUB.example.jp", True),
        ("bob@sports.example.jp", False),
        ("alice@sub.club.example.jp", False),
        ("alice@club.example.jp.example.com", False),
        ("x%y@club.example.jp", False),
        ("@relay.example:alice@club.example.jp", False),
        ('"x@club.example.jp"@example.com', False),
    ],
)
def test_what_an_account_owns(address: str, owned: bool) -> None:
    assert ALICE.owns(parse_path(address)) is owned
