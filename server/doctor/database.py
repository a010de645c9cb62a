"""The database: that it answers, takes writes, and has a schema that this release knows."""

from collections.abc import Sequence

from server.doctor.findings import Finding, broken, note, ok
from server.doctor.subject import Subject
from server.errors import WagateError
from server.store import schema
from server.store.database import Database, open_database
from server.store.location import location_of


async def check(subject: Subject) -> Sequence[Finding]:
    """Whether the node could work with its database."""
    try:
        location = location_of(subject.node.database)
    except WagateError as error:
        return [broken("WAGATE_DATABASE_URL", error.message, "Mend the setting.")]
    where = location.shown
    if location.file is not None and not location.file.exists():
        return [note(where, "there is no database yet: it is made at the first start")]
    database = open_database(subject.node.database)
    try:
        return [await _look(database, where)]
    except Exception as error:  # noqa: BLE001 - the driver's errors are many, and all mean the same here
        return [broken(where, f"the database cannot be used: {_reason(error)}", _advice(where))]
    finally:
        await database.close()


async def _look(database: Database, where: str) -> Finding:
    found = await schema.standing(database)
    if not found.is_known:
        return broken(
            where,
            f"the database has schema {found.current}, which this release does not know: a later one made it",
            "Run that release, or restore a backup that was made by this one.",
        )
    await database.write(lambda _connection: None)
    if found.current != found.head:
        return note(
            where,
            f"the database has schema {found.current}; the next start brings it to {found.head}",
            "Make a backup before: `wagate backup`.",
        )
    return ok(where, f"answers and can be written, schema {found.current}")


def _reason(error: BaseException) -> str:
    """What the driver said in the first place, in a line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _advice(where: str) -> str:
    if "://" in where:
        return "See that the server runs and takes this user and database: WAGATE_DATABASE_URL names it."
    return (
        "See that the file is a whole SQLite database, that it can be read and written, and that nobody "
        "else has it locked; or restore a backup: `wagate restore`."
    )
