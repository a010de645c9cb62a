"""Where a database is, for those who do not open it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from server.errors import Code, WagateError


@dataclass(frozen=True, slots=True)
class Location:
    """A database's whereabouts.

    Attributes:
        shown: for people: a file, or a URL without its password.
        file: the embedded database's; None for PostgreSQL.
        server: for PostgreSQL's own programs, `postgresql://...` without a password; "" for a file.
    """

    shown: str
    file: Path | None
    server: str


def location_of(url: str) -> Location:
    """Reads a database's URL.

    Raises:
        WagateError: VALIDATION_ERROR where it is none; its message does not repeat it, for it may hold a
            password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise WagateError(
            Code.VALIDATION_ERROR,
            "WAGATE_DATABASE_URL is no database's URL: write postgresql+asyncpg://user:password@host/name",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        file = Path(str(parsed.database))
        return Location(str(file), file, "")
    server = parsed.set(drivername="postgresql", password=None).render_as_string()
    return Location(parsed.render_as_string(hide_password=True), None, server)
