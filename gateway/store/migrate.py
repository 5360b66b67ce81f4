"""Brings a database to this code's schema, at start, in one transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gateway.store.errors import StoreMisconfigured

_SCRIPTS = Path(__file__).with_name("migrations")


def upgrade(connection: sa.Connection) -> None:
    """Run the migrations that are missing; raises StoreMisconfigured on a database that a newer Sekisho wrote."""
    scripts = _scripts()
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise StoreMisconfigured(
            f"the database has schema {current}, which this version does not know: a newer one wrote it"
        )
    if current == scripts.get_current_head():
        return
    with EnvironmentContext(
        Config(), scripts, fn=lambda rev, _context: scripts._upgrade_revs("head", rev)
    ) as context:
        context.configure(connection=connection, transactional_ddl=True)
        context.run_migrations()


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)
