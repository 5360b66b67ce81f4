"""The master key: kept private, never overwritten, one derived key per purpose."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.errors import StateInUse, WrongMasterKey
from gateway.store.keys import ENVIRONMENT, MasterKey, MasterKeyError, key_file


def test_a_new_key_file_is_private_and_loads(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    made = MasterKey.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKey.load(path, {}).derive("x") == made.derive("x")
    with pytest.raises(MasterKeyError, match="never overwritten"):
        MasterKey.create(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    MasterKey.create(path)
    path.chmod(mode)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        MasterKey.load(path, {})


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_key_of_another_length_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(MasterKeyError, match="32 bytes"):
        MasterKey.load(path, {})


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    secret = os.urandom(32)
    loaded = MasterKey.load(tmp_path / "none", {ENVIRONMENT: base64.b64encode(secret).decode()})
    assert loaded.key_id == MasterKey(secret).key_id
    with pytest.raises(MasterKeyError, match="base64"):
        MasterKey.load(None, {ENVIRONMENT: "no base64!"})
    with pytest.raises(MasterKeyError, match="set SEKISHO_MASTER_KEY"):
        MasterKey.load(None, {})
    with pytest.raises(MasterKeyError, match="cannot be read"):
        MasterKey.load(tmp_path / "none", {})


def test_purposes_and_keys_differ_and_nothing_shows_the_secret() -> None:
    one, other = MasterKey(bytes(32)), MasterKey(b"x" * 32)
    assert len({one.derive("a"), one.derive("b"), other.derive("a")}) == 3
    assert repr(one) == f"MasterKey({one.key_id})"


def test_a_wrapped_key_opens_for_its_message_and_under_its_master_key_only() -> None:
    one, other = MasterKey(bytes(32)), MasterKey(b"x" * 32)
    key = os.urandom(32)
    wrapped = one.wrap(key, "Q1")
    assert one.unwrap(wrapped, "Q1") == key
    for master, queue_id, given in (
        (other, "Q1", wrapped),
        (one, "Q2", wrapped),
        (one, "Q1", wrapped[:-1]),
        (one, "Q1", b""),
    ):
        with pytest.raises(MasterKeyError, match="cannot be unwrapped"):
            master.unwrap(given, queue_id)


def test_the_key_stands_in_the_state_directory_unless_the_settings_say_else(tmp_path: Path) -> None:
    assert key_file(tmp_path, None) == tmp_path / "master.key"
    assert key_file(tmp_path, Path("/k")) == Path("/k")


def test_a_store_does_not_open_under_another_master_key(tmp_path: Path) -> None:
    Database(tmp_path, MasterKey(bytes(32)), serve=True).close()
    with pytest.raises(WrongMasterKey):
        Database(tmp_path, MasterKey(b"x" * 32), serve=True)
    Database(tmp_path, MasterKey(bytes(32)), serve=True).close()


def test_one_serve_per_state_directory_and_commands_beside_it(tmp_path: Path) -> None:
    master = MasterKey(bytes(32))
    serving = Database(tmp_path, master, serve=True)
    with pytest.raises(StateInUse):
        Database(tmp_path, master, serve=True)
    Database(tmp_path, master, serve=False).close()
    serving.close()
    Database(tmp_path, master, serve=True).close()
