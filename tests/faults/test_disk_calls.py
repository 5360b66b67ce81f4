"""Calls to the disk that fail while it runs: fsync, write and read, of the database and of body files.

Whatever fails, the client is told 451 or 452 and keeps its mail, /readyz and the log say so, nothing acknowledged is lost,
nothing refused arrives, and all is well as soon as the disk is.
"""

from __future__ import annotations

import errno
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.faults.conftest import House
from tests.faults.sending import HUGE, LARGE, SMALL, queue_id, send
from tests.process import wait_for

pytestmark = pytest.mark.crash

DATABASE, BODIES, FILES = "/var/sekisho.db", "/var/segments/", "/var/bodies/"


@dataclass(frozen=True)
class Row:
    """What fails, whom it hits, what the client hears."""

    name: str
    path: str
    order: Mapping[str, int]
    body: bytes = SMALL
    code: int = 451


ROWS = [
    Row("fsync-of-the-database", DATABASE, {"sync": errno.EIO}),
    Row("fsync-of-the-database-with-a-body", DATABASE, {"sync": errno.EIO}, LARGE),
    Row("fsync-of-a-body", BODIES, {"sync": errno.EIO}, LARGE),
    Row("write-of-the-database", DATABASE, {"write": errno.EIO}),
    Row("write-of-a-body", BODIES, {"write": errno.EIO}, LARGE),
    Row("no-room-for-the-database", DATABASE, {"write": errno.ENOSPC}, code=452),
    Row("no-room-for-a-body", BODIES, {"write": errno.ENOSPC}, LARGE, code=452),
    Row("fsync-of-a-huge-body", FILES, {"sync": errno.EIO}, HUGE),
    Row("no-room-for-a-huge-body", FILES, {"write": errno.ENOSPC}, HUGE, code=452),
    Row("quota-of-a-body", BODIES, {"write": errno.EDQUOT}, LARGE, code=452),
    Row("disk-went-read-only", "/var/", {"write": errno.EROFS}),
    Row("disk-went-read-only-with-a-body", "/var/", {"write": errno.EROFS}, LARGE),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_failing_call_is_temporary_and_costs_nothing(house: House, row: Row) -> None:
    gw, hop, orders = house.gw, house.hop, house.orders
    before, refused, after = (f"{when}-{row.name}@example.com" for when in ("before", "refused", "after"))
    assert send(gw, [before], row.body)[0] == 250
    counted, told = store_refusals(house), gw.log_text.count("store_unavailable")
    files = body_files(house)
    orders.give(row.path, **row.order)
    for _ in range(2):
        code, text = send(gw, [refused], row.body)
        assert (code, text[:6]) == (row.code, b"4.3.1 " if row.code == 452 else b"4.3.0 ")
    assert orders.failed
    assert body_files(house) == files, "a body that was refused left a file behind"
    status, page = gw.get("/readyz")
    assert (status, gw.get("/healthz")[0]) == (503, 200)
    assert "could not be stored" in json.loads(page)["checks"]["store"]
    assert gw.metric('sekisho_ready{check="store"}') == 0
    orders.end()
    assert send(gw, [after], row.body)[0] == 250
    assert store_refusals(house) == counted + 2
    assert gw.log_text.count("store_unavailable") == told + 2
    wait_for(lambda: {before, after} <= set(hop.recipients()), "what was acknowledged", 60)
    counts = Counter(hop.recipients())
    assert (counts[before], counts[refused], counts[after]) == (1, 0, 1)


def test_a_body_that_cannot_be_read_now_waits_and_the_others_leave(house: House) -> None:
    gw, hop, orders = house.gw, house.hop, house.orders
    bad, good = "unread@example.com", "read@example.com"
    orders.give(BODIES, read=errno.EIO)
    stuck = queue_id(send(gw, [bad], LARGE)[1])
    assert send(gw, [good])[0] == 250
    wait_for(lambda: good in hop.recipients(), "the mail beside it")
    wait_for(lambda: state(house, stuck) == "deferred", "its deferral")
    assert orders.failed
    assert bad not in hop.recipients()
    assert f'"queue_id":"{stuck}"' in gw.log_text
    assert list((gw.folder / "var" / "corrupt").iterdir()) == [], "nothing is known to be damaged"
    orders.give(wall=120)  # the next attempt is a minute away
    wait_for(lambda: bad in hop.recipients(), "the mail, when its body can be read again")
    orders.end()


def test_a_database_that_cannot_be_read_is_told_and_waited_for(house: House) -> None:
    gw, hop, orders = house.gw, house.hop, house.orders
    before, after = "before-read@example.com", "after-read@example.com"
    assert send(gw, [before])[0] == 250
    orders.give(DATABASE, read=errno.EIO)
    codes = [send(gw, [f"during{n}-read@example.com"])[0] for n in range(3)]
    assert set(codes) <= {250, 451}
    done = gw.cli("held", "list", "--config", str(gw.config), check=False)
    assert done.returncode == 0, "another process, another disk call: the shim is in the gateway only"
    orders.end()
    assert send(gw, [after])[0] == 250
    acknowledged = {f"during{n}-read@example.com" for n, code in enumerate(codes) if code == 250}
    wait_for(lambda: {before, after} | acknowledged <= set(hop.recipients()), "what was acknowledged", 60)


def test_ready_again_and_the_books_are_whole(house: House) -> None:
    """After all of the above: the last trouble is forgotten after half a minute, the chain of events is unbroken."""
    house.orders.give(monotonic=31)
    wait_for(lambda: house.gw.get("/readyz")[0] == 200, "a green /readyz", 60)
    assert house.gw.cli("log", "verify", "--config", str(house.gw.config)).returncode == 0
    house.gw.stop()
    house.gw.start()
    assert house.gw.stop() == 0


def store_refusals(house: House) -> float:
    return house.gw.metric('sekisho_messages_refused_total{reason="store"}')


def body_files(house: House) -> set[str]:
    root = house.gw.folder / "var" / "bodies"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def state(house: House, queue_id: str) -> str:
    (row,) = house.gw.cli_json("held", "show", queue_id)["recipients"]
    return str(row["state"])
