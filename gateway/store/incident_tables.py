"""The tables of incidents: mail that went to the wrong people, and what was done about it.

A mail has one incident at most, so its queue id names both. What people wrote is about citizens: it is wrapped by the
master key (wrapping.py) and goes with the incident. No foreign key: the records of a mail with an incident are kept
(spool/ageing.py), and a mail that is lost must not take the incident with it.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.tables import metadata, partial_index

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("queue_id", sa.Text, primary_key=True),
    sa.Column("opened_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("opener_kind", sa.Text, nullable=False),
    sa.Column("opener", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),  # what went wrong
    sa.Column("wrong", sa.Text, nullable=False),  # ranges of recipients; empty where nobody was named
    sa.Column("kinds", sa.Text, nullable=False),  # of data, with commas
    sa.Column("persons", sa.BigInteger),  # whose data it is; NULL where nobody knows
    sa.Column("known_at", sa.BigInteger, nullable=False),  # from when the clocks run
    sa.Column("organisation", sa.Text, nullable=False),  # which law asks for reports
    sa.Column("taken", sa.Text, nullable=False),  # JSON: what taking back did
    sa.Column("whose", sa.Text, nullable=False),  # JSON: whose mail it is, for who may see it
    sa.Column("preliminary_at", sa.BigInteger),  # when somebody noted that a report was handed in
    sa.Column("final_at", sa.BigInteger),
    sa.Column("closed_at", sa.BigInteger),
    sa.Column("remind_at", sa.BigInteger),  # the next letter about the clocks
)

incident_notes = sa.Table(  # what people wrote, in order; the first is the description
    "incident_notes",
    metadata,
    sa.Column("queue_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("writer", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)

deletion_requests = sa.Table(  # who was asked to delete the mail, and what they answered; no row: not asked
    "deletion_requests",
    metadata,
    sa.Column("queue_id", sa.Text, primary_key=True),
    sa.Column("recipient", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("asker", sa.Text, nullable=False),
    sa.Column("letter", sa.Integer, nullable=False),  # the number of the note with the free paragraph
    sa.Column("answer", sa.Text),
    sa.Column("answered_at", sa.BigInteger),
    sa.Column("answers", sa.Integer, nullable=False),  # how often; once it may be changed
    sa.Column("reminders", sa.Integer, nullable=False),  # sent so far
    sa.Column("reminded_at", sa.BigInteger),
    sa.Column("remind_at", sa.BigInteger),  # the next by schedule
    sa.Column("every", sa.BigInteger),  # microseconds between two
    sa.Column("key_id", sa.Text),
    sa.Column("wrapped_comment", sa.LargeBinary),
)

partial_index("ix_incidents_remind", incidents.c.remind_at, "remind_at IS NOT NULL")
partial_index("ix_incidents_closed", incidents.c.closed_at, "closed_at IS NOT NULL")
partial_index("ix_deletion_requests_remind", deletion_requests.c.remind_at, "remind_at IS NOT NULL")
