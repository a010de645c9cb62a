"""Waiting for what other tasks and threads bring about."""

import asyncio
from collections.abc import Awaitable, Callable

DEADLINE = 60.0
"""Seconds for anything to come true: generous, because the machine may be busy."""


async def until(condition: Callable[[], object], what: str, within: float = DEADLINE) -> None:
    """Returns as soon as a condition holds.

    Args:
        condition: asked again and again; cheap.
        what: for the failure: what was waited for.
        within: seconds.
    """

    async def holds() -> object:
        return condition()

    await until_async(holds, what, within)


async def until_async(
    condition: Callable[[], Awaitable[object]], what: str, within: float = DEADLINE
) -> None:
    """The same for a condition that must be awaited."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not await condition():
        if loop.time() > deadline:
            raise AssertionError(f"{what}: not within {within:g} s")
        await asyncio.sleep(0.002)  # between two looks at the condition, never instead of one


async def one_turn() -> None:
    """Lets every task that is ready run up to its next wait. No time passes."""
    await asyncio.sleep(0)
