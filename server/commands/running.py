"""Runs a command's work over the gateway's database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import typer

from server.config import load_settings
from server.errors import WagateError
from server.store import schema
from server.store.database import Database, open_database

Result = TypeVar("Result")


@contextlib.asynccontextmanager
async def opened_database() -> AsyncIterator[Database]:
    """The database of the settings, brought up to date, and closed at the end."""
    database = open_database(load_settings().database)
    try:
        await schema.upgrade(database)
        yield database
    finally:
        await database.close()


def run(work: Coroutine[Any, Any, Result], runner: Callable[..., Result] = asyncio.run) -> Result:
    """Runs a command's work; see `errors_told`."""
    with errors_told():
        return runner(work)


@contextlib.contextmanager
def errors_told() -> Iterator[None]:
    """An error that people may see ends the command with status 1 and its message."""
    try:
        yield
    except WagateError as error:
        typer.echo(f"wagate: {error.message}", err=True)
        raise typer.Exit(1) from None
