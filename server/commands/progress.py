"""A bar for work that takes a while: on standard error, and only where a person sees it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from server.commands.output import console_on


@contextmanager
def progress(what: str, total: float) -> Iterator[Callable[[float], None]]:
    """Shows a bar as long as the block runs; gives what moves it on.

    Args:
        what: is being done.
        total: how much there is to do, in any unit.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    shown = Progress(
        *columns, console=console_on(sys.stderr), transient=True, disable=not sys.stderr.isatty()
    )
    with shown:
        task = shown.add_task(what, total=total)
        yield lambda steps: shown.update(task, advance=steps)
