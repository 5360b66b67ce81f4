"""Every Prometheus series in one place. Labels are closed lists: never an address, a queue id or a host name.

Base units, `_total` on counters (Prometheus naming). docs/operations.md lists them all; a test compares.
"""

from __future__ import annotations

import os
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)
from prometheus_client import Gauge as AnyGauge

from gateway.gathered import gather_counts, write_down


def _many() -> bool:
    return "PROMETHEUS_MULTIPROC_DIR" in os.environ


if _many():
    gather_counts()
disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each one, which no dashboard asks for

REGISTRY = CollectorRegistry()

# With several workers, counters and histograms are added up, and most gauges are set by the first worker alone.
Gauge = partial(AnyGauge, multiprocess_mode="livemax")

HOLD_BUCKETS = (1, 10, 60, 300, 600, 900, 1800, 3600, 14400, 86400, 259200)
DELIVERY_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 14400)
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
CONTENT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
EVIDENCE_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)

CONNECTIONS = AnyGauge(
    "sekisho_smtp_connections",
    "SMTP connections open now",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
ACCEPTED = Counter("sekisho_messages_accepted_total", "Messages accepted with 250", registry=REGISTRY)
REFUSED = Counter(
    "sekisho_messages_refused_total",
    "Messages or commands refused, by reason",
    ["reason"],  # policy, syntax, size, recipients, auth, sender, rate, loop, content, store, timeout, error
    registry=REGISTRY,
)
SIGN_INS = Counter(
    "sekisho_sign_ins_total",
    "Sign-ins to the pages by result",
    [
        "result"
    ],  # ok, wrong, code, locked, busy, step; of the OpenID provider: no-role, taken, suspended, provider
    registry=REGISTRY,
)
AUTHENTICATIONS = Counter("sekisho_smtp_auth_total", "AUTH attempts by result", ["result"], registry=REGISTRY)
EVIDENCE_MISSING = Counter(
    "sekisho_evidence_missing_total",
    "Evidence that a rule asked for and that was not there in time, by kind",
    ["kind"],  # content, writers, volume, earlier, domains, look-alikes, note
    registry=REGISTRY,
)
EVIDENCE_SECONDS = Histogram(
    "sekisho_evidence_seconds",
    "Time a mail waited for what rules ask about beyond it",
    buckets=EVIDENCE_BUCKETS,
    registry=REGISTRY,
)
HELD = Counter("sekisho_recipients_held_total", "Recipients held at acceptance", registry=REGISTRY)
CANCELLED = Counter(
    "sekisho_recipients_cancelled_total", "Recipients cancelled, by reason", ["reason"], registry=REGISTRY
)
DELIVERED = Counter("sekisho_recipients_delivered_total", "Recipients the next hop took", registry=REGISTRY)
DEFERRED = Counter(
    "sekisho_recipients_deferred_total", "Attempts put off, by reason", ["reason"], registry=REGISTRY
)
NEXT_HOP_TLS = Counter(
    "sekisho_next_hop_transactions_total",
    "Transactions with a next hop, by TLS",
    ["tls"],  # none, unverified, verified
    registry=REGISTRY,
)
BOUNCED = Counter(
    "sekisho_recipients_bounced_total", "Recipients given up, by reason", ["reason"], registry=REGISTRY
)
NOTICES = Counter("sekisho_notices_total", "Mails Sekisho wrote itself, by kind", ["kind"], registry=REGISTRY)
HOLD_SECONDS = Histogram(
    "sekisho_hold_seconds",
    "Time from acceptance to the end of a hold",
    buckets=HOLD_BUCKETS,
    registry=REGISTRY,
)
DELIVERY_SECONDS = Histogram(
    "sekisho_delivery_seconds",
    "Time from release to the next hop's 250",
    buckets=DELIVERY_BUCKETS,
    registry=REGISTRY,
)
CONTENT_READS = Counter(
    "sekisho_content_reads_total",
    "Mails whose content was read, by how that went",
    ["result"],  # here, read, killed, died, busy, broken
    registry=REGISTRY,
)
CONTENT_SECONDS = Histogram(
    "sekisho_content_read_seconds",
    "Time to read the content of one mail, waiting for a process included",
    buckets=CONTENT_BUCKETS,
    registry=REGISTRY,
)
SEALING = Counter(
    "sekisho_sealing_total",
    "Mails whose attachments were looked at or protected, by how that went",
    ["work", "result"],  # look, write; done, obstacle, refused, died, too-slow, busy, broken
    registry=REGISTRY,
)
SEALING_SECONDS = Histogram(
    "sekisho_sealing_seconds",
    "Time to look at the attachments of one mail, or to write one copy with them protected, waiting included",
    ["work"],
    buckets=CONTENT_BUCKETS,
    registry=REGISTRY,
)
COMMIT_SECONDS = Histogram(
    "sekisho_store_commit_seconds", "Time of one group commit", buckets=COMMIT_BUCKETS, registry=REGISTRY
)
STORE_DAMAGE = Counter(
    "sekisho_store_damage_total",
    "Reads and writes that met a damaged page of the database",
    registry=REGISTRY,
)
PUT_ASIDE = AnyGauge(
    "sekisho_messages_put_aside",
    "Messages that do not move because their rows are damaged",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
LOOP_LAG = Histogram(
    "sekisho_event_loop_lag_seconds",
    "How much later than asked for the event loop woke a heartbeat",
    buckets=LAG_BUCKETS,
    registry=REGISTRY,
)
QUEUE = Gauge("sekisho_queue_recipients", "Recipients by state", ["state"], registry=REGISTRY)
OLDEST_DUE = Gauge(
    "sekisho_oldest_due_seconds", "Age of the oldest recipient that should be moving", registry=REGISTRY
)
NOTICES_PUT_OFF = Counter(
    "sekisho_notices_put_off_total",
    "Times a notice waited because its reader gets too many letters",
    registry=REGISTRY,
)
TEMPLATES_FAILED = Counter(
    "sekisho_notice_templates_failed_total",
    "Letters for which an organisation's own template failed, so that the built-in one was used",
    registry=REGISTRY,
)
TEMPLATES_BROKEN = Gauge(
    "sekisho_notice_templates_broken",
    "Problems found in the folder of own templates; the built-in ones are used instead",
    registry=REGISTRY,
)
PENDING_NOTICES = Gauge("sekisho_notices_pending", "Notices waiting to be written", registry=REGISTRY)
POLICY_INFO = Gauge("sekisho_policy_info", "1 for the policy in force", ["digest"], registry=REGISTRY)
POLICY_RELOADS = Counter(
    "sekisho_policy_reloads_total", "Policy reloads by result", ["result"], registry=REGISTRY
)
POLICY_STALE = Gauge(
    "sekisho_policy_stale",
    "1 while the files on disk are broken and the last good policy is used",
    registry=REGISTRY,
)
RULE_MAILS = Counter(
    "sekisho_rule_mails_total",
    "Mails by rule",
    [
        "rule",
        "effect",
    ],  # matched, watched, held, refused, waived, cancelled; rules of the policy in force, at most 40
    registry=REGISTRY,
)
RULE_WAIT = Counter(
    "sekisho_rule_wait_seconds_total", "Seconds recipients waited, by rule", ["rule"], registry=REGISTRY
)
KEY_SENDINGS = Counter(
    "sekisho_key_sendings_total",
    "Attempts to send the key of an attachment, by way and outcome",
    ["way", "outcome"],  # sms, second-mail; sent, put-off, given-up
    registry=REGISTRY,
)
KEY_RECEIPTS = Counter(
    "sekisho_key_receipts_total",
    "What became of keys that were sent, by way and outcome",
    ["way", "outcome"],  # sms, second-mail; arrived, lost, on-the-way, unknown, forged
    registry=REGISTRY,
)
WEBHOOKS = Counter(
    "sekisho_webhook_messages_total",
    "Messages to webhooks, by webhook of the settings and outcome",
    ["webhook", "outcome"],  # at most ten names; taken, failed
    registry=REGISTRY,
)
KEY_CHANNEL = Gauge(
    "sekisho_key_channel_works",
    "0 where the last keys could not be sent by this way, 1 where they could",
    ["way"],
    registry=REGISTRY,
)
READY = Gauge("sekisho_ready", "1 where a readiness check passes", ["check"], registry=REGISTRY)


def policy_in_force(before: str | None, now: str) -> None:
    """Say which policy is in force; of several workers one may still have the one before."""
    if before is not None:
        POLICY_INFO.labels(before[:12]).set(0)
        if not _many():
            POLICY_INFO.clear()
    POLICY_INFO.labels(now[:12]).set(1)


def render() -> bytes:
    """Return the exposition text of the registry; of all workers where there are several."""
    if not _many():
        return generate_latest(REGISTRY)
    write_down()
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)
