"""Links: only what this gateway signed is read, for as long as it is valid; nothing can be counted through."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from gateway.links import MAX_TOKEN, Claim, LinkExpired, LinkInvalid, Links, ShareClaim
from tests.console.conftest import ORIGIN, SECRET, HandClock
from tests.memory_spool import NOON


def token_of(url: str) -> str:
    return url.rpartition("/m/")[2]


def test_a_link_is_what_itsdangerous_writes() -> None:
    """Written by hand for speed: octet for octet what its serializer makes, so each release reads the other's links."""

    class Noon(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(NOON.timestamp())

    kwargs = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    theirs = URLSafeTimedSerializer(SECRET, b"sekisho link v1", signer=Noon, signer_kwargs=kwargs)
    links = Links(SECRET, ORIGIN, timedelta(days=7), HandClock(NOON))
    claim = ["3K7Q", "clerk@example.jp"]
    assert token_of(links.url(*claim)) == theirs.dumps(claim)
    squeezed = ["3K7Q", "a" * 60 + "@example.jp"]
    assert len(theirs.dumps(squeezed)) < len(token_of(links.url(*squeezed)))
    assert links.read(str(theirs.dumps(squeezed))) == Claim(*squeezed)


def test_a_link_reads_back(links: Links) -> None:
    url = links.url("3K7Q", "clerk@example.jp")
    assert url.startswith(f"{ORIGIN}/m/")
    assert links.read(token_of(url)) == Claim("3K7Q", "clerk@example.jp")


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=64))
def test_any_queue_id_and_person_read_back(queue_id: str, person: str) -> None:
    links = Links(SECRET, ORIGIN, timedelta(days=7), HandClock(NOON))
    assert links.read(token_of(links.url(queue_id, person))) == Claim(queue_id, person)


@pytest.mark.parametrize(
    "person", ["\N{HIRAGANA LETTER A}@example.jp", "suz\udcffuki@example.jp", '"a\\"b"@example.jp']
)
def test_odd_persons_read_back(links: Links, person: str) -> None:
    assert links.read(token_of(links.url("3K7Q", person))) == Claim("3K7Q", person)


def test_the_longest_address_fits(links: Links) -> None:
    person = "\N{HIRAGANA LETTER A}" * 21 + "@" + ".".join(["x" * 60] * 4)
    assert len(token_of(links.url("Q" * 40, person))) <= MAX_TOKEN


@settings(deadline=None)
@given(st.data())
def test_no_altered_token_is_read(data: st.DataObject) -> None:
    links = Links(SECRET, ORIGIN, timedelta(days=7), HandClock(NOON))
    token = token_of(links.url("3K7Q", "clerk@example.jp"))
    at = data.draw(st.integers(0, len(token) - 2))  # the last character of base64 may hold unused bits
    other = data.draw(st.sampled_from([c for c in "ABCxyz019-_." if c != token[at]]))
    with pytest.raises(LinkInvalid):
        links.read(token[:at] + other + token[at + 1 :])


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "3K7Q", "x" * (MAX_TOKEN + 1), "\u3042", "\x00"])
def test_no_foreign_token_is_read(links: Links, token: str) -> None:
    with pytest.raises(LinkInvalid):
        links.read(token)


def test_another_secret_reads_nothing(links: Links, clock: HandClock) -> None:
    other = Links(SECRET[::-1], ORIGIN, timedelta(days=7), clock)
    with pytest.raises(LinkInvalid):
        other.read(token_of(links.url("3K7Q", "clerk@example.jp")))


def test_a_link_ends(links: Links, clock: HandClock) -> None:
    token = token_of(links.url("3K7Q", "clerk@example.jp"))
    clock.now += timedelta(days=7)
    links.read(token)
    clock.now += timedelta(seconds=1)
    with pytest.raises(LinkExpired):
        links.read(token)


def test_an_old_link_is_read_by_who_knows_a_reason_and_a_forged_one_never(
    links: Links, clock: HandClock
) -> None:
    token = token_of(links.url("3K7Q", "clerk@example.jp"))
    clock.now += timedelta(days=400)
    assert links.read_old(token) == Claim("3K7Q", "clerk@example.jp")
    asked = links.approval_url("3K7Q", "clerk@example.jp").rpartition("/")[2]
    for forged in (token[:-2] + "xx", asked, "", "x" * (MAX_TOKEN + 1)):
        with pytest.raises(LinkInvalid):
            links.read_old(forged)


def test_a_clock_that_steps_back_does_not_end_a_link(links: Links, clock: HandClock) -> None:
    token = token_of(links.url("3K7Q", "clerk@example.jp"))
    clock.now -= timedelta(hours=3)
    assert links.read(token).queue_id == "3K7Q"


def test_a_seal_belongs_to_its_link_and_is_no_link(links: Links) -> None:
    token, other = (token_of(links.url(queue_id, "clerk@example.jp")) for queue_id in ("A", "B"))
    seal = links.seal(token, {"form": 1})
    assert links.unseal(token, seal) == {"form": 1}
    with pytest.raises(LinkInvalid):
        links.unseal(other, seal)
    with pytest.raises(LinkInvalid):
        links.read(seal)
    with pytest.raises(LinkInvalid):
        links.unseal(token, token)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Links(b"short", ORIGIN, timedelta(days=7))


@pytest.mark.parametrize(
    ("url", "base", "origin"),
    [
        ("https://mail.example.jp", "", "https://mail.example.jp"),
        ("https://mail.example.jp/sekisho/", "/sekisho", "https://mail.example.jp"),
        ("http://127.0.0.1:8025/", "", "http://127.0.0.1:8025"),
    ],
)
def test_where_the_pages_stand(url: str, base: str, origin: str) -> None:
    links = Links(SECRET, url, timedelta(days=7))
    assert (links.base_path, links.origin) == (base, origin)


def share_of(url: str) -> str:
    return url.rpartition("/d/")[2]


def test_a_link_to_files_reads_back_and_is_always_the_same(links: Links, clock: HandClock) -> None:
    url = links.share_url("3K7Q", 12)
    assert url.startswith(f"{ORIGIN}/d/")
    clock.now += timedelta(days=400)
    assert links.read_share(share_of(url)) == ShareClaim("3K7Q", 12)
    assert links.share_url("3K7Q", 12) == url


def test_links_of_one_kind_open_nothing_of_another(links: Links) -> None:
    share = share_of(links.share_url("3K7Q", 0))
    others = (
        token_of(links.url("3K7Q", "clerk@example.jp")),
        links.approval_url("3K7Q", "clerk@example.jp").rpartition("/a/")[2],
    )
    for other in others:
        with pytest.raises(LinkInvalid):
            links.read_share(other)
    for read in (links.read, links.read_approval):
        with pytest.raises(LinkInvalid):
            read(share)


def test_the_links_of_an_incident_have_no_age(links: Links, clock: HandClock) -> None:
    report, deletion = links.incident_url("3K7Q", "ward@city.example.lg.jp"), links.deletion_url("3K7Q", 4)
    assert report.startswith(f"{ORIGIN}/i/")
    assert deletion.startswith(f"{ORIGIN}/r/")
    clock.now += timedelta(days=400)
    assert links.read_incident(report.rpartition("/")[2]) == Claim("3K7Q", "ward@city.example.lg.jp")
    assert links.read_deletion(deletion.rpartition("/")[2]) == ShareClaim("3K7Q", 4)
    assert links.deletion_url("3K7Q", 4) == deletion


def test_the_links_of_an_incident_open_nothing_else(links: Links) -> None:
    read = {
        "m": (links.url("3K7Q", "a@example.jp"), links.read),
        "a": (links.approval_url("3K7Q", "a@example.jp"), links.read_approval),
        "d": (links.share_url("3K7Q", 0), links.read_share),
        "i": (links.incident_url("3K7Q", "a@example.jp"), links.read_incident),
        "r": (links.deletion_url("3K7Q", 0), links.read_deletion),
    }
    for kind, (url, _) in read.items():
        for other, (_, reading) in read.items():
            if kind != other:
                with pytest.raises(LinkInvalid):
                    reading(url.rpartition("/")[2])


@settings(deadline=None)
@given(st.data())
def test_no_altered_link_to_files_is_read(data: st.DataObject) -> None:
    links = Links(SECRET, ORIGIN, timedelta(days=7), HandClock(NOON))
    token = share_of(links.share_url("3K7Q", 7))
    at = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.sampled_from([c for c in "ABCxyz019-_." if c != token[at]]))
    with pytest.raises(LinkInvalid):
        links.read_share(token[:at] + other + token[at + 1 :])


@pytest.mark.parametrize("token", ["", ".", "a.b", "3K7Q", "x" * (MAX_TOKEN + 1), "\u3042", "\x00"])
def test_no_foreign_link_to_files_is_read(links: Links, token: str) -> None:
    with pytest.raises(LinkInvalid):
        links.read_share(token)


def test_a_link_to_files_outlives_a_new_master_key(links: Links) -> None:
    token = share_of(links.share_url("3K7Q", 1))
    links.adopt([SECRET[::-1], SECRET])
    assert links.read_share(token) == ShareClaim("3K7Q", 1)
    links.adopt([SECRET[::-1]])
    with pytest.raises(LinkInvalid):
        links.read_share(token)


@pytest.mark.parametrize("kind", ["m", "a", "d", "i", "r", "seal"])
def test_a_link_has_one_spelling(links: Links, kind: str) -> None:
    """Bounds are counted by link: another spelling of the same one would have counters of its own."""
    mine = token_of(links.url("3K7Q", "clerk@example.jp"))
    written, read = {
        "m": (links.url("3K7Q", "clerk@example.jp"), links.read),
        "a": (links.approval_url("3K7Q", "boss@example.jp"), links.read_approval),
        "d": (links.share_url("3K7Q", 0), links.read_share),
        "i": (links.incident_url("3K7Q", "ward@city.example.lg.jp"), links.read_incident),
        "r": (links.deletion_url("3K7Q", 0), links.read_deletion),
        "seal": (links.seal(mine, {"form": 1}), lambda sealed: links.unseal(mine, sealed)),
    }[kind]
    token = written.rpartition("/")[2]
    assert read(token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    others = [
        token[:-1] + alphabet[last ^ 1],
        token + "=",
        token + "!!!!",
        token + "é",
        token[:-1] + "\n" + token[-1],
    ]
    for other in [*others, token + " ", "\u3000" + token, token + "====", token[:-4] + "$$$$" + token[-4:]]:
        with pytest.raises(LinkInvalid):
            read(other)
