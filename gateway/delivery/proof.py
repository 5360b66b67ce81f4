"""What a next hop has to prove before it gets mail, and whether the certificates it showed do so. Pure.

Demands come from the settings (`delivery.tls_policy`), from DANE (RFC 7672) or from MTA-STS (RFC 8461). The proofs
that OpenSSL cannot give by itself, TLSA records and fingerprints, are checked here, after the handshake and before
anything is said.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import verification

from gateway.evidence.resolver import Tlsa
from gateway.values import dataclass

By = Literal["", "settings", "dane", "mta-sts"]

TRUST_ANCHOR, END_ENTITY = 2, 3
"""The certificate usages that mean something for SMTP (RFC 7672 3.1); PKIX-TA and PKIX-EE are unusable there."""

SELECT_CERTIFICATE, SELECT_KEY = 0, 1
FULL, SHA256, SHA512 = 0, 1, 2
DIGEST_OCTETS = {SHA256: 32, SHA512: 64}

MAX_CHAIN = 10
"""Certificates looked at of what a peer shows; real chains have two to four."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Who demands a proof, and which: `tlsa` records, `fingerprints` (SHA-256 of the certificate) or an authority file."""

    by: By = ""
    tlsa: tuple[Tlsa, ...] = ()
    fingerprints: tuple[str, ...] = ()
    ca_file: str = ""


NOTHING = Demand()


class NotProven(Exception):
    """The certificates shown do not prove what is demanded; the text says why."""


def usable(record: Tlsa) -> bool:
    """Tell whether a TLSA record can be matched against (RFC 7672 3.1.1): others only demand encryption."""
    if record.usage not in (TRUST_ANCHOR, END_ENTITY) or record.selector not in (
        SELECT_CERTIFICATE,
        SELECT_KEY,
    ):
        return False
    if record.matching == FULL:
        return _parses(record)
    return len(record.data) == DIGEST_OCTETS.get(record.matching, -1)


def check(demand: Demand, name: str, chain: Sequence[bytes], now: datetime) -> None:
    """Raise NotProven unless the chain (DER, the server's own certificate first) satisfies the demand for this name."""
    if demand.fingerprints and not _has_fingerprint(demand.fingerprints, chain):
        raise NotProven("the certificate has none of the fingerprints of delivery.tls_policy")
    records = [record for record in demand.tlsa if usable(record)]
    if records and not any(_matches(record, name, chain[:MAX_CHAIN], now) for record in records):
        raise NotProven("the certificate matches none of the host's TLSA records (DANE)")


def _has_fingerprint(fingerprints: Sequence[str], chain: Sequence[bytes]) -> bool:
    shown = hashlib.sha256(chain[0]).hexdigest() if chain else ""
    return any(hmac.compare_digest(shown, wanted) for wanted in fingerprints)


def _matches(record: Tlsa, name: str, chain: Sequence[bytes], now: datetime) -> bool:
    """Match one record. For DANE-EE neither names nor dates count (RFC 7672 3.1.1); for DANE-TA both do (3.1.2)."""
    try:
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        if record.usage == END_ENTITY:
            return bool(certificates) and _associated(record, certificates[0])
        anchors = [each for each in certificates[1:] if _associated(record, each)] or _given(record)
        return bool(certificates) and any(_leads_to(each, name, certificates, now) for each in anchors)
    except (ValueError, TypeError):  # no certificate that can be read: it proves nothing
        return False


def _associated(record: Tlsa, certificate: x509.Certificate) -> bool:
    octets = _selected(record, certificate)
    if record.matching != FULL:
        octets = (hashlib.sha256 if record.matching == SHA256 else hashlib.sha512)(octets).digest()
    return octets == record.data


def _selected(record: Tlsa, certificate: x509.Certificate) -> bytes:
    if record.selector == SELECT_CERTIFICATE:
        return certificate.public_bytes(Encoding.DER)
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _given(record: Tlsa) -> list[x509.Certificate]:
    """Return the trust anchor that a record holds in full: the server need not send it."""
    if (record.selector, record.matching) != (SELECT_CERTIFICATE, FULL):
        return []
    return [x509.load_der_x509_certificate(record.data)]


def _must_be_authority(_: verification.Policy, __: x509.Certificate, basic: x509.BasicConstraints) -> None:
    if not basic.ca:
        raise ValueError("not the certificate of an authority")


# Anchors of DANE-TA are anybody's own: what the web asks of public authorities beyond this is not asked of them.
_AUTHORITIES = verification.ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, verification.Criticality.AGNOSTIC, _must_be_authority
)
_SERVERS = verification.ExtensionPolicy.permit_all().require_present(
    x509.SubjectAlternativeName, verification.Criticality.AGNOSTIC, None
)


def _leads_to(
    anchor: x509.Certificate, name: str, certificates: Sequence[x509.Certificate], now: datetime
) -> bool:
    verifier = (
        verification.PolicyBuilder()
        .extension_policies(ca_policy=_AUTHORITIES, ee_policy=_SERVERS)
        .store(verification.Store([anchor]))
        .time(now)
        .build_server_verifier(x509.DNSName(name))
    )
    try:
        verifier.verify(certificates[0], list(certificates[1:]))
    except verification.VerificationError:
        return False
    return True


def _parses(record: Tlsa) -> bool:
    """Tell whether full data can match anything; a key alone (RFC 6698 2.1.2) is compared octet by octet."""
    if record.selector == SELECT_KEY:
        return bool(record.data)
    try:
        x509.load_der_x509_certificate(record.data)
    except ValueError:
        return False
    return True
