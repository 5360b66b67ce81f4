"""Incidents over a real store of either kind."""

from __future__ import annotations

import pytest

from gateway.incidents.door import Duty, Incidents
from gateway.spool.sql import SqlSpool
from tests.incidents.cases import OFFICER, ordering
from tests.spool.conftest import spool as spool
from tests.spool.conftest import ticks as ticks
from tests.spool.conftest import where as where


@pytest.fixture
def incidents(spool: SqlSpool) -> Incidents:
    return Incidents(spool.database, Duty(officers=(OFFICER,)), ordering)
