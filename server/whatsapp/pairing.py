"""Pairing attempts, each in a process of its own."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Final

from server.errors import Code, WagateError
from server.whatsapp.jid import parse_jid
from server.whatsapp.port import Paired, PairingEvent, PairingFailed, PairingFailure, QRCode

log = logging.getLogger(__name__)

END_SECONDS: Final = 5.0
"""How long a process may take to end by itself before it is killed."""


class ChildAttempt:
    """One attempt in its process."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        events: asyncio.StreamReader,
        transport: asyncio.ReadTransport,
        release: asyncio.Semaphore,
    ) -> None:
        """Takes over a started process; `release` is released when it has ended."""
        self._process = process
        self._events = events
        self._transport = transport
        self._release: asyncio.Semaphore | None = release

    async def next(self) -> PairingEvent:
        """See `server.whatsapp.port.PairingAttempt`."""
        line = await self._events.readline()
        if not line:
            log.warning("a pairing process ended without a result (exit code %s)", self._process.returncode)
            return PairingFailed(PairingFailure.REFUSED)
        told = json.loads(line)
        if told["event"] == "code":
            return QRCode(told["code"], told["expiresAt"])
        if told["event"] == "paired":
            return Paired(parse_jid(told["jid"]))
        return PairingFailed(PairingFailure(told["reason"]))

    async def stop(self) -> None:
        """See `server.whatsapp.port.PairingAttempt`."""
        release, self._release = self._release, None
        if release is None:
            return
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
            try:
                async with asyncio.timeout(END_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        finally:
            self._transport.close()
            release.release()


class ChildPairing:
    """Begins attempts in child processes, a bounded number at a time."""

    def __init__(self, limit: int) -> None:
        """Runs at most `limit` attempts at the same time."""
        self._limit = limit
        self._free = asyncio.Semaphore(limit)

    async def begin(self, session_id: str, device: Path) -> ChildAttempt:
        """See `server.whatsapp.port.Pairing`.

        Raises:
            WagateError: UNAVAILABLE where too many attempts are under way.
        """
        if self._free.locked():
            raise WagateError(
                Code.UNAVAILABLE,
                f"{self._limit} pairings are under way already; try again when one has ended",
                retry_after=20,
            )
        await self._free.acquire()
        try:
            return await self._start(session_id, str(device))
        except BaseException:
            self._free.release()
            raise

    async def _start(self, session_id: str, device: str) -> ChildAttempt:
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "server.whatsapp.pairing_child",
                stdin=asyncio.subprocess.PIPE,
                # The library prints there, pairing codes among other things.
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                pass_fds=(writing,),
                # Ctrl+C in a terminal is for the node, which then ends its attempts itself.
                start_new_session=True,
            )
            order = json.dumps({"device": device, "events": writing})
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        if process.stdin is None:  # pragma: no cover - asked for above
            raise AssertionError
        process.stdin.write(order.encode() + b"\n")
        events = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(events), os.fdopen(reading, "rb")
        )
        log.info("pairing of session %s runs in process %d", session_id, process.pid)
        return ChildAttempt(process, events, transport, self._free)
