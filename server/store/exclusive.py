"""One process alone serves an embedded database: a lock that the operating system keeps."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from server.errors import Code, WagateError


@contextmanager
def exclusively(url: str) -> Iterator[None]:
    """Keeps an SQLite database to this process; does nothing for PostgreSQL, which nodes share.

    The lock is on a file beside the database and ends with the process, however that ends. It binds nodes
    alone: the command line writes beside a node that runs.

    Args:
        url: the database's.

    Raises:
        WagateError: UNAVAILABLE where another process has it.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        yield
        return
    path = Path(f"{os.path.realpath(str(parsed.database))}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            raise WagateError(
                Code.UNAVAILABLE,
                f"another node serves the database {parsed.database} already"
                f"{f' (process {holder})' if holder else ''}: stop it first, or give this one "
                "a data directory of its own (WAGATE_DATA_DIR); nodes can share a PostgreSQL database "
                "(WAGATE_DATABASE_URL)",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
