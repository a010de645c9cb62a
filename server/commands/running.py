"""Runs the work of commands: over the gateway's database, or whatever else, with errors told to people."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import typer

from server.commands.exits import Exit, advice_on, exit_of
from server.commands.output import printable
from server.errors import WagateError
from server.remote.documents import text_of

Result = TypeVar("Result")


def run(
    work: Coroutine[Any, Any, Result],
    runner: Callable[..., Result] = asyncio.run,
    *,
    is_json: bool = False,
) -> Result:
    """Runs a command's work; see `errors_told`."""
    with errors_told(is_json=is_json):
        return runner(work)


@contextlib.contextmanager
def errors_told(*, is_json: bool = False) -> Iterator[None]:
    """Ends the command where an error does that people may see, with the exit code that it means.

    Args:
        is_json: tell it as JSON, in the envelope of the REST API, instead of words.
    """
    try:
        yield
        sys.stdout.flush()
    except WagateError as error:
        _tell(error, is_json=is_json)
        raise typer.Exit(exit_of(error)) from None
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.CLOSED) from None


def _tell(error: WagateError, *, is_json: bool) -> None:
    if is_json:
        envelope = {"code": error.code, "details": dict(error.details), "message": error.message}
        typer.echo(text_of({"error": envelope}, is_line=True), err=True)
        return
    typer.echo(f"wagate: {printable(error.message)}", err=True)
    if advice := advice_on(error):
        typer.echo(f"  {advice}", err=True)
