"""Pairing attempts, each in a process of its own."""

import asyncio
import json
import logging
import os
import subprocess
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
        process: "subprocess.Popen[bytes]",
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
            log.warning("a pairing process ended without a result (exit code %s)", self._process.poll())
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
            await asyncio.to_thread(self._end)
        finally:
            self._transport.close()
            release.release()

    def _end(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


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
        # In a thread and by the standard library: it starts processes without copying this one, and
        # without the fork handlers of gRPC, which do not like the node's threads.
        try:
            process = await asyncio.to_thread(_run_child, writing, device)
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        events = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(events), os.fdopen(reading, "rb")
        )
        log.info("pairing of session %s runs in process %d", session_id, process.pid)
        return ChildAttempt(process, events, transport, self._free)


def _run_child(events: int, device: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", "server.whatsapp.pairing_child"],
        stdin=subprocess.PIPE,
        # The library prints there, pairing codes among other things.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(events,),
        # Ctrl+C in a terminal is for the node, which then ends its attempts itself.
        start_new_session=True,
    )
    if process.stdin is not None:
        process.stdin.write(json.dumps({"device": device, "events": events}).encode() + b"\n")
        process.stdin.flush()
    return process
