"""The process of all persons: ``python -m sandbox.people FD PROXY ROOT_KEY``.

The library can abort the process it runs in, so persons live in one of their own, which the network restarts.
The two talk over a socket pair: one JSON object per line, requests with an ``id`` one way, answers with the
same ``id`` and events the other way. The process ends when the network closes its side, or dies.
"""

import asyncio
import ctypes
import json
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sandbox import libmagic
from sandbox.wire_hook import trust_root

if TYPE_CHECKING:
    pass

__all__ = ["LINE_LIMIT", "main"]

_log = logging.getLogger(__name__)

LINE_LIMIT = 16 << 20
"""Bytes of the longest line between the two processes."""

_THREADS = 512  # each connected client parks one; the others are for calls
_SET_PARENT_DEATH_SIGNAL = 1


class _People:
    def __init__(self, proxy: str, writer: asyncio.StreamWriter) -> None:
        from sandbox.person import Gate, Person, PersonError  # noqa: PLC0415 - neonize needs a prepared process

        self._proxy = proxy
        self._writer = writer
        self._gate = Gate()
        self._person = Person
        self._refused = PersonError
        self._persons: dict[str, Person] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, request: dict[str, Any]) -> None:
        task = asyncio.create_task(self._answer(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def emit(self, record: dict[str, object]) -> None:
        self._writer.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")

    async def _answer(self, request: dict[str, Any]) -> None:
        try:
            result = await self._perform(request)
        except self._refused as error:
            result = {"error": str(error)}
        except Exception as error:  # noqa: BLE001 - the network must get an answer to every request
            _log.exception("a request failed")
            result = {"error": f"the people process failed: {type(error).__name__}"}
        self.emit({"id": request["id"], **result})

    async def _perform(self, request: dict[str, Any]) -> dict[str, object]:
        number = request["number"]
        person = self._persons.get(number)
        if person is None:
            person = self._person(number, request["store"], self._proxy, self._gate, self.emit)
            self._persons[number] = person
        if request["do"] == "start":
            await person.start()
            return {}
        if request["do"] == "send":
            message, timestamp = await person.send(request["to"], request["chat"], request["content"])
            return {"message": message, "timestamp": timestamp}
        if request["do"] == "read":
            await person.mark_read(request["ids"], request["chat"], request["sender"])
            return {}
        if request["do"] == "group":
            return await person.act_on_group(request["action"], request["details"])
        if request["do"] == "watch":
            await person.watch(request["who"])
            return {}
        if request["do"] == "show":
            await person.show(request["state"], request["to"])
            return {}
        raise self._refused(f"unknown request {request['do']}")


async def _serve(channel: socket.socket, proxy: str) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "people"))
    reader, writer = await asyncio.open_connection(sock=channel, limit=LINE_LIMIT)
    people = _People(proxy, writer)
    while line := await reader.readline():
        people.take(json.loads(line))


def main() -> None:
    """Runs the process until the network closes the channel."""
    # Should the channel not tell (it does), the kernel does.
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from a terminal it reaches both; the network decides
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    descriptor, proxy, root_key = sys.argv[1:]
    libmagic.preload()
    trust_root(bytes.fromhex(root_key))
    asyncio.run(_serve(socket.socket(fileno=int(descriptor)), proxy))


if __name__ == "__main__":
    try:
        main()
    except Exception:  # noqa: BLE001 - told in the log before the process ends
        _log.exception("the people process ends")
    # Threads of the library are still parked; only leaving at once ends them.
    os._exit(0)
