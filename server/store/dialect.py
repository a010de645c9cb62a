"""INSERT ... ON CONFLICT, which both engines speak but SQLAlchemy keeps per dialect."""

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert


def insert(dialect: str, table: Table) -> SqliteInsert | PostgresInsert:
    """An INSERT of a dialect, by its name; both have `on_conflict_do_*` and `excluded`."""
    if dialect == "sqlite":
        return sqlite_insert(table)
    return postgres_insert(table)
