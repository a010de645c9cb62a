"""Brings a database to the schema of this release, and refuses one from a later release."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from server.errors import Code, WagateError
from server.store.database import Database

_LOCK: Final = 0x77616761
"""The advisory lock of whoever migrates a PostgreSQL database: any number that nobody else takes."""


async def upgrade(database: Database) -> None:
    """Runs the migrations that the database has not seen. Nodes that start together take turns.

    Raises:
        WagateError: UNAVAILABLE when the database was written by a later release.
    """
    # A large table takes its time, and so does another node that migrates.
    await database.write(_upgrade, within=None)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's transactions take turns by themselves
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise WagateError(
            Code.UNAVAILABLE,
            f"the database has schema {current}, which this release does not know: "
            "it was written by a later one. Run that release, or restore a backup made by this one.",
        )
    if current != script.get_current_head():
        command.upgrade(config, "head")
