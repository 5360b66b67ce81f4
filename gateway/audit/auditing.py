"""The log as the pages use it: every question within a scope, off the event loop; every copy that is taken is an event first.

A copy is written to a temporary file as a whole, its event is committed, and then it is sent: nobody has a copy of which the
log knows nothing. What is made here is bounded; who needs more uses `sekisho log export` at the machine.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from gateway.audit import certificates, checkpoints
from gateway.audit.certificates import Certificate, certify, destroyed
from gateway.audit.entries import Entry, Question
from gateway.audit.export import to_csv, to_json_lines
from gateway.audit.exports import Counted, exported
from gateway.audit.fitting import without_subject
from gateway.audit.lines import LogPage, all_lines, lines
from gateway.audit.log import EventLog
from gateway.audit.proof import part, write_proof
from gateway.audit.record import Record, record
from gateway.audit.signed_walk import Signed, verify_checkpoints
from gateway.audit.signing_keys import PublicKey, public_keys
from gateway.audit.timeline import Timeline, timeline
from gateway.audit.verify import Verdict, together, verify_chains
from gateway.clock import Clock
from gateway.languages import Words
from gateway.spool.times import to_us
from gateway.spool.values import Actor
from gateway.store.database import Database, event_seal
from gateway.values import dataclass

MOST_EVENTS = 200_000  # in one copy taken at a page: some 200 MiB of disk, for a minute
OF_ONE_MAIL = 2_000  # events of one mail in a copy, and looked at for its outcome


class TooMuch(Exception):
    """More events than one copy at a page may hold."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list, and what became of the mail: events of a few kinds, as they came."""

    entry: Entry
    events: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on all chains and on the signed checkpoints."""

    verdict: Verdict
    signed: Signed
    at: datetime

    @property
    def intact(self) -> bool:
        return self.verdict.intact and self.signed.intact


class Auditing:
    """Reads the log of one store. `groups` are those of the policy in force; `subjects_for_ordering` is the setting."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        groups: Callable[[], Iterable[str]] = tuple,
        subjects_for_ordering: bool = True,
    ) -> None:
        self._db = database
        self._clock = clock
        self._log = EventLog.over(database.readers)
        self.groups = groups
        self.subjects_for_ordering = subjects_for_ordering

    async def lines(self, question: Question, after: str, subjects: bool) -> tuple[LogPage, list[Line]]:
        """Return a page of the list; raises ValueError for an `after` that is none of ours, StoreUnavailable."""
        return await asyncio.to_thread(self._lines, question, after, subjects)

    async def story(self, queue_id: str, words: Words) -> Timeline | None:
        """Return what happened to one mail, whosever it is: the caller asks whether it may be seen."""
        return await asyncio.to_thread(timeline, self._log, queue_id, words)

    async def copy(self, question: Question, form: str, actor: Actor, subjects: bool) -> Path:
        """Write the events of the mails that are found as `csv` or `jsonl`; the caller deletes the file. Raises TooMuch."""

        def write(path: Path) -> int:
            entries = Counted(_no_more(self._found(question), subjects))
            with path.open("w", encoding="utf-8", newline="") as file:
                file.writelines(to_csv(entries) if form == "csv" else to_json_lines(entries))
            return entries.count

        return await self._taken(write, question, form, actor)

    async def proof(self, since: datetime, until: datetime, actor: Actor) -> Path:
        """Write an export with proof; the caller deletes the file. Raises NothingToProve, ChainAltered, TooMuch."""
        now = self._clock()
        if until > now:
            await self._db.committer.run(checkpoints.make(self._db.master, now))
        chosen = await asyncio.to_thread(part, self._db.readers, since, min(until, now))
        if chosen.events > MOST_EVENTS:
            raise TooMuch

        def write(path: Path) -> int:
            path.unlink()
            return write_proof(self._db.readers, chosen, path)

        return await self._taken(write, Question(since=since, until=until), "proof", actor)

    async def verify(self) -> Checked:
        """Walk all chains and all checkpoints: seconds for a million events."""
        return await asyncio.to_thread(self._verify)

    async def record(self, group: str, since: datetime, until: datetime) -> Record:
        """Return the figures of the management record."""
        return await asyncio.to_thread(record, self._log, group, since, until, self._clock())

    async def keys(self) -> list[PublicKey]:
        """Return the public keys, the oldest first."""
        return await self._db.readers.run(public_keys)

    async def certify(self, asked: Question, actor: Actor) -> Certificate:
        """List what was destroyed and sign it; raises TooMany."""
        rows = await asyncio.to_thread(destroyed, self._log, asked)
        return await self._db.committer.run(certify(rows, asked, self._db.master, actor, self._clock()))

    async def certificates(self) -> list[tuple[int, datetime, str]]:
        """Return the last certificates: number, time, group."""
        return await self._db.readers.run(certificates.recent)

    async def certificate(self, number: int) -> Certificate | None:
        """Return one certificate."""
        return await self._db.readers.run(certificates.numbered(number))

    def _lines(self, question: Question, after: str, subjects: bool) -> tuple[LogPage, list[Line]]:
        page = lines(self._log, question, after)
        found = [Line(entry if subjects else without_subject(entry), self._of(entry)) for entry in page.lines]
        return page, found

    def _of(self, entry: Entry) -> tuple[Entry, ...]:
        return () if entry.queue_id is None else tuple(self._log.about(entry.queue_id, OF_ONE_MAIL))

    def _found(self, question: Question) -> Iterator[Entry]:
        for entry in all_lines(self._log, question):
            yield from self._of(entry) or (entry,)

    async def _taken(self, write: Callable[[Path], int], question: Question, form: str, actor: Actor) -> Path:
        handle, name = await asyncio.to_thread(tempfile.mkstemp, ".sekisho-export")
        os.close(handle)
        path = Path(name)
        try:
            count = await asyncio.to_thread(write, path)
            event = exported(question, form, count, actor, to_us(self._clock()))
            await self._db.committer.run(lambda tx: tx.event(event))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _verify(self) -> Checked:
        verdict = together(verify_chains(self._log, event_seal(self._db.master)))
        return Checked(verdict, verify_checkpoints(self._log), self._clock())


def _no_more(entries: Iterable[Entry], subjects: bool) -> Iterator[Entry]:
    found = iter(entries)
    for entry in islice(found, MOST_EVENTS):
        yield entry if subjects else without_subject(entry)
    if next(found, None) is not None:
        raise TooMuch


def without_subjects(question: Question) -> Question:
    """Return the question of somebody who may not know subjects: words of one would tell."""
    return replace(question, subject=None)
