"""Statements run as they are: what most repository methods come to."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlalchemy import Executable, Row

from server.store.database import Database

Record = TypeVar("Record")

DELETED_AT_A_TIME: Final = 2_000
"""Rows that one transaction deletes where there may be very many."""


async def find_one(
    database: Database, statement: Executable, make: Callable[..., Record], **parameters: object
) -> Record | None:
    """The record that a select finds, made from its columns by name; None where it finds nothing.

    Args:
        database: where to look.
        statement: a select of at most one row.
        make: the record's class.
        parameters: of a statement that was built once: building one costs as much as running it.
    """
    row: Row[Any] | None = await database.read(lambda c: c.execute(statement, parameters).one_or_none())
    return None if row is None else make(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


async def find_all(database: Database, statement: Executable, make: Callable[..., Record]) -> list[Record]:
    """The records that a select finds, in its order."""
    rows = await database.read(lambda c: c.execute(statement).all())
    return [make(**row._mapping) for row in rows]  # noqa: SLF001 - as above


async def execute(database: Database, statement: Executable) -> int:
    """Runs a statement in a transaction of its own; returns how many rows it touched."""
    touched: int = await database.write(lambda c: c.execute(statement).rowcount)
    return touched
