"""An export with proof is verified away from the gateway, and nothing in it can be changed unnoticed."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.audit.offline import Report, verify_export
from gateway.audit.proof import NothingToProve
from gateway.audit.signed import Signer, read_public, write_public
from gateway.cli import main
from gateway.spool.sql import SqlSpool, open_spool
from tests.audit.proofs import HOUR, altered, export, keys, sign, three_hours
from tests.audit.writing import later, write
from tests.spool.conftest import MASTER
from tests.spool.mails import T0
from tests.thoroughness import examples

Members = dict[str, bytes]
STRANGER = Signer.fresh(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """An export of all of three hours, and the two keys that signed it."""
    return asyncio.run(_made(tmp_path_factory.mktemp("export")))


async def _made(folder: Path) -> tuple[Path, list[bytes]]:
    spool = open_spool(folder / "state", MASTER, serve=True, clock=lambda: T0)
    try:
        await three_hours(spool)
        await export(spool, folder / "all.zip")
        await export(spool, folder / "part.zip", T0 + HOUR, T0 + 3 * HOUR)
        return folder / "all.zip", await keys(spool)
    finally:
        await spool.close()


def test_a_whole_export_is_proved_under_either_key(made: tuple[Path, list[bytes]]) -> None:
    """The old key leads to the new one and back: each succession is signed by both."""
    path, (first, second) = made
    for trusted in (first, second):
        found = verify_export(path, trusted)
        assert (found.problem, found.checkpoints, found.since) == ("", 3, "")
        assert found.events == 14 - 1  # all but the event of the last checkpoint itself
        assert found.until == (T0 + 3 * HOUR).isoformat()


def test_a_stranger_proves_nothing(made: tuple[Path, list[bytes]]) -> None:
    assert "none of the keys" in verify_export(made[0], STRANGER.public).problem


def _lines(members: Members, name: str, change: Callable[[list[bytes]], object]) -> None:
    lines = members[name].splitlines(keepends=True)
    change(lines)
    members[name] = b"".join(lines)


def _json(members: Members, name: str, change: Callable[[Any], object], line: int = 0) -> None:
    lines = members[name].splitlines()
    value = json.loads(lines[line])
    change(value)
    lines[line] = json.dumps(value).encode()
    members[name] = b"\n".join(lines) + b"\n"


def _set(*path: object, to: object) -> Callable[[Any], object]:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to

    return change


def _flip(text: str) -> str:
    return ("0" if text[0] != "0" else "1") + text[1:]


def _resign(members: Members) -> None:
    """Alter a checkpoint and sign it with a key of one's own, named in it."""
    lines = members["checkpoints.jsonl"].splitlines()
    given = json.loads(lines[0])
    told = json.loads(given["statement"]) | {"key": write_public(STRANGER.public)}
    statement = json.dumps(told)
    lines[0] = json.dumps(
        {"statement": statement, "signature": STRANGER.sign("checkpoint", statement).hex()}
    ).encode()
    members["checkpoints.jsonl"] = b"\n".join(lines) + b"\n"


def _swap(lines: list[bytes]) -> None:
    lines[1], lines[2] = lines[2], lines[1]


def _in_event(old: bytes, new: bytes) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        assert old in members["events-1.txt"]
        members["events-1.txt"] = members["events-1.txt"].replace(old, new, 1)

    return change


TAMPERED: dict[str, tuple[Callable[[Members], None], str]] = {
    "sender": (_in_event(b"clerk@", b"chief@"), "event 1 was altered"),
    "actor": (_in_event("田中".encode(), "鈴木".encode()), "event 2 was altered"),
    "kind": (_in_event(b'"cancelled"', b'"delivered"'), "event 2 was altered"),
    "reason": (_in_event(b'"by-admin"', b'"by-sender"'), "event 2 was altered"),
    "queue id": (_in_event(b'"M0"', b'"M9"'), "event 1 was altered"),
    "recipients": (_in_event(b'"0"', b'"1"'), "event 1 was altered"),
    "time": (_in_event(b"[1,", b"[1,1"), "event 1 was altered"),
    "number": (_in_event(b"[2,", b"[9,"), "event 2 is missing: the next one is 9"),
    "event removed": (lambda m: _lines(m, "events-1.txt", lambda lines: lines.pop(3)), "event 4 is missing"),
    "events swapped": (lambda m: _lines(m, "events-1.txt", _swap), "event 2 is missing"),
    "end cut off": (lambda m: _lines(m, "events-1.txt", lambda lines: lines.pop()), "event 13 is missing"),
    "event added": (
        lambda m: _lines(m, "events-1.txt", lambda lines: lines.append(lines[-1])),
        "event 14 stands behind the last checkpoint",
    ),
    "line cut": (lambda m: m.update({"events-1.txt": m["events-1.txt"][:-5]}), "was cut off"),
    "checkpoint text": (
        lambda m: _json(
            m, "checkpoints.jsonl", lambda v: v.update(statement=v["statement"].replace("2026", "2027"))
        ),
        "checkpoint 1 was altered",
    ),
    "signature": (
        lambda m: _json(m, "checkpoints.jsonl", lambda v: v.update(signature=_flip(v["signature"]))),
        "checkpoint 1 was altered",
    ),
    "checkpoint of a stranger": (_resign, "checkpoint 1 was signed by a key that is none"),
    "checkpoint removed": (
        lambda m: _lines(m, "checkpoints.jsonl", lambda lines: lines.pop(1)),
        "checkpoint 3 does not follow checkpoint 1",
    ),
    "first checkpoint removed": (
        lambda m: _lines(m, "checkpoints.jsonl", lambda lines: lines.pop(0)),
        "its first checkpoint is 2",
    ),
    "no checkpoints": (lambda m: m.update({"checkpoints.jsonl": b""}), "holds no checkpoint"),
    "begins elsewhere": (
        lambda m: _json(m, "proof.json", _set("begins_at", to=2)),
        "its first checkpoint is 1",
    ),
    "begins later": (lambda m: _json(m, "proof.json", _set("begins_at", to=1)), "event 4 is missing"),
    "format": (lambda m: _json(m, "proof.json", _set("format", to=2)), "format 2"),
    "chain renamed": (lambda m: _json(m, "proof.json", _set("chains", 0, "node", to="x")), "not those that"),
    "file missing": (lambda m: m.__delitem__("events-1.txt"), "lacks a part"),
    "file added": (lambda m: m.update({"more.txt": b""}), "one too many"),
    "key replaced": (
        lambda m: _json(m, "keys.json", _set(1, "public", to=write_public(STRANGER.public))),
        "key 2 does not follow key 1",
    ),
    "succession": (
        lambda m: _json(
            m,
            "keys.json",
            lambda v: v[1].update(succession=v[1]["succession"].replace('\\"number\\":2', '\\"number\\":3')),
        ),
        "key 2 does not follow key 1",
    ),
    "keys gone": (lambda m: m.update({"keys.json": b"[]\n"}), "none of the keys"),
    "not JSON": (lambda m: m.update({"proof.json": b"{"}), "is not what an export holds"),
    "not an object": (lambda m: m.update({"proof.json": b"[]"}), "is not what an export holds"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_altered_is_named(name: str, made: tuple[Path, list[bytes]], tmp_path: Path) -> None:
    change, problem = TAMPERED[name]
    found = verify_export(altered(made[0], tmp_path / "altered.zip", change), made[1][0])
    assert problem in found.problem


@given(data=st.data())
@settings(
    max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_octet_can_be_changed(made: tuple[Path, list[bytes]], tmp_path: Path, data: st.DataObject) -> None:
    """Any octet of any part: the verification finds it, or what the octets mean is the same."""

    def change(members: Members) -> None:
        name = data.draw(st.sampled_from(sorted(members)))
        place = data.draw(st.integers(0, len(members[name]) - 1))
        octets = bytearray(members[name])
        octets[place] ^= data.draw(st.integers(1, 255))
        before = members[name]
        members[name] = bytes(octets)
        same.append(name.endswith((".json", ".jsonl")) and _meaning(before) == _meaning(bytes(octets)))

    same: list[bool] = []
    found = verify_export(altered(made[0], tmp_path / "altered.zip", change), made[1][0])
    assert found.problem or same[0]


def _meaning(octets: bytes) -> object:
    try:
        return [json.loads(line) for line in octets.rstrip(b"\n").split(b"\n")]
    except ValueError:
        return None


def test_what_is_no_export_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04 nothing")
    assert verify_export(path, STRANGER.public).problem.startswith("the file cannot be read")


async def test_a_part_is_proved_between_its_checkpoints(spool: SqlSpool, tmp_path: Path) -> None:
    """Both stores. The part is widened to the checkpoints around it; a time after the last one is refused."""
    await three_hours(spool)
    (first, _) = await keys(spool)
    second = timedelta(seconds=1)
    for begin, end in ((1, 2), (1, 3), (2, 3)):
        path = tmp_path / f"{begin}-{end}.zip"
        wrote = await export(spool, path, T0 + begin * HOUR + second, T0 + end * HOUR - second)
        found = verify_export(path, first)
        assert (found.problem, found.since) == ("", (T0 + begin * HOUR).isoformat())
        assert found.events == wrote
    with pytest.raises(NothingToProve):
        await export(spool, tmp_path / "none.zip", T0 + 4 * HOUR)


async def test_an_empty_part_is_proved_too(spool: SqlSpool, tmp_path: Path) -> None:
    await sign(spool, T0)
    await sign(spool, T0 + HOUR)
    path = tmp_path / "x.zip"
    await export(spool, path, T0)
    found = verify_export(path, (await keys(spool))[0])
    assert (found.problem, found.checkpoints) == ("", 2)


def test_the_command_needs_nothing_but_file_and_key(
    made: tuple[Path, list[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(made[0], tmp_path / "export.zip")
    monkeypatch.chdir(tmp_path)
    for variable in ("SEKISHO_MASTER_KEY", "SEKISHO_STATE"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "key.txt").write_text(write_public(made[1][1]) + "\n")
    good = CliRunner().invoke(main, ["log", "verify-export", "export.zip", "--key", "key.txt"])
    assert (good.exit_code, good.output.splitlines()[0][:32]) == (0, "13 events from the first event t")
    bad = CliRunner().invoke(
        main, ["log", "verify-export", "export.zip", "--key", write_public(STRANGER.public), "--json"]
    )
    assert (bad.exit_code, json.loads(bad.output)["good"]) == (1, False)
    assert CliRunner().invoke(main, ["log", "verify-export", "export.zip", "--key", "x"]).exit_code == 2


@given(st.binary(min_size=32, max_size=32))
def test_a_public_key_reads_back(octets: bytes) -> None:
    assert read_public(f" {write_public(octets)}\n") == octets


PAGE = Path(__file__).parents[2] / "docs" / "verify-export.md"


def _stand_alone(path: Path, key: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    script = folder / "verify.py"
    script.write_text(
        PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0], encoding="utf-8"
    )
    command = [sys.executable, "-I", str(script), str(path), write_public(key)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def test_the_script_of_the_documentation_says_the_same(
    made: tuple[Path, list[bytes]], tmp_path: Path
) -> None:
    """It needs nothing of ours, and fails for what our command fails for."""
    good = _stand_alone(made[0], made[1][0], tmp_path)
    assert good.stdout == "13 events, 3 checkpoints: complete and unaltered\n", good.stderr
    assert "complete" in _stand_alone(made[0].with_name("part.zip"), made[1][1], tmp_path).stdout
    assert _stand_alone(made[0], STRANGER.public, tmp_path).returncode == 1
    for name in ("sender", "event removed", "end cut off", "signature"):
        path = altered(made[0], tmp_path / f"{name}.zip", TAMPERED[name][0])
        assert _stand_alone(path, made[1][0], tmp_path).returncode == 1, name


@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_is_proved_over_any_part(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """However many events lie between checkpoints, and wherever the part begins and ends."""
    folder = tmp_path_factory.mktemp("walk")
    hours = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    since = data.draw(st.none() | st.integers(0, len(hours) - 1))
    until = data.draw(st.none() | st.integers((since or 0) + 1, len(hours)))
    found = asyncio.run(_walk(folder, hours, since, until))
    assert found.problem == ""
    last = len(hours) if until is None else until
    assert found.checkpoints == last - (since or 0) + (since is not None and since > 0)


async def _walk(folder: Path, hours: list[int], since: int | None, until: int | None) -> Report:
    spool = open_spool(folder / "state", MASTER, clock=lambda: T0)
    try:
        for hour, count in enumerate(hours, 1):
            await write(spool, [later(None, hour, "policy") for _ in range(count)])
            await sign(spool, T0 + hour * HOUR)
        begin = None if since is None else T0 + since * HOUR
        await export(spool, folder / "x.zip", begin, None if until is None else T0 + until * HOUR)
        return verify_export(folder / "x.zip", (await keys(spool))[0])
    finally:
        await spool.close()


@pytest.mark.parametrize("days", [0, 2])
def test_a_stolen_key_signs_nothing_behind_its_successor(tmp_path: Path, days: int) -> None:
    """The first key was stolen, therefore replaced. The thief writes the second checkpoint anew, or one of later days."""
    stolen, new = Signer.fresh(1), Signer.fresh(2)
    statement = json.dumps(
        {
            "at": T0.isoformat(),
            "from": write_public(stolen.public),
            "number": 2,
            "to": write_public(new.public),
        }
    )
    signed = {
        f"signed_by_{name}": key.sign("key succession", statement).hex() for name, key in _both(stolen, new)
    }
    listed = [
        {"public": write_public(stolen.public), "succession": ""},
        {"public": write_public(new.public), "succession": json.dumps({"statement": statement} | signed)},
    ]
    lines, previous = [], ""
    for number, signer in enumerate([stolen if days else new, stolen], 1):
        told = {"version": 1, "number": number, "at": (T0 + timedelta(days=days)).isoformat(), "chains": []}
        text = json.dumps(told | {"previous": previous, "key": write_public(signer.public)})
        lines.append(json.dumps({"statement": text, "signature": signer.sign("checkpoint", text).hex()}))
        previous = sha256(text.encode()).hexdigest()
    path = tmp_path / "forged.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("proof.json", json.dumps({"format": 1, "chains": [], "begins_at": None}))
        archive.writestr("keys.json", json.dumps(listed))
        archive.writestr("checkpoints.jsonl", "".join(f"{line}\n" for line in lines))
    assert "signed by key 1, which had a successor" in verify_export(path, new.public).problem


def _both(old: Signer, new: Signer) -> list[tuple[str, Signer]]:
    return [("old", old), ("new", new)]
