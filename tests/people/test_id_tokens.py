"""What an ID token has to be before it is believed, and what its claims make of somebody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from pydantic import ValidationError

from gateway.config.sign_in_settings import Oidc, RoleName
from gateway.people.contract import Grant, Role
from gateway.people.grants import grant_of, written
from gateway.people.oidc.claims import NotTold, identity_of, lacks
from gateway.people.oidc.discovery import keys_in
from gateway.people.oidc.tokens import UnknownKey, checked

NOW = datetime(2026, 5, 11, 9, tzinfo=UTC)
ISSUER, CLIENT, NONCE = "https://login.example.jp/realms/city", "sekisho", "a nonce"
AT = int(NOW.timestamp())
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "1",
    "nonce": NONCE,
    "iat": AT - 5,
    "exp": AT + 300,
    "preferred_username": "ann",
}
KEY = ECKey.generate_key("P-256", {"kid": "a", "use": "sig"})
OTHER = ECKey.generate_key("P-256", {"kid": "b", "use": "sig"})
KEYS = KeySet(keys_in({"keys": [KEY.as_dict(private=False)]}))


def signed(claims: dict[str, Any], key: Any = KEY, alg: str = "ES256", **header: str) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid, **header}, claims, key, algorithms=[alg])


def read(token: object) -> dict[str, Any]:
    return checked(token, KEYS, ISSUER, CLIENT, NONCE, NOW)


def test_a_good_token_is_believed_within_a_minute() -> None:
    assert read(signed(GOOD))["sub"] == "1"
    assert read(signed({**GOOD, "aud": [CLIENT, "other"], "azp": CLIENT}))["sub"] == "1"
    assert read(signed({**GOOD, "exp": AT - 30, "iat": AT + 30}))["sub"] == "1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"aud": "other"},
        {"aud": ["other", "more"]},
        {"aud": [CLIENT, "other"]},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"azp": "other"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": AT - 3600},
        {"iat": AT + 3600},
        {"nbf": AT + 3600},
        {"exp": "soon"},
    ],
)
def test_a_token_for_others_or_another_time_is_not(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotTold):
        read(signed({**GOOD, **wrong}))


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "nonce", "exp", "iat"])
def test_what_has_to_be_there(missing: str) -> None:
    with pytest.raises(NotTold):
        read(signed({name: value for name, value in GOOD.items() if name != missing}))


def test_only_the_providers_private_key_signs() -> None:
    with pytest.raises(UnknownKey):
        read(signed(GOOD, OTHER))
    with pytest.raises(UnknownKey):  # the same name, another key
        read(signed(GOOD, ECKey.import_key({**OTHER.as_dict(private=True), "kid": "a"})))
    public = OctKey.import_key({"kty": "oct", "k": "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE", "kid": "a"})
    with pytest.raises(NotTold):
        read(signed(GOOD, public, "HS256"))
    unsigned = "eyJhbGciOiJub25lIiwia2lkIjoiYSJ9." + signed(GOOD).split(".")[1] + "."
    for token in (unsigned, "", "a.b.c", "x" * 100_000, None, 5):
        with pytest.raises(NotTold):
            read(token)


def test_keys_that_are_none_are_passed_over() -> None:
    encrypting = RSAKey.generate_key(2048, {"kid": "e", "use": "enc"}).as_dict(private=False)
    odd = [
        {"kty": "EC", "crv": "P-0"},
        {"kty": "oct", "k": "AAAA"},
        "text",
        encrypting,
        KEY.as_dict(private=False),
    ]
    assert [key.kid for key in keys_in({"keys": odd})] == ["a"]
    assert keys_in({"keys": "none"}) == []


def settings(**changed: Any) -> Oidc:
    given = {
        "issuer": ISSUER,
        "client_id": CLIENT,
        "client_secret_file": Path("x"),
        "roles": {"sports": ("sender@sports",), "it": ("admin", "auditor")},
    }
    return Oidc(**{**given, **changed})


@pytest.mark.parametrize(
    ("claim", "said", "grants"),
    [
        ("groups", {"groups": ["sports", "x"]}, (Grant(Role.SENDER, "sports"),)),
        ("groups", {"groups": ["/sports"]}, (Grant(Role.SENDER, "sports"),)),
        ("groups", {"groups": "it"}, (Grant(Role.ADMIN), Grant(Role.AUDITOR))),
        ("a.b", {"a": {"b": ["it"]}}, (Grant(Role.ADMIN), Grant(Role.AUDITOR))),
        (
            "https://x.example/groups",
            {"https://x.example/groups": ["sports"]},
            (Grant(Role.SENDER, "sports"),),
        ),
        ("groups", {"groups": {"it": True}}, ()),
        ("groups", {"groups": [["it"], 5, None]}, ()),
        ("a.b", {"a": "it"}, ()),
        ("groups", {}, ()),
    ],
)
def test_groups_become_roles(claim: str, said: dict[str, Any], grants: tuple[Grant, ...]) -> None:
    assert identity_of({**GOOD, **said}, settings(groups_claim=claim)).grants == grants


def test_what_is_asked_of_the_userinfo_endpoint() -> None:
    assert lacks(GOOD, settings())
    assert not lacks({**GOOD, "groups": []}, settings())
    assert lacks({"sub": "1", "groups": []}, settings())


@pytest.mark.parametrize(
    "said",
    [
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 5},
        {"preferred_username": "a\nb"},
        {"preferred_username": None},
    ],
)
def test_who_cannot_be_told(said: dict[str, Any]) -> None:
    with pytest.raises(NotTold):
        identity_of({**GOOD, **said}, settings())


@pytest.mark.parametrize(
    ("said", "addresses"),
    [
        ({"email": "Ann@Example.jp"}, ("ann@example.jp",)),
        ({"email": "ann@example.jp", "email_verified": True}, ("ann@example.jp",)),
        ({"email": "boss@example.jp", "email_verified": False}, ()),
        ({"email": "boss@example.jp", "email_verified": "false"}, ()),
        ({"email": "no address"}, ()),
        ({"email": ["boss@example.jp"]}, ()),
    ],
)
def test_a_mailbox_is_one_that_the_provider_checked(said: dict[str, Any], addresses: tuple[str, ...]) -> None:
    assert identity_of({**GOOD, **said}, settings()).addresses == addresses


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://login.microsoftonline.com/common/v2.0"},
        {"issuer": "https://login.microsoftonline.com/organizations/v2.0"},
        {"issuer": "http://login.example.jp/"},
        {"issuer": "login.example.jp"},
        {"roles": {}},
        {"roles": {"it": ("boss",)}},
        {"roles": {"it": ("approver@sports",)}},
        {"roles": {"it": ("admin@",)}},
    ],
)
def test_settings_that_would_let_others_in(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_settings_and_people_know_the_same_roles() -> None:
    assert get_args(RoleName) == tuple(role.value for role in Role)
    for role in Role:
        assert written(grant_of(role.value)) == role.value
        settings(roles={"x": (role.value,)})


def test_a_minute_is_all_the_difference_there_may_be() -> None:
    with pytest.raises(NotTold):
        checked(signed(GOOD), KEYS, ISSUER, CLIENT, NONCE, NOW + timedelta(seconds=361))
