"""Brings a database to this code's schema, at start, in one transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from gateway.store.errors import StoreMisconfigured
from gateway.store.schema import compatibility, nodes

HEAD = "0015"  # the newest revision under migrations/; a test compares

_SCRIPTS = Path(__file__).with_name("migrations")


def upgrade(connection: sa.Connection) -> None:
    """Run the migrations that are missing; raises StoreMisconfigured on a database that is too new for this code.

    A newer schema that says it is compatible since ours, or an older one, is worked on as it is: that is how gateways of two
    versions run side by side (docs/decisions/0013-several-gateways.md).
    """
    if _stamp(connection) == HEAD:
        return
    if connection.dialect.name == "postgresql":
        from gateway.store.postgres import lock_for_migration

        lock_for_migration(connection)
    if not is_ours_or_compatible(connection):
        _migrate(connection)


def is_ours_or_compatible(connection: sa.Connection) -> bool:
    """Tell whether this code can work on the schema as it is."""
    stamp = _stamp(connection)
    if stamp is None or stamp <= HEAD:
        return stamp == HEAD
    since = None
    if sa.inspect(connection).has_table("compatibility"):
        marked = sa.select(compatibility.c.since).where(compatibility.c.revision == stamp)
        since = connection.execute(marked).scalar()
    if since is None or since > HEAD:
        raise StoreMisconfigured(
            f"the database has schema {stamp}, which this version does not know: a newer one wrote it"
        )
    return True


def _stamp(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _migrate(connection: sa.Connection) -> None:
    """Import Alembic only here: it takes longer than most commands."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_revision("head")
    module = newest.module
    since = str(getattr(module, f"compatible_since_{connection.dialect.name}", module.compatible_since))
    _refuse_while_older_ones_run(connection, since)
    with EnvironmentContext(
        Config(), scripts, fn=lambda rev, _context: scripts._upgrade_revs("head", rev)
    ) as context:
        context.configure(connection=connection, transactional_ddl=True)
        context.run_migrations()
    connection.execute(compatibility.delete())
    connection.execute(compatibility.insert().values(revision=newest.revision, since=since))


def _refuse_while_older_ones_run(connection: sa.Connection, since: str) -> None:
    """A schema that drops what older code needs has to wait until no such gateway lives."""
    if connection.dialect.name != "postgresql" or not sa.inspect(connection).has_table("nodes"):
        return
    now: sa.ColumnClause[int] = sa.literal_column("(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint")
    living = sa.select(nodes.c.node, nodes.c.schema).where(nodes.c.alive_until > now, nodes.c.schema < since)
    older = connection.execute(living).first()
    if older is not None:
        raise StoreMisconfigured(
            f"gateway {older.node} still runs with schema {older.schema}; this version needs all at {since}: stop it first"
        )
