"""What TLS on both sides costs: STARTTLS from the client and STARTTLS to the next hop, against the same in clear.

Client and sink are our own (client.py, own_sink.py), the same for both runs; the certificate is ECDSA P-256, made on the fly
and not verified by either end, which costs a look-up at a handshake and nothing for a mail. Client and sink encrypt on the
same cores, so the rates hold their cost, too; the processor time is the gateway's alone.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import trustme

from tests.bench.client import Mails
from tests.bench.figures import Absent, Sample
from tests.bench.own_sink import OwnSink, own_sink
from tests.bench.pacing import closed_loop
from tests.bench.processes import cpu_s, settle
from tests.bench.relays import Relay, sekisho
from tests.bench.source import INSIDE, RUN_LIMIT_S, SESSIONS
from tests.bench.task import Load
from tests.process import wait_for

SIZE = 10_240
MAILS = 2000
PLAIN, ENCRYPTED = "sekisho in clear", "sekisho"


def tls(load: Load) -> Iterator[Sample | Absent]:
    """Relay the same mails in clear and encrypted."""
    for who in load.turn([PLAIN, ENCRYPTED]):
        rate, cost = through(load.count(MAILS), load.workers, encrypted=who == ENCRYPTED)
        yield Sample("tls", who, rate)
        yield Sample("tls-cpu", who, cost)


def through(count: int, workers: int, *, encrypted: bool) -> tuple[float, float]:
    """Return mails per second at the sink, and microseconds of the gateway's processor time for a mail."""
    certificate = trustme.CA().issue_cert("127.0.0.1") if encrypted else None
    with (
        own_sink(certificate) as into,
        sekisho(into.port, workers, lambda at: settings(at, certificate)) as relay,
    ):
        context = client_context() if encrypted else None
        relay_all(relay, into, count // 10, context)  # nobody is measured while it starts
        settle(relay.root)
        before = cpu_s(relay.root)
        rate = relay_all(relay, into, count, context)
        settle(relay.root)
        mails, protected = into.counts()
        assert protected == (mails if encrypted else 0), f"{protected} of {mails} mails left encrypted"
        return rate, (cpu_s(relay.root) - before) / count * 1e6


def relay_all(relay: Relay, into: OwnSink, count: int, context: ssl.SSLContext | None) -> float:
    """Return mails per second until the sink has the last one."""
    target, begin = into.messages() + count, time.monotonic()
    closed_loop(relay.port, Mails(INSIDE, SIZE), count, SESSIONS, context, RUN_LIMIT_S)
    wait_for(lambda: into.messages() >= target, f"{count} mails at the sink", RUN_LIMIT_S)
    return count / (time.monotonic() - begin)


def settings(folder: Path, certificate: trustme.LeafCert | None) -> dict[str, str]:
    """Return the settings that put TLS on both sides, none without a certificate."""
    if certificate is None:
        return {}
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    (folder / "key.pem").chmod(0o600)
    return {
        "smtp.tls.certificate": str(folder / "certificate.pem"),
        "smtp.tls.key": str(folder / "key.pem"),
        "delivery.smarthost.tls": "starttls",
        "delivery.smarthost.verify": "false",
    }


def client_context() -> ssl.SSLContext:
    """Return a context that encrypts and verifies nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
