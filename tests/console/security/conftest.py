"""The whole application, once for each module, with a mail of the sports centre and one of the library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.console.whole import BOSS, CITIZENS, OFFICE, Whole, whole

LIBRARIAN = "desk@library.example.jp"
SECRET_SUBJECT = "図書館だけの件名"


@dataclass(frozen=True)
class Mails:
    """Queue ids."""

    sports: str
    library: str


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="module")
def mails(console: Whole) -> Mails:
    return Mails(console.hand_in(OFFICE, CITIZENS), console.hand_in(LIBRARIAN, CITIZENS[:2], SECRET_SUBJECT))


def tokens(console: Whole, queue_id: str) -> dict[str, str]:
    """Return a token of each kind for a mail, by what its page's path begins with."""
    links = console.rooms.links
    urls = (
        links.url(queue_id, OFFICE),
        links.approval_url(queue_id, BOSS),
        links.colleague_url(queue_id, 0),
        links.share_url(queue_id, 0),
        links.incident_url(queue_id, BOSS),
        links.deletion_url(queue_id, 0),
        links.digest_url(OFFICE),
    )
    return {f"/{url.split('/')[3]}/": url.rpartition("/")[2] for url in urls}
