"""Every task of `make bench`, every figure and what was promised of it. docs/performance.md names each; a test compares.

A figure has a promise (`Aim`) or says why it has none. To add one: a round in a module of its own, an entry here, a line in
the page.
"""

from __future__ import annotations

from functools import partial

from tests.bench import source
from tests.bench.banner import banner
from tests.bench.copies import copies
from tests.bench.deciding import PARSER, deciding
from tests.bench.figures import Aim, Figure
from tests.bench.latency import latency
from tests.bench.limits import MACHINE, limits
from tests.bench.lists import lists
from tests.bench.memory import memory
from tests.bench.million import million
from tests.bench.on_postgres import ON_POSTGRES
from tests.bench.parts import delivery, loop_stalls, reception
from tests.bench.protect import QPDF, SEVENZIP, protect
from tests.bench.protect import absent as no_tools
from tests.bench.stock import WHO as STOCK
from tests.bench.task import Task
from tests.bench.throughput import (
    LARGE,
    ONE_WORKER,
    SMALL,
    against_postfix,
    against_postfix_hold,
    against_stock,
    hold,
    on_postgres,
    race,
    relayed,
    workers,
)
from tests.bench.tls import PLAIN, tls

RATE, CPU = "mails/s", "us/mail"
OF_THE_MACHINE = "the machine's, not ours"
TO_COMPARE = "not promised, to compare with"


def at_least(ratio: float) -> Aim:
    return Aim("ratio", "least", ratio)


def no_worse() -> Aim:
    return Aim("ratio", "most", 1.0)


def under(value: float) -> Aim:
    return Aim("value", "most", value)


def _costs(name: str, title: str, aim: Aim | str, unit: str = CPU, **more: str) -> Figure:
    """Return a figure of which less is better."""
    return Figure(name, title, unit, aim, better="less", **more)


_HOLD, _THROUGH = "accept and hold, 10 KiB", "end to end, 10 KiB"
TASKS: tuple[Task, ...] = (
    Task(
        "limits",
        "smtp-source straight into smtp-sink, and syncs of the disk",
        (
            Figure("limit-10k", "source into sink, 10 KiB", RATE, OF_THE_MACHINE, ours=MACHINE, peer=""),
            Figure("limit-1m", "source into sink, 1 MiB", RATE, OF_THE_MACHINE, ours=MACHINE, peer=""),
            Figure("limit-sync", "4 KiB appended, fdatasync", "/s", OF_THE_MACHINE, ours=MACHINE, peer=""),
        ),
        limits,
        source.absent,
        rounds=1,
    ),
    Task(
        "hold",
        "accept and hold, against Postfix with HOLD",
        (
            Figure("hold", _HOLD, RATE, at_least(2.0)),
            _costs("hold-cpu", f"processor, {_HOLD}", TO_COMPARE),
        ),
        partial(race, hold, SMALL, "hold", against_postfix_hold),
        source.absent,
    ),
    Task(
        "e2e",
        "end to end, against Postfix that relays",
        (
            Figure("e2e", _THROUGH, RATE, at_least(4.0)),
            _costs("e2e-cpu", f"processor, {_THROUGH}", TO_COMPARE),
        ),
        partial(race, relayed, SMALL, "e2e", against_postfix),
        source.absent,
    ),
    Task(
        "hold-1m",
        "accept and hold large mails",
        (Figure("hold-1m", "accept and hold, 1 MiB", RATE, at_least(1.0)),),
        partial(race, hold, LARGE, "hold-1m", against_postfix_hold),
        source.absent,
    ),
    Task(
        "e2e-1m",
        "end to end, large mails",
        (Figure("e2e-1m", "end to end, 1 MiB", RATE, "nothing promised at this size"),),
        partial(race, relayed, LARGE, "e2e-1m", against_postfix),
        source.absent,
    ),
    Task(
        "hold-pg",
        "accept and hold with PostgreSQL for a store, every commit synced",
        (Figure("hold-pg", "accept and hold on PostgreSQL, 10 KiB", RATE, at_least(1.5), ours=ON_POSTGRES),),
        on_postgres,
        source.absent,
    ),
    Task(
        "latency",
        "time to 250 at half of peak load, open loop",
        (
            _costs("latency-p99", "p99 to 250 at half our peak", no_worse(), "ms"),
            _costs("latency-p50", "p50 to 250 at half our peak", "the promise is about p99", "ms"),
            _costs("latency-peer-p99", "p99 to 250 at half Postfix's peak", no_worse(), "ms"),
            _costs("latency-peer-p50", "p50 to 250 at half Postfix's peak", "the promise is about p99", "ms"),
            Figure("latency-rate", "rate of the first two", RATE, TO_COMPARE),
            Figure("latency-peer-rate", "rate of the other two", RATE, TO_COMPARE),
        ),
        latency,
        source.absent,
    ),
    Task(
        "banner",
        "the banner of a new connection under full load",
        (
            _costs("banner", "worst banner under full load", under(50.0), "ms"),
            _costs("banner-p99", "p99 of banners under full load", "the promise is about the worst", "ms"),
        ),
        banner,
        source.absent,
    ),
    Task(
        "copies",
        "one mail to 40,000 recipients, each with a copy of their own",
        (
            Figure("copies", "individual copies of one mail", "/s", Aim("value", "least", 3000.0), peer=""),
            _costs("copies-cpu", "processor, individual copies", TO_COMPARE, "us/copy", peer=""),
        ),
        copies,
        source.absent,
        rounds=1,
    ),
    Task(
        "decide",
        "a decision by a municipality's policy, against Python's parser on the same mail",
        (
            _costs("decide-1", "deciding, one recipient", under(200.0), "us/mail", peer=PARSER),
            _costs("decide-30", "deciding, thirty recipients", under(1000.0), "us/mail", peer=PARSER),
        ),
        deciding,
    ),
    Task(
        "tls",
        "TLS on both sides, against the same in clear",
        (
            Figure("tls", "TLS on both sides, against none", RATE, at_least(0.5), peer=PLAIN),
            _costs("tls-cpu", "processor, TLS on both sides", Aim("ratio", "most", 2.0), peer=PLAIN),
        ),
        tls,
    ),
    Task(
        "stalls",
        "the event loop under mails of 25 MB and part bombs",
        (
            _costs("stalls", "worst stall of the event loop", under(50.0), "ms", peer=""),
            _costs("stalls-banner", "worst banner meanwhile", under(50.0), "ms", peer=""),
        ),
        loop_stalls,
        rounds=1,
    ),
    Task(
        "memory",
        "idle connections, and mails of 25 MiB",
        (
            _costs("memory-1k", "each of 1,000 idle connections", under(32.0), "KiB", peer=""),
            _costs("memory-10k", "each of 10,000 idle connections", under(32.0), "KiB", peer=""),
            _costs(
                "memory-25m", "peak, 4 mails of 25 MiB at a time", "bounded by limits.bytes_in_flight", "MiB"
            ),
        ),
        memory,
        rounds=1,
    ),
    Task(
        "million",
        "a million held recipients against none",
        (
            _costs("million-scan", "p99 of a look for due mail", under(10.0), "ms", peer=""),
            _costs("million-memory", "memory for a million held", under(16.0), "MiB", peer=""),
            _costs("million-start", "start on a million held", TO_COMPARE, "s", peer=""),
            Figure("million-accept", "accepting, against an empty store", "ratio", TO_COMPARE, peer=""),
        ),
        million,
        source.absent,
        rounds=1,
    ),
    Task(
        "lists",
        "100,000 held mails: a page, the next one, a search, one person's own, a count, a verb for many",
        (
            _costs("lists-list", "first page of 100,000 held mails", under(200.0), "ms", peer=""),
            _costs("lists-next", "next page of them", under(200.0), "ms", peer=""),
            _costs("lists-own", "one sender's own among them", under(100.0), "ms", peer=""),
            _costs("lists-search", "a search that finds one of them", under(500.0), "ms", peer=""),
            _costs("lists-count", "a count of what words find", under(500.0), "ms", peer=""),
            Figure("lists-bulk", "a verb for many of them", RATE, TO_COMPARE, peer=""),
        ),
        lists,
        rounds=1,
    ),
    Task(
        "workers",
        "two workers against one",
        (
            Figure(
                "workers-hold",
                f"two workers, {_HOLD}",
                RATE,
                "the load takes part of both cores",
                peer=ONE_WORKER,
            ),
            Figure(
                "workers-e2e",
                f"two workers, {_THROUGH}",
                RATE,
                "the load takes part of both cores",
                peer=ONE_WORKER,
            ),
        ),
        workers,
        source.absent,
        rounds=1,
    ),
    Task(
        "stock",
        "accept and hold, against stock parts",
        (Figure("stock", f"{_HOLD}, against stock parts", RATE, TO_COMPARE, peer=STOCK),),
        partial(race, hold, SMALL, "stock", against_stock),
        source.absent,
        rounds=1,
    ),
    Task(
        "receive",
        "reception alone, against aiosmtpd",
        (
            Figure("receive", "reception alone, 10 KiB", RATE, TO_COMPARE, peer="aiosmtpd"),
            _costs("receive-cpu", "processor, reception alone", TO_COMPARE, peer="aiosmtpd"),
        ),
        reception,
        source.absent,
        rounds=1,
    ),
    Task(
        "deliver",
        "delivery alone, against smtplib",
        (
            Figure("deliver", "delivery alone, 10 KiB", RATE, TO_COMPARE, peer="smtplib"),
            _costs("deliver-cpu", "processor, delivery alone", TO_COMPARE, peer="smtplib"),
        ),
        delivery,
        source.absent,
        rounds=1,
    ),
    Task(
        "protect",
        "attachments protected, against 7z and qpdf as whole processes",
        (
            _costs("protect-zip", "10 MiB into an AES-256 archive", TO_COMPARE, "ms", peer=SEVENZIP),
            _costs("protect-pdf", "a PDF of 10 MiB encrypted", TO_COMPARE, "ms", peer=QPDF),
            _costs("protect-stall", "worst stall, 4 mails of 25 MiB sealed", under(50.0), "ms", peer=""),
            _costs("protect-memory", "memory meanwhile, in the gateway", TO_COMPARE, "MiB", peer=""),
        ),
        protect,
        no_tools,
    ),
)


def named(names: list[str]) -> list[Task]:
    """Return the tasks of these names, all without names; raises KeyError for one that is not there."""
    known = {task.name: task for task in TASKS}
    return [known[name] for name in names] if names else list(TASKS)
