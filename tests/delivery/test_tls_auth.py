"""STARTTLS, implicit TLS and AUTH towards the next hop, with certificates of a made-up authority."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest
import trustme

from gateway.delivery.hop import Tls
from tests.delivery.conftest import connected, mail
from tests.delivery.next_hop import EXTENSIONS, NextHop

AUTH = (*EXTENSIONS, "AUTH PLAIN LOGIN")
PLAIN_TOKEN = "AHVzZXIAc2VjcmV0"  # \0user\0secret
LOGIN_TOKENS = ("dXNlcg==", "c2VjcmV0")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hop.example.net").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> Callable[[bool], ssl.SSLContext]:
    def context(verify: bool) -> ssl.SSLContext:
        made = ssl.create_default_context()
        authority.configure_trust(made)
        if not verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made

    return context


@pytest.mark.parametrize(
    ("mode", "verify", "name", "encrypted"),
    [
        ("off", False, "hop.example.net", False),
        ("opportunistic", False, "other.example.net", True),
        ("opportunistic", True, "other.example.net", True),  # nothing to gain by refusing: see hop.Hop
        ("starttls", True, "hop.example.net", True),
        ("starttls", False, "other.example.net", True),
    ],
)
async def test_starttls_by_mode(
    mode: Tls,
    verify: bool,
    name: str,
    encrypted: bool,
    server_context: ssl.SSLContext,
    trusting: Callable[[bool], ssl.SSLContext],
) -> None:
    hop = NextHop(context=server_context)
    async with connected(hop, tls=mode, verify=verify, name=name, context=trusting) as line:
        assert await line.states(mail()) == ["delivered"]
        assert ("STARTTLS" in hop.lines) is encrypted
        assert (
            hop.lines.count("EHLO gw.example.jp") == 1 + encrypted
        )  # what was said in the clear is forgotten


async def test_a_wrong_certificate_ends_a_verified_session(
    server_context: ssl.SSLContext, trusting: Callable[[bool], ssl.SSLContext]
) -> None:
    hop = NextHop(context=server_context)
    async with connected(
        hop, tls="starttls", verify=True, name="wrong.example.net", context=trusting
    ) as line:
        [verdict] = (await line.send(mail())).verdicts
        assert verdict.state.value == "deferred"
        assert "TLS failed" in verdict.reply
        assert not any(text.startswith("MAIL") for text in hop.lines)


async def test_required_tls_that_is_not_offered_sends_nothing() -> None:
    hop = NextHop()
    async with connected(hop, tls="starttls") as line:
        assert await line.states(mail()) == ["deferred"]
        assert not any(text.startswith("MAIL") for text in hop.lines)


async def test_a_failed_opportunistic_handshake_falls_back_to_the_clear(
    server_context: ssl.SSLContext,
) -> None:
    def broken(verify: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED  # and no authority at all
        return context

    hop = NextHop(context=server_context)
    async with connected(hop, context=broken) as line:
        assert await line.states(mail()) == ["delivered"]
        assert hop.connections == 2


async def test_data_in_the_clear_after_starttls_is_an_injection(server_context: ssl.SSLContext) -> None:
    def script(line: str, number: int) -> str | None:
        return "220 go ahead\r\n250-hop.example.net\r\n250 AUTH PLAIN" if line == "STARTTLS" else None

    hop = NextHop(script, context=server_context)
    async with connected(hop, tls="starttls") as line:
        [verdict] = (await line.send(mail())).verdicts
        assert verdict.state.value == "deferred"
        assert "in the clear" in verdict.reply
        assert not any(text.startswith("MAIL") for text in hop.lines)


@pytest.mark.parametrize(
    ("offered", "said", "credentials"),
    [
        ("AUTH PLAIN LOGIN", f"AUTH PLAIN {PLAIN_TOKEN}", (PLAIN_TOKEN,)),
        ("AUTH LOGIN", f"AUTH LOGIN {' '.join(LOGIN_TOKENS)}", LOGIN_TOKENS),
        ("AUTH=LOGIN", f"AUTH LOGIN {' '.join(LOGIN_TOKENS)}", LOGIN_TOKENS),
    ],
)
async def test_signing_in(
    offered: str, said: str, credentials: tuple[str, str], server_context: ssl.SSLContext
) -> None:
    hop = NextHop(extensions=(*EXTENSIONS, offered), context=server_context, credentials=credentials)
    async with connected(hop, tls="starttls", username="user", password="secret") as line:
        assert await line.states(mail()) == ["delivered"]
        assert said in hop.lines


async def test_a_wrong_password_bounces_nothing(server_context: ssl.SSLContext) -> None:
    hop = NextHop(extensions=AUTH, context=server_context, credentials=("other", ""))
    async with connected(hop, tls="starttls", username="user", password="secret") as line:
        [verdict] = (await line.send(mail())).verdicts
        assert verdict.state.value == "deferred"
        assert "535" in verdict.reply
        assert "secret" not in verdict.reply


async def test_a_password_never_leaves_in_the_clear_by_accident() -> None:
    hop = NextHop(extensions=AUTH, credentials=(PLAIN_TOKEN, ""))
    async with connected(hop, tls="opportunistic", username="user", password="secret") as line:
        assert await line.states(mail()) == ["deferred"]
        assert not any(text.startswith("AUTH") for text in hop.lines)


def test_a_password_is_not_in_the_representation_of_a_hop() -> None:
    from gateway.delivery.hop import Hop

    assert "secret" not in repr(Hop("hop.example.net", username="user", password="secret"))
