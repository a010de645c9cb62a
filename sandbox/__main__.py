"""Runs the sandbox network: ``python -m sandbox``."""

import asyncio
import logging
import signal
import sys

import uvloop

from sandbox.service import run
from sandbox.settings import Settings, SettingsError
from sandbox.state import StateError
from sandbox.tokens import DictionaryError

__all__ = ["main"]

_log = logging.getLogger(__name__)


def main() -> int:
    """Serves until SIGINT or SIGTERM.

    Returns:
        0 after a clean end, 1 when the sandbox could not start or had to give up.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signalled(Settings.from_environment()))
    except (SettingsError, StateError, DictionaryError, OSError, RuntimeError) as error:
        _log.error("the sandbox ends: %s", error)
        return 1
    return 0


async def _until_signalled(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(run(settings), name="sandbox")
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        _log.info("the sandbox has ended")


if __name__ == "__main__":
    sys.exit(main())
