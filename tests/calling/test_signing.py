"""Signatures of Standard Webhooks, against the standard's own example and against forgers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from gateway.calling.signing import TOLERANCE, BadSecret, is_signed, secret_octets, signed

SECRET = b"a secret of both sides, long enough"
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
BODY = b'{"id":"Q1-0","status":"delivered"}'


def test_the_signature_is_what_the_standard_says() -> None:
    headers = signed("Q1-0", BODY, SECRET, NOW)
    timestamp = str(int(NOW.timestamp()))
    mac = hmac.new(SECRET, b"Q1-0." + timestamp.encode() + b"." + BODY, hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "Q1-0",
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


def test_a_known_example() -> None:
    """From the tests of the standard's own libraries."""
    secret = secret_octets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', secret, at)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("late", [timedelta(0), TOLERANCE, -TOLERANCE])
def test_what_is_signed_is_believed_while_it_is_fresh(late: timedelta) -> None:
    assert is_signed(signed("Q1-0", BODY, SECRET, NOW), BODY, SECRET, NOW + late)


@pytest.mark.parametrize("late", [TOLERANCE, -TOLERANCE])
def test_what_is_old_or_of_tomorrow_is_not(late: timedelta) -> None:
    now = NOW + late * 1.01
    assert not is_signed(signed("Q1-0", BODY, SECRET, NOW), BODY, SECRET, now)


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed("Q1-0", BODY, SECRET, NOW)
    headers["webhook-signature"] = f"v1a,xxxx v1,AAAA {headers['webhook-signature']}"
    assert is_signed(headers, BODY, SECRET, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "Q1-1"},
        {"webhook-id": "Q1-0.x"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1795143601"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": "１７９５"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é\u3042"},
        {"webhook-signature": "v1,AAAA " * 5000},
    ],
)
def test_anything_changed_is_refused(change: dict[str, str]) -> None:
    assert not is_signed({**signed("Q1-0", BODY, SECRET, NOW), **change}, BODY, SECRET, NOW)


def test_another_body_or_secret_is_refused() -> None:
    headers = signed("Q1-0", BODY, SECRET, NOW)
    assert not is_signed(headers, BODY + b" ", SECRET, NOW)
    assert not is_signed(headers, BODY, SECRET + b"x", NOW)
    assert not is_signed({}, BODY, SECRET, NOW)


@pytest.mark.parametrize(
    "written", ["short", "whsec_!!!!", "whsec_" + base64.b64encode(b"x" * 23).decode(), ""]
)
def test_a_bad_secret_is_told(written: str) -> None:
    with pytest.raises(BadSecret):
        secret_octets(written)


def test_secrets_as_they_are_written() -> None:
    assert secret_octets("whsec_" + base64.b64encode(b"x" * 24).decode()) == b"x" * 24
    assert secret_octets("x" * 24) == b"x" * 24
