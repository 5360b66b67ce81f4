"""The tables of people who sign in: who they are, their credentials, sessions and tokens.

`login` is always in small letters (`str.casefold`): the key. Secrets that have to come back are wrapped by the master key
(wrapping.py); all others are kept as hashes alone.
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.store.tables import metadata, partial_index

people = sa.Table(
    "people",
    metadata,
    sa.Column("login", sa.Text, primary_key=True),
    sa.Column("written", sa.Text, nullable=False),  # the login as somebody wrote it
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("addresses", sa.Text, nullable=False),  # JSON
    sa.Column("grants", sa.Text, nullable=False),  # JSON: [role, group] each
    sa.Column("language", sa.Text),
    sa.Column("suspended_at", sa.BigInteger),
    sa.Column("subject", sa.Text),  # who this is to the OpenID provider
    sa.Column("provided", sa.Text),  # the mailbox that it named last
    sa.Column("added_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("provided_at", sa.BigInteger),  # when it last spoke of this person
)


def _of_person(*, first: bool = True) -> sa.Column[str]:
    return sa.Column(
        "login",
        sa.Text,
        sa.ForeignKey("people.login", ondelete="CASCADE"),
        primary_key=first,
        nullable=False,
    )


credentials = sa.Table(
    "credentials",
    metadata,
    _of_person(),
    sa.Column("password", sa.Text),  # argon2id
    sa.Column("password_at", sa.BigInteger),
    sa.Column("password_until", sa.BigInteger),  # of one that somebody else made, to be replaced at once
    sa.Column("history", sa.Text, nullable=False),  # JSON: hashes of those before, the newest first
    sa.Column("key_id", sa.Text),  # of the master key
    sa.Column("wrapped", sa.LargeBinary),  # the secret of one-time passwords
    sa.Column(
        "totp_at", sa.BigInteger
    ),  # when a code proved that it is set up; before, it counts for nothing
    sa.Column("totp_step", sa.BigInteger, nullable=False),  # of the code that was used last
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    _of_person(),
    sa.Column("hash", sa.Text, primary_key=True),  # SHA-256 of 80 random bits
)

sign_ins = sa.Table(  # sessions, and sign-ins that wait for their second step
    "sign_ins",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),  # SHA-256 of what the cookie holds
    _of_person(first=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("form_key", sa.Text, nullable=False),
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("begun_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
sa.Index("ix_sign_ins_login", sign_ins.c.login)
sa.Index("ix_sign_ins_expires", sign_ins.c.expires_at)

browsers = sa.Table(  # in which somebody has signed in before
    "browsers",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    _of_person(),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)

sign_in_failures = sa.Table(  # wrong entries, by whom or from where they came
    "sign_in_failures",
    metadata,
    sa.Column("who", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("failed_at", sa.BigInteger, nullable=False),
)
sa.Index("ix_sign_in_failures_failed", sign_in_failures.c.failed_at)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),  # SHA-256 of the token
    sa.Column("number", sa.Text, nullable=False),
    _of_person(first=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # with spaces between
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used_on", sa.Integer),  # day since 1970-01-01
)
sa.Index("ix_api_tokens_login", api_tokens.c.login)

partial_index("ix_people_suspended", people.c.login, "suspended_at IS NOT NULL")
_subject = sa.text("subject IS NOT NULL")
sa.Index("ix_people_subject", people.c.subject, unique=True, sqlite_where=_subject, postgresql_where=_subject)
