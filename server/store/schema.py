"""Brings a database to the schema of this release, and refuses one from a later release."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands.

    Attributes:
        current: its schema; None where it has none yet.
        head: this release's.
        is_known: whether this release knows the database's: one that it does not know is of a later one.
    """

    current: str | None
    head: str | None
    is_known: bool


async def standing(database: Database) -> Standing:
    """Looks which schema a database has; changes nothing.

    Raises:
        DatabaseAwayError: the database does not answer.
    """
    return await database.read(_standing)


def _standing(connection: Connection) -> Standing:
    script = ScriptDirectory.from_config(_config())
    known = {revision.revision for revision in script.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    return Standing(current, script.get_current_head(), current is None or current in known)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


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
    found = _standing(connection)
    if not found.is_known:
        raise WagateError(
            Code.UNAVAILABLE,
            f"the database has schema {found.current}, which this release does not know: "
            "it was written by a later one. Run that release, or restore a backup made by this one.",
        )
    if found.current != found.head:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
