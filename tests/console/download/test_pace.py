"""How often somebody may ask: by link and by client, and nobody takes the counters from the others."""

from __future__ import annotations

import pytest

from gateway.console.download.pace import COUNTED, OF_CLIENT, OF_LINK, SLICE, Pace
from tests.spool.mails import T0


def test_a_stranger_with_forged_links_does_not_lock_the_others_out() -> None:
    pace = Pace()
    said = [pace.allows(f"forged {n}", "192.0.2.66", T0) for n in range(COUNTED + 10)]
    assert sum(said) == OF_CLIENT
    assert pace.allows("a citizen's", "198.51.100.7", T0)


def test_an_ipv6_line_is_one_client() -> None:
    pace = Pace()
    said = [pace.allows(f"link {n}", f"2001:db8:1:2::{n:x}", T0) for n in range(OF_CLIENT + 10)]
    assert sum(said) == OF_CLIENT
    assert pace.allows("another", "2001:db8:1:3::1", T0)


def test_an_ipv4_address_is_the_same_in_either_spelling() -> None:
    pace = Pace(of_client=1)
    assert pace.allows("one", "192.0.2.1", T0)
    assert not pace.allows("two", "::ffff:192.0.2.1", T0)
    assert pace.allows("three", "::ffff:192.0.2.2", T0)


@pytest.mark.parametrize("client", ["", "unix", "fe80::1%eth0"])
def test_a_client_without_an_address_counts_too(client: str) -> None:
    pace = Pace(of_client=1)
    assert pace.allows("one", client, T0)
    assert not pace.allows("two", client, T0)


def test_a_link_is_counted_whoever_asks() -> None:
    pace = Pace()
    said = [pace.allows("link", f"192.0.2.{n}", T0) for n in range(OF_LINK + 5)]
    assert said == [True] * OF_LINK + [False] * 5
    assert pace.allows("link", "192.0.2.1", T0 + SLICE)
