"""What both engines can do but SQLAlchemy keeps per dialect: INSERT ... ON CONFLICT, and the clock."""

from typing import Any

from sqlalchemy import BigInteger, Table
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def insert(dialect: str, table: Table) -> SqliteInsert | PostgresInsert:
    """An INSERT of a dialect, by its name; both have `on_conflict_do_*` and `excluded`."""
    if dialect == "sqlite":
        return sqlite_insert(table)
    return postgres_insert(table)


class EpochMs(FunctionElement[int]):
    """The database's own clock, in epoch milliseconds, as it reads when the statement runs.

    Not the clock of the transaction's begin: a statement may have waited for a lock since then.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(EpochMs, "postgresql")
def _epoch_ms_postgresql(_element: EpochMs, _compiler: SQLCompiler, **_options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(EpochMs, "sqlite")
def _epoch_ms_sqlite(_element: EpochMs, _compiler: SQLCompiler, **_options: Any) -> str:
    # 2440587.5 is the Julian day of 1970-01-01.
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
