"""The network's end of the people process: starts it, restarts it when it dies, and talks to it."""

import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from sandbox.people import LINE_LIMIT

__all__ = ["PeopleError", "PeopleLink"]

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_HEALTHY_SECONDS = 30.0
_GOODBYE_SECONDS = 3.0


class PeopleError(Exception):
    """A person could not do what was asked."""


class PeopleLink:
    """One people process at a time, while ``run`` runs.

    Args:
        log_file: Where the process's output goes. The library prints as it likes, so not to ours.
        ca_file: The TLS authority that the clients trust.
        root_key: The Noise root key that they trust.
        on_event: Called with each event, in order.
        on_start: Awaited after each start of the process, to bring the persons online. Raises nothing.
    """

    def __init__(
        self,
        *,
        log_file: Path,
        ca_file: Path,
        root_key: bytes,
        on_event: Callable[[dict[str, Any]], None],
        on_start: Callable[[], Awaitable[None]],
    ) -> None:
        self._log_file = log_file
        self._ca_file = ca_file
        self._root_key = root_key
        self._on_event = on_event
        self._on_start = on_start
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._up = asyncio.Event()

    async def run(self, proxy: str) -> None:
        """Keeps the process alive until cancelled.

        Args:
            proxy: The network's proxy for the clients.
        """
        pause = _FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            status = await self._run_once(proxy)
            pause = _FIRST_PAUSE_SECONDS if loop.time() - started > _HEALTHY_SECONDS else pause
            _log.warning("the people process ended with status %s; see %s", status, self._log_file)
            await asyncio.sleep(pause)  # one that cannot start is not started in a tight loop
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def request(self, **request: object) -> dict[str, Any]:
        """Asks the process to do something and waits for the answer.

        Raises:
            PeopleError: It refused, failed or died.
        """
        await self._up.wait()
        if self._writer is None:
            raise PeopleError("the people process is being restarted; try again")
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        number = next(self._ids)
        self._waiting[number] = answer
        try:
            line = json.dumps({"id": number, **request}, ensure_ascii=False).encode() + b"\n"
            self._writer.write(line)
            result = await answer
        finally:
            self._waiting.pop(number, None)
        if "error" in result:
            raise PeopleError(result["error"])
        return result

    async def _run_once(self, proxy: str) -> int | None:
        ours, theirs = socket.socketpair()
        with theirs, self._log_file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "sandbox.people",
                str(theirs.fileno()),
                proxy,
                self._root_key.hex(),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "SSL_CERT_FILE": str(self._ca_file), "NEONIZE_BOT_TAG": "off"},
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=LINE_LIMIT)
        self._up.set()
        greeting = asyncio.ensure_future(self._on_start())
        try:
            while line := await reader.readline():
                self._take(json.loads(line))
        except ConnectionError:
            _log.debug("the channel to the people process broke")
        finally:
            greeting.cancel()
            self._up.clear()
            self._writer.close()
            self._writer = None
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(PeopleError("the people process died; try again"))
            await _end(process)
        return process.returncode

    def _take(self, record: dict[str, Any]) -> None:
        number = record.pop("id", None) if "event" not in record else None
        if number is None:
            self._on_event(record)
            return
        answer = self._waiting.get(number)
        if answer is not None and not answer.done():
            answer.set_result(record)


async def _end(process: asyncio.subprocess.Process) -> None:
    # It ends by itself when its channel closes. The kill is for a process that hangs in the library.
    with suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await process.wait()
            return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
