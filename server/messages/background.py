"""Work that goes on when its caller is gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def keep(tasks: set[asyncio.Task[Any]], work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
    """Begins work that stays in `tasks` while it runs: the loop alone would not hold it."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)

    def done(task: asyncio.Task[Any]) -> None:
        tasks.discard(task)
        # A caller who went away does not ask for the outcome; without this the loop complains.
        if not task.cancelled():
            task.exception()

    task.add_done_callback(done)
    return task
