"""Walk the event chains and name, for each, the first event that is not what was written.

Checked are each event's number, its link to the one before, its own hash, and that the last one is the head that was sealed
under the master key. Without the key the seal cannot be checked, and then somebody who can write the database could have
recomputed the whole chain: the verdict says so. Several gateways have a chain each; a sealed list says which, so that a
chain without a trace is noticed too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gateway.audit.entries import Question
from gateway.audit.log import EventLog, Row
from gateway.audit.pruning import beginnings
from gateway.store.events import Head, Seal, digest
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """`seq` is the first event that is wrong and `problem` says how; both are empty where all is well."""

    checked: int
    sealed: bool
    seq: int | None = None
    problem: str = ""
    node: str = ""

    @property
    def intact(self) -> bool:
        return self.seq is None


def verify(log: EventLog, seal: Seal | None) -> Verdict:
    """Check all chains and return the verdict on all of them together: the first that is wrong, or the sum."""
    return together(verify_chains(log, seal))


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the first verdict that found something, or all of them as one."""
    wrong = next((verdict for verdict in verdicts if not verdict.intact), None)
    if wrong is not None:
        return wrong
    return Verdict(sum(v.checked for v in verdicts), all(v.sealed for v in verdicts))


def verify_chains(log: EventLog, seal: Seal | None) -> list[Verdict]:
    """Check every chain in bounded memory; `seal` is None where the master key is not at hand."""
    listed = log.chain_list()
    if listed is None:
        return [Verdict(0, False, 0, "the list of chains is missing")]
    text, signature = listed
    try:
        begun = beginnings(log)
    except ValueError as error:
        return [Verdict(0, False, 0, str(error))]
    verdicts = []
    if seal is not None and not seal.holds_list(text, signature):
        verdicts.append(Verdict(0, False, 0, "the list of chains was not sealed under this master key"))
    names = _names(text)
    for node in sorted({*names, *log.nodes()}):
        begin = begun.get(node) or Head(node=node)
        verdict = replace(_verify_chain(log, node, seal, begin), node=node)
        if verdict.intact and node not in names:
            verdict = replace(verdict, seq=0, problem=f"the chain {node!r} is not in the list of chains")
        verdicts.append(verdict)
    return verdicts


def _names(text: str) -> list[str]:
    try:
        return [str(name) for name in json.loads(text)]
    except (ValueError, TypeError):
        return []


def _verify_chain(log: EventLog, node: str, seal: Seal | None, begin: Head) -> Verdict:
    found = log.head(node)
    if found is None:
        return Verdict(0, False, 0, "the head of the chain is missing")
    head, signature = found
    if seal is not None and not seal.holds(head, signature):
        last, _ = walk(_all_rows(log, node, begin.seq), None, node, begin)
        return Verdict(
            last.seq - begin.seq,
            False,
            head.seq,
            "the head of the chain was not sealed under this master key",
        )
    last, wrong = walk(_all_rows(log, node, begin.seq), head.seq, node, begin)
    if wrong is not None:
        wrong += _since_repair(log, node, last.seq, head)
        return Verdict(last.seq - begin.seq, seal is not None, last.seq + 1, wrong)
    verdict = _at_the_end(last, head, seal is not None)
    return replace(verdict, checked=verdict.checked - begin.seq)


def _since_repair(log: EventLog, node: str, broken: int, head: Head) -> str:
    """Return what to add about a broken chain that a repair of the database went on with: whether it is whole since."""
    repairs = log.query(Question(after=broken, kinds=("repaired",), node=node, limit=1))
    if not repairs:
        return ""
    first = repairs[0].seq
    (row,) = log.rows_after(first - 1, 1, node)
    before = Head(first - 1, _octets(row[-2]), node)
    last, wrong = walk(_all_rows(log, node, first - 1), head.seq, node, before)
    if wrong is not None:
        return f". Event {first} says that the database was repaired; but since then {wrong}"
    return (
        f". Event {first} says that the database was repaired: from there on to {last.seq} the chain is whole"
    )


def walk(
    rows: Iterable[Row], until: int | None, node: str = "", last: Head | None = None
) -> tuple[Head, str | None]:
    """Follow the chain from behind `last` as far as it holds, at most to event `until`; return its end and what broke it.

    Events behind `until` were written while we read; the next verification checks them.
    """
    last = last or Head(node=node)
    for row in rows:
        if until is not None and last.seq >= until:
            break
        wrong = _wrong(row, last)
        if wrong is not None:
            return last, wrong
        last = Head(int(str(row[0])), _octets(row[-1]), node)
    return last, None


def _wrong(row: Row, last: Head) -> str | None:
    seq, prev, hash_ = int(str(row[0])), _octets(row[-2]), _octets(row[-1])
    if seq != last.seq + 1:
        return f"event {last.seq + 1} is missing: the next one is {seq}"
    if prev != last.hash:
        return f"event {seq} does not follow event {last.seq}: one of the two was replaced"
    if digest(prev, row[:-2], last.node) != hash_:
        return f"event {seq} was altered: its hash does not match what it says"
    return None


def _at_the_end(last: Head, head: Head, sealed: bool) -> Verdict:
    if last.seq < head.seq:
        missing = f"event {last.seq + 1} and later ones up to {head.seq} are missing"
        return Verdict(last.seq, sealed, last.seq + 1, missing)
    if last.hash != head.hash:
        return Verdict(last.seq, sealed, last.seq, f"event {last.seq} is not the one that was sealed")
    return Verdict(last.seq, sealed)


def _all_rows(log: EventLog, node: str, seq: int = 0) -> Iterator[Row]:
    while rows := log.rows_after(seq, node=node):
        yield from rows
        seq = int(str(rows[-1][0]))


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()
