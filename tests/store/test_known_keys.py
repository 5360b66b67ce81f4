"""A key that was retired is never written under again, by whoever stood still while it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.service.master_key import KeyInUse
from gateway.spool.rekeying import forget, reseal_all, rewrap_all
from gateway.spool.sql import open_spool
from gateway.store.errors import StoreUnavailable
from gateway.store.keys import MasterKey
from gateway.store.known_keys import new_key
from gateway.store.where import Where
from tests.spool.mails import RAW, mail

OLD = MasterKey(b"o" * 32)


@pytest.mark.parametrize(
    ("used", "held", "known", "new"),
    [
        (["a"], ["a"], ["a"], None),
        (["a"], ["a"], ["b", "a"], None),
        (["b"], ["b", "a"], ["a"], "b"),  # its rotation was cut off before the store heard of it
        (["a", "b"], ["b", "a"], ["a"], "b"),
        (["a", "b"], ["b", "a"], ["a", "b"], None),
    ],
)
def test_a_key_in_use_is_known_or_made_known(
    used: list[str], held: list[str], known: list[str], new: str | None
) -> None:
    assert new_key(used, held, known) == new


@pytest.mark.parametrize(
    ("used", "held", "known"),
    [
        (["a"], ["a"], ["b"]),
        (["a"], ["a", "z"], ["b"]),
        (["a", "b"], ["b", "a"], ["b"]),  # a body that was sealed before, and comes after
    ],
)
def test_a_key_that_was_retired_is_refused(used: list[str], held: list[str], known: list[str]) -> None:
    with pytest.raises(StoreUnavailable, match="master key a was retired"):
        new_key(used, held, known)


async def test_a_worker_that_slept_through_a_rotation_takes_no_mail_until_it_has_the_new_key(
    tmp_path: Path,
) -> None:
    """What it took under the old key, nobody could open after the next start."""
    path = tmp_path / "master.key"
    sleeper = open_spool(Where(tmp_path / "var", worker=1, workers=2), OLD, serve=True)
    before = await sleeper.accept(mail(held=1))
    new = OLD.successor()
    command = open_spool(tmp_path / "var", new)
    await rewrap_all(command, new)
    await reseal_all(command, new)
    await forget(command, OLD.key_id)
    await command.close()
    for raw in (RAW, RAW + b"x" * 100_000):
        with pytest.raises(StoreUnavailable, match="was retired"):
            await sleeper.accept(mail(held=1, raw=raw))
    path.write_bytes(b"n" * 32)
    path.chmod(0o600)
    following = KeyInUse(OLD, path, sleeper.database.adopt, sleeper.database.known_keys)
    following.refresh()
    with pytest.raises(StoreUnavailable):
        await sleeper.accept(mail(held=1))  # a key that the store does not know is not taken
    path.unlink()
    MasterKey.create(path)
    new.alone().replace(path)
    following.refresh()
    after = await sleeper.accept(mail(held=1))
    await sleeper.close()
    again = open_spool(tmp_path / "var", new.alone(), serve=True)
    assert [await again.raw(queue_id) for queue_id in (before, after)] == [RAW, RAW]
    await again.close()
