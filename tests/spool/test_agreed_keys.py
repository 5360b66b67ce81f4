"""Keys agreed on with receivers: kept wrapped, found by address and then by domain; the command shows none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.policy.protection import Way
from gateway.spool.agreed_keys import MAX_KEY, checked, who_of
from gateway.spool.key_contract import NoKey
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store.attachment_tables import agreed_keys
from gateway.store.keys import MasterKey
from gateway.store.schema import events
from tests.spool.keyed import CLERK, NUMBER, keyed, sealed
from tests.spool.mails import MINUTE, T0

ADMIN = Actor("admin", "root")
FIRST, SECOND = "first-key-of-all", "second key, 2026!"


async def test_the_address_goes_before_its_domain(spool: SqlSpool) -> None:
    await spool.keys.agree("@Example.COM", FIRST, ADMIN, T0)
    await spool.keys.agree("R1@example.com", SECOND, ADMIN, T0)
    queue_id = await spool.accept(keyed(*[sealed(Way.PREAGREED)] * 3))
    keys = await spool.keys.to_seal(queue_id, [0, 1, 2])
    assert [keys[index].text for index in range(3)] == [FIRST, SECOND, FIRST]
    assert keys[0].key_id == keys[2].key_id != keys[1].key_id


async def test_who_has_one(spool: SqlSpool) -> None:
    await spool.keys.agree("@example.com", FIRST, ADMIN, T0)
    asked = {f"r{n}@example.com" for n in range(120)} | {"r@sub.example.com", "r@example.net"}
    assert await spool.keys.agreed(asked) == {f"r{n}@example.com" for n in range(120)}
    assert await spool.keys.agreed([]) == frozenset()


async def test_a_removed_key_keeps_its_mail_until_one_is_set_again(spool: SqlSpool) -> None:
    await spool.keys.agree("r0@example.com", FIRST, ADMIN, T0)
    queue_id = await spool.accept(keyed(sealed(Way.PREAGREED)))
    assert await spool.keys.disagree("r0@example.com", ADMIN, T0)
    assert not await spool.keys.disagree("r0@example.com", ADMIN, T0)
    with pytest.raises(NoKey, match="none"):
        await spool.keys.to_seal(queue_id, [0])
    await spool.keys.agree("r0@example.com", SECOND, ADMIN, T0)
    assert (await spool.keys.to_seal(queue_id, [0]))[0].text == SECOND


async def test_a_new_one_replaces_the_old_and_says_when(spool: SqlSpool) -> None:
    await spool.keys.agree("r0@example.com", FIRST, ADMIN, T0)
    await spool.keys.agree("r0@example.com", SECOND, Actor("admin", "other"), T0 + MINUTE)
    (found,) = await spool.keys.agreements()
    assert (found.who, found.set_at, found.set_by) == ("r0@example.com", T0 + MINUTE, "other")


async def test_it_is_nowhere_in_clear(spool: SqlSpool) -> None:
    await spool.keys.agree("r0@example.com", FIRST, ADMIN, T0)
    said = await spool.database.readers.run(
        lambda q: [str(q.connection.execute(sa.select(each)).all()) for each in (agreed_keys, events)]
    )
    assert FIRST not in "".join(said)
    assert "agreed-key" in said[1]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("User@Example.JP", "user@example.jp"),
        ("@例え.jp", "@xn--r8jz45g.jp"),
        ("@EXAMPLE.com.", "@example.com"),
    ],
)
def test_names_are_those_that_addresses_are_compared_by(text: str, name: str) -> None:
    assert who_of(text) == name


@pytest.mark.parametrize(
    "text", ["", "@", "example.com", "a b@example.com", "a%b@example.com", "x@@example.com"]
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|ways"):
        who_of(text)


@pytest.mark.parametrize(
    "text", ["", "short", "鍵" * 20, "tab\tin-the-middle", " around-it-spaces ", "k" * (MAX_KEY + 1)]
)
def test_a_key_that_programs_write_differently_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match="a key") as refused:
        checked(text)
    assert not text or text not in str(refused.value)


def run(state: Path, *arguments: str, typed: str = "") -> Result:
    verb, *rest = arguments
    return CliRunner().invoke(main, ["secret", verb, "--state", str(state), *rest], input=typed)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    open_spool(folder, MasterKey.create(folder / "master.key")).database.close()
    return folder


def test_the_command_sets_lists_and_removes(state: Path) -> None:
    kept = run(state, "set", "@example.com", typed=f"{FIRST}\n{FIRST}\n")
    assert (kept.exit_code, kept.stdout.splitlines()[-1]) == (0, "kept for @example.com")
    assert run(state, "set", "A@example.net", "--stdin", typed=SECOND + "\n").exit_code == 0
    listed = run(state, "list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["@example.com", "a@example.net"]
    rows = json.loads(run(state, "list", "--json").stdout)
    assert [(row["who"], row["age_days"]) for row in rows] == [("@example.com", 0), ("a@example.net", 0)]
    shown = kept.output + listed.output + json.dumps(rows)
    assert FIRST not in shown
    assert SECOND not in shown
    assert run(state, "remove", "@example.com").exit_code == 0
    assert run(state, "remove", "@example.com").exit_code == 1
    assert len(json.loads(run(state, "list", "--json").stdout)) == 1


def test_held_show_tells_how_far_a_key_is_and_no_key(state: Path) -> None:
    async def accepted() -> tuple[str, str]:
        spool = open_spool(state, MasterKey.load(state / "master.key", {}))
        queue_id = await spool.accept(keyed(sealed(None), sealed(), window=MINUTE))
        await spool.keys.supply(queue_id, [0], Way.SMS, NUMBER, CLERK, T0)
        key = (await spool.keys.to_seal(queue_id, [0]))[0].text
        await spool.close()
        return queue_id, key

    queue_id, key = asyncio.run(accepted())
    shown = CliRunner().invoke(main, ["held", "show", "--state", str(state), queue_id])
    assert "key by sms to ...5678: waiting" in shown.output
    assert "key by sender: waiting" in shown.output
    as_json = CliRunner().invoke(main, ["held", "show", "--json", "--state", str(state), queue_id])
    assert json.loads(as_json.stdout)["keys"]["0"]["stage"] == "waiting"
    assert key not in shown.output + as_json.output
    assert NUMBER not in shown.output + as_json.output


def test_a_generated_key_is_printed_once(state: Path) -> None:
    made = run(state, "set", "@example.com", "--generate", "--style", "letters", "--bits", "80")
    assert made.exit_code == 0
    key = made.stdout.strip()
    assert checked(key) == key
    assert key not in run(state, "list", "--json").output


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (("set", "nobody", "--generate"), ""),
        (("set", "@example.com", "--generate", "--stdin"), FIRST),
        (("set", "@example.com", "--stdin"), "short\n"),
        (("set", "@example.com"), f"{FIRST}\n{SECOND}\n"),
        (("set", "@example.com", FIRST), ""),
    ],
)
def test_what_the_command_refuses(state: Path, arguments: tuple[str, ...], typed: str) -> None:
    refused = run(state, *arguments, typed=typed)
    assert refused.exit_code != 0
    assert "short" not in refused.output
    assert json.loads(run(state, "list", "--json").stdout) == []
