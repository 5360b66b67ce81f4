"""Which key a running service takes from its key file: one that comes with the key in use, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.settings import Settings
from gateway.service.master_key import KeyInUse, watched_file
from gateway.store.keys import ENVIRONMENT, MasterKey


class Follower:
    """A service's key in a file, and the keys that it was given."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "master.key"
        self.first = MasterKey.create(self.file)
        self.adopted: list[tuple[str, ...]] = []
        self.in_use = KeyInUse(self.first, self.file, lambda key: self.adopted.append(key.key_ids))


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    return Follower(tmp_path)


def test_a_file_that_stays_as_it_is_changes_nothing(follower: Follower) -> None:
    follower.in_use.refresh()
    assert follower.adopted == []


def test_a_successor_that_comes_with_the_key_in_use_is_taken_once(follower: Follower) -> None:
    second = follower.first.successor()
    second.replace(follower.file)
    follower.in_use.refresh()
    follower.in_use.refresh()
    assert follower.adopted == [second.key_ids]


def test_a_key_without_the_one_in_use_is_refused(follower: Follower) -> None:
    follower.first.successor().alone().replace(follower.file)
    follower.in_use.refresh()
    assert follower.adopted == [], "it would not open what the first one wrapped"


def test_the_old_key_may_leave_once_another_leads(follower: Follower) -> None:
    second = follower.first.successor()
    second.replace(follower.file)
    follower.in_use.refresh()
    second.alone().replace(follower.file)
    follower.in_use.refresh()
    assert follower.adopted == [second.key_ids, (second.key_id,)]


@pytest.mark.parametrize("octets", [b"", b"short", b"x" * 33])
def test_a_file_that_holds_no_key_is_left_alone(follower: Follower, octets: bytes) -> None:
    follower.file.write_bytes(octets)
    follower.in_use.refresh()
    assert follower.adopted == []


def test_a_file_that_is_gone_is_left_alone(follower: Follower) -> None:
    follower.file.unlink()
    follower.in_use.refresh()
    assert follower.adopted == []


async def test_a_key_from_the_environment_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(hostname="gw.example.jp", state=tmp_path)
    assert watched_file(settings) == tmp_path / "master.key"
    monkeypatch.setenv(ENVIRONMENT, "…")
    assert watched_file(settings) is None
    adopted: list[MasterKey] = []
    unfollowed = KeyInUse(MasterKey(b"k" * 32), None, adopted.append)
    unfollowed.refresh()
    await unfollowed.watch()
    assert adopted == []
