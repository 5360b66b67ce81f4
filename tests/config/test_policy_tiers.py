"""The folder of two tiers: what is read of it, what must not be overlooked, and a floor that does not go silently."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from gateway.cli import main
from gateway.config import policies
from gateway.config.policies import PolicyInForce, read_policy
from gateway.yaml_source import Problems
from tests.policy.test_tiers import FLOOR, LOCAL

PATIENCE = 10.0  # seconds until a change that nobody noticed fails its test
FLAT = FLOOR
MORE = LOCAL.replace("more", "even-more")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "floor" / "10-base.yaml", FLOOR)
    put(tmp_path / "local" / "hall.yaml", LOCAL)
    return tmp_path


def put(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def problems(folder: Path) -> list[str]:
    with pytest.raises(Problems) as caught:
        read_policy(folder)
    return str(caught.value).replace(str(folder), "").splitlines()


def test_any_number_of_files_in_both_tiers(folder: Path) -> None:
    put(folder / "local" / "more.yaml", MORE)
    assert [rule.place for rule in read_policy(folder).rules] == [
        "local/more.yaml:3",
        "floor/10-base.yaml:6",
        "floor/10-base.yaml:7",
        "local/hall.yaml:3",
    ]


def test_a_floor_needs_no_local_files(folder: Path) -> None:
    shutil.rmtree(folder / "local")
    assert read_policy(folder).has_floor
    (folder / "local").mkdir()
    assert read_policy(folder).has_floor


def test_problems_show_the_whole_path(folder: Path) -> None:
    put(folder / "local" / "hall.yaml", LOCAL.replace("hold", "hald"))
    with pytest.raises(Problems) as caught:
        read_policy(folder)
    assert {problem.file for problem in caught.value.problems} == {str(folder / "local" / "hall.yaml")}


@pytest.mark.parametrize("name", ["default.yaml", "default.cases.yaml"])
def test_files_beside_the_tiers_are_an_error_that_says_where_to_put_them(folder: Path, name: str) -> None:
    put(folder / name, FLAT)
    assert problems(folder) == [
        f"/{name}:1:1: a file beside floor/ and local/ is not read "
        "(move it to floor/ (the ordering body's) or to local/ (what is added to that))"
    ]


@pytest.mark.parametrize("other", ["archive", "local", "examples"])
def test_other_folders_do_not_make_tiers_of_a_flat_folder(tmp_path: Path, other: str) -> None:
    put(tmp_path / "default.yaml", FLAT)
    put(tmp_path / other / "notes.txt", "nothing")
    assert not read_policy(tmp_path).has_floor


def test_local_files_without_a_floor_are_no_policy(folder: Path) -> None:
    put(folder / "local" / "own.yaml", FLAT)  # though it has everything that a policy of its own would need
    shutil.rmtree(folder / "floor")
    assert problems(folder) == [
        "/local:1:1: no floor/ stands beside it, and local files only add to a floor "
        "(put it back, or move all files into the folder above)"
    ]


def test_an_empty_floor_is_no_floor(folder: Path) -> None:
    (folder / "floor" / "10-base.yaml").unlink()
    put(folder / "floor" / "10-base.cases.yaml", "[]")
    assert problems(folder) == ["/floor:1:1: the floor holds no policy (put its files back)"]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("floor/more.yml", "/floor/more.yml:1:1: this file is not read (rename it to end in .yaml)"),
        ("local/more.YAML", "/local/more.YAML:1:1: this file is not read (rename it to end in .yaml)"),
        ("Floor/more.yaml", "/Floor:1:1: this folder is not read (rename it to floor)"),
    ],
)
def test_what_looks_like_policy_is_not_overlooked(folder: Path, path: str, problem: str) -> None:
    put(folder / path, LOCAL)
    assert problems(folder) == [problem]


@pytest.mark.parametrize("tier", ["floor", "local"])
def test_a_tier_that_is_no_folder(folder: Path, tier: str) -> None:
    shutil.rmtree(folder / tier)
    (folder / tier).symlink_to(folder / "nowhere")
    [line] = problems(folder)
    assert line.startswith(f"/{tier}:1:1: ")


async def test_a_broken_local_edit_keeps_the_whole_policy(folder: Path) -> None:
    policy = PolicyInForce(folder)
    assert await policy.reload()
    put(folder / "local" / "hall.yaml", "version: 1\nrules: [\n")
    assert not await policy.reload()
    assert [rule.id for rule in policy.current.rules] == ["floor", "halls", "more"]
    assert policy.problems is not None


async def test_the_end_of_a_mistake_is_told_also_where_the_policy_is_the_one_that_was_kept(
    folder: Path,
) -> None:
    policy = PolicyInForce(folder)
    with capture_logs() as told:
        assert await policy.reload()
        put(folder / "local" / "hall.yaml", "version: 1\nrules: [\n")
        assert not await policy.reload()
        put(folder / "local" / "hall.yaml", LOCAL)
        assert await policy.reload()
        assert await policy.reload()
    assert [line["event"] for line in told] == ["policy.in-force", "policy.broken", "policy.mended"]
    assert told[-1]["digest"] == policy.current.digest[:12]


@pytest.mark.parametrize("broken", ["version: 1\nrules: [\n", LOCAL.replace("id: more", "id: floor"), "\x00"])
async def test_a_broken_local_file_does_not_keep_a_new_floor_out(folder: Path, broken: str) -> None:
    told: list[str] = []
    policy = PolicyInForce(folder, lambda changed: told.append(changed.digest))
    assert await policy.reload()
    put(folder / "local" / "hall.yaml", broken)
    assert not await policy.reload()
    put(folder / "floor" / "20-more.yaml", MORE.replace("even-more", "new"))
    for _ in range(2):
        assert not await policy.reload()
        assert [rule.id for rule in policy.current.rules] == ["floor", "halls", "more", "new"]
        assert policy.problems is not None
    assert len(told) == 2
    put(folder / "local" / "hall.yaml", LOCAL)
    assert await policy.reload()
    assert policy.problems is None
    assert policy.current.digest == told[-1]


async def test_a_new_floor_that_meets_the_last_local_files_in_a_name_waits_for_somebody(folder: Path) -> None:
    policy = PolicyInForce(folder)
    assert await policy.reload()
    put(folder / "floor" / "20-more.yaml", LOCAL)
    assert not await policy.reload()
    assert [rule.place for rule in policy.current.rules if rule.id == "more"] == ["local/hall.yaml:3"]
    assert "stands twice" in str(policy.problems) or "belongs to the floor" in str(policy.problems)


def test_a_start_with_a_broken_local_file_has_no_policy(folder: Path) -> None:
    """Neither without the floor, nor without what the contractor wanted: mail gets 451, and the log names the line."""
    put(folder / "local" / "hall.yaml", LOCAL.replace("hold", "hald"))
    policy = PolicyInForce(folder)
    assert not asyncio.run(policy.reload())
    with pytest.raises(Problems, match=r"hall.yaml:3:.*hald"):
        policy.current  # noqa: B018


def test_rules_in_a_folder_below_a_tier_are_not_overlooked(folder: Path) -> None:
    for name in (".mounted", "mails"):
        (folder / "floor" / name).mkdir()
    put(folder / "floor" / ".mounted" / "a.yaml", LOCAL)
    put(folder / "floor" / "mails" / "a.eml", "")
    assert read_policy(folder).has_floor
    put(folder / "floor" / "old" / "a.yaml", LOCAL)
    assert problems(folder) == ["/floor/old:1:1: this folder is not read (move its files to floor/ itself)"]


async def test_a_floor_that_disappears_stays_in_force(folder: Path) -> None:
    policy = PolicyInForce(folder)
    assert await policy.reload()
    shutil.rmtree(folder / "floor")
    assert not await policy.reload()
    put(folder / "default.yaml", FLAT)  # and even where all that is left makes a policy of its own
    shutil.rmtree(folder / "local")
    assert not await policy.reload()
    assert "the floor is gone" in str(policy.problems)
    assert policy.current.has_floor
    (folder / "default.yaml").unlink()
    put(folder / "floor" / "10-base.yaml", FLOOR)
    assert await policy.reload()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - it asks about the state of something that tells nobody
            await asyncio.sleep(0.02)


async def test_changes_in_a_tier_are_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "LOOK_AGAIN_MS", 50)
    shutil.rmtree(folder / "local")
    policy, stop = PolicyInForce(folder), asyncio.Event()
    await policy.reload()
    task = asyncio.create_task(policy.watch(stop))
    try:
        put(folder / "local" / "hall.yaml", LOCAL)
        await until(lambda: "more" in [rule.id for rule in policy.current.rules])
        put(folder / "local" / "second.yaml", MORE)
        await until(lambda: "even-more" in [rule.id for rule in policy.current.rules])
        (folder / "floor").rename(folder / "gone")
        await until(lambda: policy.problems is not None)
        assert "halls" in [rule.id for rule in policy.current.rules]
        (folder / "gone").rename(folder / "floor")
        await until(lambda: policy.problems is None)
    finally:
        stop.set()
        await task


@pytest.mark.parametrize("told", [True, False])
async def test_a_change_before_the_watch_begins_or_that_nobody_tells_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    async def silent(*_: object, **__: object) -> AsyncIterator[set[object]]:
        while True:
            await asyncio.sleep(0.02)
            yield set()

    if not told:
        monkeypatch.setattr(policies, "awatch", silent)
    policy, stop = PolicyInForce(folder), asyncio.Event()
    await policy.reload()
    put(folder / "local" / "second.yaml", MORE)
    task = asyncio.create_task(policy.watch(stop))
    try:
        await until(lambda: "even-more" in [rule.id for rule in policy.current.rules])
        text = MORE.replace("even-more", "still-more")
        put(folder / "local" / "second.yaml", text)
        await until(lambda: "still-more" in [rule.id for rule in policy.current.rules])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_cases_of_the_floor_run_against_the_floor_alone(folder: Path) -> None:
    case = "- {{name: n, mail: {{from: a@example.com, to: b@example.com}}, expect: {{rules: [{}]}}}}\n"
    put(folder / "floor" / "f.cases.yaml", case.format("floor, halls"))
    put(folder / "local" / "l.cases.yaml", case.format("floor, halls, more"))
    result = CliRunner().invoke(main, ["policy", "test", str(folder)])
    assert (result.stdout, result.exit_code) == ("2 of 2 cases as expected\n", 0)
    put(folder / "floor" / "f.cases.yaml", case.format("floor"))
    result = CliRunner().invoke(main, ["policy", "test", str(folder)])
    assert "floor/f.cases.yaml:1: n" in result.stdout
