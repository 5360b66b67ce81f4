"""The tables of reminders, and of when approvers are away."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.tables import metadata

reminders = (
    sa.Table(  # demands on people that are looked at before their deadline; gone when nothing waits for them
        "reminders",
        metadata,
        sa.Column(
            "queue_id", sa.Text, sa.ForeignKey("messages.queue_id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # of the look
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("looked_at", sa.BigInteger, nullable=False),  # what was due until then is done
    )
)

absences = sa.Table(  # when an approver (the key of an address) is away
    "absences",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("until", sa.BigInteger, nullable=False),  # not included
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("set_at", sa.BigInteger, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
)

sa.Index("ix_reminders_due_at", reminders.c.due_at)
