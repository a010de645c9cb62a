"""`wagate backup`: everything of this machine's gateway in one file, while it runs."""

import asyncio
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from server.backup.making import Sources, make
from server.backup.manifest import Manifest
from server.commands.calling import AsJson
from server.commands.output import Output
from server.commands.progress import progress
from server.commands.running import run
from server.config import Settings, load_settings
from server.errors import Code, WagateError, not_found
from server.store import schema
from server.store.database import open_database
from server.store.location import Location, location_of

app = typer.Typer(add_completion=False)


@app.command()
def backup(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Where it goes. Without it: wagate-DATE.tar.gz here.", show_default=False
        ),
    ] = None,
    *,
    json_output: AsJson = False,
) -> None:
    """Write a backup: the embedded database, the linked devices' keys, up.key, and what was set.

    The gateway may run meanwhile. The file holds secrets: whoever has it can read and send as every number
    in it. On PostgreSQL it holds the devices' keys, and the command says which pg_dump to run for the rest.
    `wagate restore` puts it back.
    """

    async def work() -> None:
        settings = load_settings()
        location = location_of(settings.database)
        sources = await _sources(settings, location)
        target = file or Path(f"wagate-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar.gz")
        if await asyncio.to_thread(target.exists):
            raise WagateError(Code.CONFLICT, f"{target} is there already: nothing is overwritten")
        with progress("Copying", sources.size()) as moved:
            manifest = await asyncio.to_thread(make, sources, target, moved)
        _show(Output(is_json=json_output), target, manifest, location)

    run(work(), is_json=json_output)


async def _sources(settings: Settings, location: Location) -> Sources:
    current = None
    if location.file is not None:
        if not await asyncio.to_thread(location.file.exists):
            raise not_found(f"the database {location.file}")
        database = open_database(settings.database)
        try:
            current = (await schema.standing(database)).current
        finally:
            # Before it is copied: this process must not have it open twice.
            await database.close()
    return Sources(location.file, current, settings.devices_dir, settings.data_dir / "up.key")


def _show(out: Output, target: Path, manifest: Manifest, location: Location) -> None:
    dump = _dump(location) if location.file is None else None
    if out.is_json:
        out.document(
            {
                "file": str(target.absolute()),
                "bytes": target.stat().st_size,
                "createdAt": manifest.created_at,
                "release": manifest.release,
                "schema": manifest.database,
                "devices": manifest.devices,
                "files": list(manifest.files),
                "run": dump,
            }
        )
        return
    what = "the database and " if manifest.database else ""
    out.say(f"{target}: {what}the keys of {manifest.devices} devices, {target.stat().st_size:,} bytes.")
    out.say("It was read back and is whole. Keep it secret: it opens every number in it.")
    if dump is not None:
        out.say("The database is not in it. Run this now, and keep both files together:")
        out.say(f"  {dump}")


def _dump(location: Location) -> str:
    return f"pg_dump --format=custom --file=wagate.pgdump --dbname={shlex.quote(location.server)}"
