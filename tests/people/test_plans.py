"""What every page, every token and every two seconds costs: one look in an index, however many people there are."""

from __future__ import annotations

import pytest

from gateway.people import registry, session_rows, tokens
from gateway.store.tx import Prepared, Queries
from tests.people.conftest import House


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (session_rows._READ, "sqlite_autoindex_sign_ins_1"),
        (tokens._READ, "sqlite_autoindex_api_tokens_1"),
        (registry._SUSPENDED, "ix_people_suspended"),
    ],
)
async def test_no_table_is_walked_through(house: House, statement: Prepared, index: str) -> None:
    def read(queries: Queries) -> str:
        sql, own = statement.compiled(queries.connection.dialect)
        named = {"b_hash": "x", "b_stage": "in", **own}
        plan = queries.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", named).all()
        return "\n".join(str(row[3]) for row in plan)

    plan = house.spool.database.readers.read(read)
    assert index in plan
    assert not [line for line in plan.splitlines() if line.startswith("SCAN") and index not in line]
