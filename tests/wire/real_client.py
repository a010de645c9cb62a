"""A session as a user has it: the real client library, unmodified, in a process of its own."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.wire.sandbox_process import DEADLINE, SandboxProcess

Event = dict[str, Any]


class RefusedError(Exception):
    """The library refused what it was asked to do."""


class RealClient:
    """A client in a child process; see ``real_client_child.Session`` for what can be asked.

    Attributes:
        events: What the client told, in order, and nobody waited for yet.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = count(1)
        self._changed = asyncio.Condition()
        self._answers: dict[int, Event] = {}
        self.events: list[Event] = []

    async def run(self) -> None:
        """Takes what the client says until it ends."""
        while line := await self._reader.readline():
            record = json.loads(line)
            async with self._changed:
                if "id" in record and "event" not in record:
                    self._answers[record["id"]] = record
                else:
                    self.events.append(record)
                self._changed.notify_all()

    async def ask(self, what: str, **details: object) -> Any:
        """Asks the client for something.

        Raises:
            RefusedError: With the library's own words.
        """
        number = next(self._ids)
        self._writer.write(json.dumps({"id": number, "do": what, "with": details}).encode() + b"\n")
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: number in self._answers)
            answer = self._answers.pop(number)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer["result"]

    async def expect(self, kind: str, wanted: Callable[[Event], bool] = lambda _: True) -> Event:
        """The first event of a kind that is wanted; others wait for who wants them."""

        def find() -> Event | None:
            return next((e for e in self.events if e["event"] == kind and wanted(e)), None)

        try:
            async with asyncio.timeout(DEADLINE), self._changed:
                await self._changed.wait_for(lambda: find() is not None)
                event = find()
        except TimeoutError as error:
            raise AssertionError(f"no such {kind} among {self.events}") from error
        assert event is not None
        self.events.remove(event)
        return event

    async def link(self, sandbox: SandboxProcess, number: str, **scan: object) -> None:
        """Gets linked by an account's phone, and waits until it is logged in."""
        await self.ask("connect")
        code = (await self.expect("qr"))["code"]
        await sandbox.ok("POST", f"/phones/{number}/scan", {"qr": code, **scan})
        await self.expect("connected")


@asynccontextmanager
async def real_client(sandbox: SandboxProcess, store: Path) -> AsyncIterator[RealClient]:
    """A client that is not connected yet, for the length of an ``async with``.

    Args:
        sandbox: The network.
        store: The file with its keys; the same one makes the same device.
    """
    mine, its = socket.socketpair()
    with its, store.with_suffix(".log").open("ab") as log:
        process = await asyncio.to_thread(
            subprocess.Popen,
            [
                sys.executable,
                "-m",
                "tests.wire.real_client_child",
                str(its.fileno()),
                str(store),
                sandbox.wire["proxy"],
                sandbox.wire["rootKey"],
            ],
            env={**os.environ, "SSL_CERT_FILE": sandbox.wire["caFile"], "NEONIZE_BOT_TAG": "off"},
            pass_fds=[its.fileno()],
            stdout=log,
            stderr=log,
        )
    reader, writer = await asyncio.open_connection(sock=mine)
    client = RealClient(reader, writer)
    running = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        writer.close()
        process.kill()
        await asyncio.to_thread(process.wait, DEADLINE)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
