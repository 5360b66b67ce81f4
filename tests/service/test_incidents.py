"""Incidents in a running gateway: what the settings say of them, and one round of the loop."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from gateway.config.settings import Settings
from gateway.incidents.contract import Organisation
from gateway.incidents.door import Incidents
from gateway.service import incidents as care
from gateway.service.incidents import care_once, duty_of
from gateway.spool.contract import StoreUnavailable
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import open_spool
from gateway.store.keys import MasterKey
from tests.incidents.cases import OFFICER, OFFICIAL, letters, opened, ordering


def settings(**incidents: object) -> Settings:
    return Settings.model_validate({"hostname": "sekisho.example.jp", "incidents": incidents})


def test_the_settings_say_whom_to_tell_and_which_law() -> None:
    found = duty_of(settings(privacy_officer=[OFFICER], organisation="business", remind_before=["3d"]))
    assert (found.officers, found.organisation) == ((OFFICER,), Organisation.BUSINESS)
    assert found.leads == (timedelta(days=3),)
    assert duty_of(settings()).organisation is Organisation.LOCAL_GOVERNMENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"privacy_officer": ["nobody"]},
        {"privacy_officer": [OFFICER] * 21},
        {"organisation": "club"},
        {"remind_before": ["1h"]},
        {"remind_before": ["60d"]},
        {"unknown": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="incidents"):
        settings(**wrong)


async def test_one_round_reminds_rings_and_deletes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = open_spool(tmp_path / "state", MasterKey(bytes(32)))
    incidents = Incidents(spool.database, duty_of(settings(privacy_officer=[OFFICER])), ordering)
    queue_id = await opened(spool, incidents, persons=101)
    due = (await incidents.get(queue_id)).remind_at
    assert due is not None
    rung: list[bool] = []
    monkeypatch.setattr(care, "utc_now", lambda: due)
    assert not await care_once(incidents, timedelta(days=366), lambda: rung.append(True))
    assert len(await letters(spool, NoticeKind.INCIDENT_CLOCK)) == len(rung) == 1
    await incidents.close(queue_id, "x", OFFICIAL, due)
    monkeypatch.setattr(care, "utc_now", lambda: due + timedelta(days=367))
    assert not await care_once(incidents, timedelta(days=366), lambda: rung.append(True))
    assert await incidents.find(queue_id) is None
    assert len(rung) == 1
    await spool.close()


async def test_one_bad_incident_does_not_stop_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []

    async def once(*_: object) -> bool:
        rounds.append(1)
        if len(rounds) == 3:
            raise asyncio.CancelledError
        raise (StoreUnavailable("down") if len(rounds) == 1 else ValueError("odd row"))

    monkeypatch.setattr(care, "care_once", once)
    with pytest.raises(asyncio.CancelledError):
        await care.care_for_incidents(cast(Incidents, None), timedelta(1), lambda: None, every_s=0)
    assert len(rounds) == 3
