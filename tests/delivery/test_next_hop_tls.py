"""What a next hop has to prove, as a table of attacks: real handshakes, made-up authorities, a made-up DNS."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.delivery_settings import TlsRule
from gateway.delivery.assurance import Assurance
from gateway.delivery.courier import Courier, Delivery
from gateway.delivery.errors import NoRoute
from gateway.delivery.hop import Hop
from gateway.delivery.pool import Pool
from gateway.delivery.proof import Demand, NotProven, check, usable
from gateway.delivery.route import Router
from gateway.delivery.session import Opener
from gateway.delivery.sts_policy import StsPolicy
from gateway.evidence.resolver import DnsUnavailable, Mx, Tlsa
from tests.delivery.conftest import QUICK, mail
from tests.delivery.next_hop import NextHop, running

HOST = "mx.example.net"
GOOD, BAD_CA = trustme.CA(), trustme.CA()
CERTIFICATE = GOOD.issue_cert(HOST)
EXPIRED = GOOD.issue_cert(HOST, not_after=datetime.now(UTC) - timedelta(days=1))
OTHER_NAME = GOOD.issue_cert("other.example.net")
FOREIGN = BAD_CA.issue_cert(HOST)


def der(certificate: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())


def spki(octets: bytes) -> bytes:
    key = x509.load_der_x509_certificate(octets).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


CA_DER = ssl.PEM_cert_to_DER_cert(GOOD.cert_pem.bytes().decode())
EE = Tlsa(3, 1, 1, hashlib.sha256(spki(der(CERTIFICATE))).digest())
TA = Tlsa(2, 0, 1, hashlib.sha256(CA_DER).digest())
WRONG = Tlsa(3, 1, 1, b"\0" * 32)
ENFORCE = StsPolicy("enforce", (HOST,), timedelta(days=1))
DOWN = DnsUnavailable("SERVFAIL")


def server(certificate: trustme.LeafCert, *, with_root: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with certificate.private_key_and_cert_chain_pem.tempfile() as path:
        if with_root:
            with Path(path).open("ab") as chain:
                chain.write(GOOD.cert_pem.bytes())
        context.load_cert_chain(path)
    return context


def trusting(verify: bool) -> ssl.SSLContext:
    made = ssl.create_default_context()
    GOOD.configure_trust(made)
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


@dataclass
class World:
    """One recipient domain with one mail exchanger, its DNS, its MTA-STS policy, and the settings' rules."""

    hop: NextHop
    tlsa_records: Sequence[Tlsa] | DnsUnavailable = ()
    secure: bool = True
    policy: StsPolicy | None = None
    rules: Sequence[TlsRule] = ()
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def mx(self, domain: str) -> Sequence[Mx]:
        return [Mx(10, HOST, self.secure)]

    async def addresses(self, host: str) -> Sequence[str]:
        return ["192.0.2.1"]

    async def tlsa(self, host: str, port: int) -> Sequence[Tlsa]:
        self.asked.append((host, port))
        if isinstance(self.tlsa_records, DnsUnavailable):
            raise self.tlsa_records
        return self.tlsa_records

    async def sts(self, domain: str) -> StsPolicy | None:
        return self.policy

    async def send(self) -> Delivery:
        """Deliver one mail; the address of the DNS stands for the scripted hop on the loopback."""
        async with running(self.hop):
            opener = Opener("gw.example.jp", QUICK, trusting)
            pool = Pool(
                lambda hop: opener(replace(hop, address="127.0.0.1", port=self.hop.port)), per_host=2, total=2
            )
            assurance = Assurance(self.rules, self, self.sts)
            router = Router("gw.example.jp", self, None, lambda equals: None, assurance)
            try:
                route = await router.route("example.com")
                start_by = asyncio.get_running_loop().time() + 5
                return await Courier(pool, router, QUICK).deliver(route, mail, 1, start_by)
            finally:
                await pool.close()


def rule(tls: str, match: str = "example.com", **more: object) -> TlsRule:
    return TlsRule.model_validate({"match": match, "tls": tls, **more})


PINNED = rule("fingerprint", fingerprints=[hashlib.sha256(der(CERTIFICATE)).hexdigest()])
FULL = Tlsa(3, 0, 0, der(CERTIFICATE))
SHA512 = Tlsa(3, 0, 2, hashlib.sha512(der(CERTIFICATE)).digest())

DELIVERED = [
    # the certificate , TLSA records       , policy , rule                    , what the event says
    (CERTIFICATE, (EE,), None, None, "verified by dane"),
    (CERTIFICATE, (FULL,), None, None, "verified by dane"),
    (CERTIFICATE, (SHA512,), None, None, "verified by dane"),
    (CERTIFICATE, (WRONG, EE), None, None, "verified by dane"),
    (
        EXPIRED,
        (replace(EE, data=hashlib.sha256(spki(der(EXPIRED))).digest()),),
        None,
        None,
        "verified by dane",
    ),
    (OTHER_NAME, (Tlsa(3, 0, 0, der(OTHER_NAME)),), None, None, "verified by dane"),
    (FOREIGN, (Tlsa(3, 0, 0, der(FOREIGN)),), ENFORCE, None, "verified by dane"),  # DANE beats MTA-STS
    (CERTIFICATE, (Tlsa(2, 0, 0, CA_DER),), None, None, "verified by dane"),  # the anchor is in the record
    (CERTIFICATE, (TA,), None, None, "verified by dane"),
    (FOREIGN, (Tlsa(0, 0, 1, b"x" * 32),), None, None, "not verified"),  # PKIX-TA: unusable
    (FOREIGN, (Tlsa(3, 1, 9, b"x" * 32),), None, None, "not verified"),  # a digest nobody knows
    (FOREIGN, (Tlsa(3, 1, 1, b"short"),), None, None, "not verified"),
    (CERTIFICATE, (), ENFORCE, None, "verified by mta-sts"),
    (FOREIGN, (), None, None, "not verified"),
    (FOREIGN, (), replace(ENFORCE, mode="testing", patterns=("x.example",)), None, "not verified"),
    (FOREIGN, (WRONG,), ENFORCE, rule("starttls"), "not verified"),  # the admin's word beats both
    (CERTIFICATE, (), None, rule("verify"), "verified by settings"),
    (CERTIFICATE, (), None, rule("verify", match=HOST), "verified by settings"),
    (CERTIFICATE, (), None, rule("verify", match=".example.net"), "verified by settings"),
    (CERTIFICATE, (WRONG,), None, PINNED, "verified by settings"),
    (CERTIFICATE, (EE,), None, rule("dane"), "verified by dane"),
]


@pytest.mark.parametrize(("certificate", "records", "policy", "ruled", "words"), DELIVERED)
async def test_what_is_proven_is_delivered_and_said(
    certificate: trustme.LeafCert,
    records: tuple[Tlsa, ...],
    policy: StsPolicy | None,
    ruled: TlsRule | None,
    words: str,
) -> None:
    context = server(certificate, with_root=TA in records)
    world = World(NextHop(context=context), records, policy=policy, rules=[ruled] if ruled else [])
    [verdict] = (await world.send()).verdicts
    assert verdict.state.value == "delivered", verdict
    assert verdict.tls.startswith("TLSv1.3 ")
    assert verdict.tls.endswith(words)


ATTACKS = [
    # what the attacker does          , the certificate, TLSA records , policy  , rule , words of the deferral
    ("STARTTLS stripped, DANE", None, (EE,), None, None, "STARTTLS is required"),
    ("STARTTLS stripped, unusable TLSA", None, (Tlsa(1, 1, 1, b""),), None, None, "STARTTLS is required"),
    ("STARTTLS stripped, MTA-STS", None, (), ENFORCE, None, "STARTTLS is required"),
    ("STARTTLS stripped, rule", None, (), None, rule("starttls"), "STARTTLS is required"),
    ("wrong TLSA", CERTIFICATE, (WRONG,), None, None, "none of the host's TLSA"),
    ("another certificate, DANE", FOREIGN, (EE,), None, None, "none of the host's TLSA"),
    ("DANE-TA, another authority", FOREIGN, (TA,), None, None, "none of the host's TLSA"),
    ("DANE-TA, expired", EXPIRED, (Tlsa(2, 0, 0, CA_DER),), None, None, "none of the host's TLSA"),
    ("DANE-TA, another name", OTHER_NAME, (Tlsa(2, 0, 0, CA_DER),), None, None, "none of the host's TLSA"),
    ("TLSA cannot be asked", CERTIFICATE, DOWN, None, None, "SERVFAIL"),
    ("TLSA cannot be asked, MTA-STS", CERTIFICATE, DOWN, ENFORCE, None, "SERVFAIL"),
    ("wrong authority, MTA-STS", FOREIGN, (), ENFORCE, None, "TLS failed"),
    ("wrong name, MTA-STS", OTHER_NAME, (), ENFORCE, None, "TLS failed"),
    ("expired, MTA-STS", EXPIRED, (), ENFORCE, None, "TLS failed"),
    (
        "another MX, MTA-STS",
        CERTIFICATE,
        (),
        replace(ENFORCE, patterns=("*.mx.example.net",)),
        None,
        "MTA-STS",
    ),
    ("no TLSA where the rule insists", CERTIFICATE, (), None, rule("dane"), "no usable TLSA"),
    ("wrong authority, rule", FOREIGN, (), None, rule("verify"), "TLS failed"),
    ("wrong fingerprint", FOREIGN, (), None, PINNED, "fingerprints"),
    (
        "authority file is gone",
        CERTIFICATE,
        (),
        None,
        rule("verify", ca_file="/nonexistent.pem"),
        "nonexistent",
    ),
]


@pytest.mark.parametrize(
    ("certificate", "records", "policy", "ruled", "words"),
    [case[1:] for case in ATTACKS],
    ids=[case[0] for case in ATTACKS],
)
async def test_an_attack_gets_no_mail(
    certificate: trustme.LeafCert | None,
    records: tuple[Tlsa, ...] | DnsUnavailable,
    policy: StsPolicy | None,
    ruled: TlsRule | None,
    words: str,
) -> None:
    hop = NextHop(context=server(certificate) if certificate else None)
    world = World(hop, records, policy=policy, rules=[ruled] if ruled else [])
    [verdict] = (await world.send()).verdicts
    assert verdict.state.value == "deferred"
    assert words in verdict.reply
    assert not any(line.startswith("MAIL") for line in hop.lines)


def test_a_servers_certificate_is_no_authority() -> None:
    """Whoever has any certificate of the anchor must not be able to issue one for the host."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_der_x509_certificate(der(OTHER_NAME))
    now = datetime.now(UTC)
    issuing_key = load_pem_private_key(OTHER_NAME.private_key_pem.bytes(), None)
    assert isinstance(issuing_key, ec.EllipticCurvePrivateKey)
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .serial_number(1)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=True)
        .sign(issuing_key, hashes.SHA256())
    )
    chain = [forged.public_bytes(Encoding.DER), der(OTHER_NAME), CA_DER]
    with pytest.raises(NotProven):
        check(Demand("dane", (TA,)), HOST, chain, now)
    check(Demand("dane", (TA,)), HOST, [der(CERTIFICATE), CA_DER], now)


@given(st.binary(max_size=300), st.integers(0, 4), st.integers(0, 2), st.integers(0, 3))
def test_garbage_proves_nothing(octets: bytes, usage: int, selector: int, matching: int) -> None:
    record = Tlsa(usage, selector, matching, octets)
    if usable(record):
        with pytest.raises(NotProven):
            check(Demand("dane", (record,)), HOST, [octets, der(CERTIFICATE)], datetime.now(UTC))


async def test_tlsa_is_not_asked_for_where_the_mx_is_not_authenticated() -> None:
    world = World(NextHop(context=server(FOREIGN)), (WRONG,), secure=False)
    assert (await world.send()).verdicts[0].state.value == "delivered"
    assert world.asked == []


async def test_the_whole_chain_is_seen() -> None:
    context = server(CERTIFICATE, with_root=True)
    assert (await World(NextHop(context=context), (TA,)).send()).verdicts[0].tls.endswith("verified by dane")
    refused = await World(NextHop(context=context), (WRONG,)).send()
    assert refused.verdicts[0].state.value == "deferred"


@pytest.mark.parametrize(
    ("smarthost", "rules", "by"),
    [
        (Hop(HOST), (), "dane"),
        (Hop(HOST, tls="off"), (), ""),
        (Hop(HOST, tls="starttls", verify=True), (), ""),
        (Hop(HOST, tls="starttls", verify=True), (rule("dane", match=HOST),), "dane"),
        (Hop(HOST, tls="implicit"), (PINNED.model_copy(update={"match": HOST}),), "settings"),
        (Hop("192.0.2.1"), (), ""),
    ],
)
async def test_what_a_smarthost_has_to_prove(smarthost: Hop, rules: tuple[TlsRule, ...], by: str) -> None:
    world = World(NextHop(), (EE,))
    router = Router("gw.example.jp", world, smarthost, lambda equals: None, Assurance(rules, world))
    [hop] = await router.hops(await router.route("example.com"))
    assert hop.demand.by == by
    if not by:
        assert (hop, world.asked) == (smarthost, [])


async def test_a_smarthost_about_which_the_dns_is_silent_waits() -> None:
    world = World(NextHop(), DOWN)
    router = Router("gw.example.jp", world, Hop(HOST), lambda equals: None, Assurance((), world))
    with pytest.raises(NoRoute, match="SERVFAIL") as caught:
        await router.hops(await router.route("example.com"))
    assert not caught.value.permanent


async def test_mail_in_the_clear_says_nothing_of_tls() -> None:
    [verdict] = (await World(NextHop(), (), rules=[rule("off")]).send()).verdicts
    assert (verdict.state.value, verdict.tls) == ("delivered", "")
