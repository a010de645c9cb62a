"""When the database itself fails, as opposed to one statement that it refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from server.errors import Code, WagateError

_RETRY_AFTER: Final = 5
"""Seconds after which a caller may ask again: a database that restarts is back by then."""

_SQLITE: Final = frozenset({5, 6, 7, 8, 10, 11, 13, 14, 15, 26})
"""SQLite's primary result codes for busy, locked, out of memory, read-only, I/O, corrupt, full, cannot open,
locking protocol and no database (SQLite, Result and Error Codes)."""
_POSTGRES: Final = ("08", "25006", "53", "57P", "58", "XX")
"""How SQLSTATEs begin that tell of the connection, a server that only reads (a replica), its resources, its
shutdown, its system, or a defect of it (PostgreSQL, Appendix A)."""
_TRANSIENT: Final = frozenset({"40001", "40P01"})
"""SQLSTATEs of a serialization failure and of a deadlock: rolled back, and worth the same attempt again."""


class DatabaseFailure(WagateError):  # noqa: N818 - the two below say what kind of error
    """The database failed. What was asked of it is not to blame: anything else would have failed too."""


class DatabaseAwayError(DatabaseFailure):
    """Nothing was stored, and the same may be asked again."""

    def __init__(self) -> None:
        super().__init__(
            Code.UNAVAILABLE,
            "the gateway's database does not answer; nothing was done",
            retry_after=_RETRY_AFTER,
        )


class CommitUnknownError(DatabaseFailure):
    """The connection broke while a transaction was being committed: it may be stored or not.

    Only what is idempotent may be asked again.
    """

    def __init__(self) -> None:
        super().__init__(
            Code.TIMEOUT,
            "the gateway's database did not confirm; nobody knows whether this was done: "
            "look before asking again",
            {"outcome": "indeterminate"},
        )


@dataclass(slots=True)
class Progress:
    """How far a transaction has come: whether its COMMIT has been sent."""

    committing: bool = False


@contextmanager
def explained() -> Iterator[Progress]:
    """Turns the driver's errors into a `DatabaseFailure`, unless a statement is to blame.

    The block says in the value that it gets when it begins to commit.
    """
    progress = Progress()
    try:
        yield progress
    except Exception as error:
        if not _of_the_database(error):
            raise
        raise CommitUnknownError if progress.committing else DatabaseAwayError from error


def is_transient(error: Exception) -> bool:
    """Whether the database rolled a transaction back only because another one stood in its way."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _TRANSIENT


def is_missing_parent(error: Exception) -> bool:
    """Whether a row was refused because the row that it belongs to is not there."""
    if not isinstance(error, DBAPIError):
        return False
    foreign_key_sqlite, foreign_key_postgres = 787, "23503"
    return (
        getattr(error.orig, "sqlite_errorcode", None) == foreign_key_sqlite
        or getattr(error.orig, "sqlstate", None) == foreign_key_postgres
    )


def _of_the_database(error: Exception) -> bool:
    if isinstance(error, OSError | PoolTimeoutError):  # OSError: refused, reset, timed out
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    sqlite_code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in _SQLITE
    sqlstate: str | None = getattr(error.orig, "sqlstate", None)
    # Without a SQLSTATE the server has said nothing: the driver found its connection closed.
    return str(sqlstate).startswith(_POSTGRES) if sqlstate else _is_closed(error)


def _is_closed(error: DBAPIError) -> bool:
    words = str(error.orig)
    return "connection" in words and ("closed" in words or "lost" in words)
