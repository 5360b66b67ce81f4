"""People who sign in, their sessions, and tokens of the API.

Only adds; code of the version before knows nobody.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

compatible_since = "0002"  # the oldest schema whose code may work on this one
compatible_since_sqlite = "0003"  # older code would take a body in a segment for a missing file


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("login", sa.Text, primary_key=True),
        sa.Column("written", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("addresses", sa.Text, nullable=False),
        sa.Column("grants", sa.Text, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("suspended_at", sa.BigInteger),
        sa.Column("subject", sa.Text),
        sa.Column("provided", sa.Text),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "credentials",
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("password", sa.Text),
        sa.Column("password_at", sa.BigInteger),
        sa.Column("password_until", sa.BigInteger),
        sa.Column("history", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("totp_at", sa.BigInteger),
        sa.Column("totp_step", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("login", name="pk_credentials"),
        _of_person("credentials"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("login", "hash", name="pk_recovery_codes"),
        _of_person("recovery_codes"),
    )
    op.create_table(
        "sign_ins",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("form_key", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        _of_person("sign_ins"),
    )
    op.create_table(
        "browsers",
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hash", "login", name="pk_browsers"),
        _of_person("browsers"),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("who", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("failed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "api_tokens",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_on", sa.Integer),
        _of_person("api_tokens"),
    )
    _indexes()


def _indexes() -> None:
    op.create_index("ix_sign_ins_login", "sign_ins", ["login"])
    op.create_index("ix_sign_ins_expires", "sign_ins", ["expires_at"])
    op.create_index("ix_sign_in_failures_failed", "sign_in_failures", ["failed_at"])
    op.create_index("ix_api_tokens_login", "api_tokens", ["login"])
    some = sa.text("suspended_at IS NOT NULL")
    op.create_index("ix_people_suspended", "people", ["login"], sqlite_where=some, postgresql_where=some)
    some = sa.text("subject IS NOT NULL")
    op.create_index(
        "ix_people_subject", "people", ["subject"], unique=True, sqlite_where=some, postgresql_where=some
    )


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["login"], ["people.login"], name=f"fk_{table}_login", ondelete="CASCADE")
