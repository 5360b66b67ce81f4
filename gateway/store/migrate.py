"""Brings a database to this code's schema, at start, in one transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from gateway.store.errors import StoreMisconfigured

HEAD = "0002"  # the newest revision under migrations/; a test compares

_SCRIPTS = Path(__file__).with_name("migrations")


def upgrade(connection: sa.Connection) -> None:
    """Run the migrations that are missing; raises StoreMisconfigured on a database that a newer Sekisho wrote."""
    if sa.inspect(connection).has_table("alembic_version"):
        stamp = sa.text("SELECT version_num FROM alembic_version")
        if connection.execute(stamp).scalar() == HEAD:
            return
    _migrate(connection)


def _migrate(connection: sa.Connection) -> None:
    """Import Alembic only here: it takes longer than most commands."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise StoreMisconfigured(
            f"the database has schema {current}, which this version does not know: a newer one wrote it"
        )
    with EnvironmentContext(
        Config(), scripts, fn=lambda rev, _context: scripts._upgrade_revs("head", rev)
    ) as context:
        context.configure(connection=connection, transactional_ddl=True)
        context.run_migrations()
