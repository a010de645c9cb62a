"""`wagate restore`: puts a backup into an empty data directory."""

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer

from server.backup.manifest import Manifest
from server.backup.restoring import DATABASE, check_schema, put_in_place, refuse_overwriting, unpack
from server.commands.calling import AsJson
from server.commands.output import Output
from server.commands.running import run
from server.commands.words import time_of
from server.config import Settings, load_settings
from server.errors import Code, WagateError
from server.store.exclusive import exclusively
from server.store.location import location_of

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `wagate backup` wrote.")],
    *,
    json_output: AsJson = False,
) -> None:
    """Put a backup into the data directory, which must be empty; the gateway must not run.

    Never let the old gateway run again beside the restored one: both have the same keys, and WhatsApp throws
    out whichever connected first. What was sent and received after the backup is not in it.
    """

    async def work() -> None:
        settings = load_settings()
        manifest = await _restored(file, settings)
        _show(Output(is_json=json_output), manifest, settings)

    run(work(), is_json=json_output)


async def _restored(file: Path, settings: Settings) -> Manifest:
    location = location_of(settings.database)
    data_dir = settings.data_dir
    with exclusively(settings.database):
        await asyncio.to_thread(refuse_overwriting, data_dir, location.file)
        manifest, folder = await asyncio.to_thread(unpack, file, data_dir)
        try:
            if (manifest.database is None) != (location.file is None):
                kept = "PostgreSQL" if manifest.database is None else "the embedded database"
                raise WagateError(
                    Code.CONFLICT,
                    f"the backup is of a gateway on {kept}: set WAGATE_DATABASE_URL accordingly",
                )
            if manifest.database is not None:
                await check_schema(folder / DATABASE)
            await asyncio.to_thread(put_in_place, folder, data_dir, location.file)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return manifest


def _show(out: Output, manifest: Manifest, settings: Settings) -> None:
    if out.is_json:
        out.document(
            {
                "dataDir": str(settings.data_dir.absolute()),
                "createdAt": manifest.created_at,
                "release": manifest.release,
                "schema": manifest.database,
                "devices": manifest.devices,
                "settings": dict(manifest.settings),
            }
        )
        return
    out.say(f"{settings.data_dir} is as it was at {time_of(manifest.created_at)}.")
    if manifest.database is None:
        out.say("The database is not in it: put it back with pg_restore --clean --if-exists wagate.pgdump.")
    if manifest.settings:
        out.say("The settings were then:")
        for name, value in manifest.settings.items():
            out.say(f"  {name}={value}")
    out.say("Start it: `wagate up`. Never start the old one again beside it.")
