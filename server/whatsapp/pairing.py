"""Pairing attempts, each in a process of its own."""

import asyncio
import itertools
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from server.errors import Code, WagateError
from server.whatsapp.jid import parse_jid
from server.whatsapp.pairing_port import (
    Paired,
    PairingCode,
    PairingEvent,
    PairingFailed,
    PairingFailure,
    QRCode,
)
from server.whatsapp.port import ConnectError, RefusedError
from server.whatsapp.refusals import Refusal

log = logging.getLogger(__name__)

CODE_SECONDS: Final = 30.0
"""How long WhatsApp may take to give a pairing code."""
END_SECONDS: Final = 5.0
"""How long a process may take to end by itself before it is killed."""


class ChildAttempt:
    """One attempt in its process."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        told: asyncio.StreamReader,
        transport: asyncio.ReadTransport,
        release: asyncio.Semaphore,
    ) -> None:
        """Takes over a started process; `release` is released when it has ended."""
        self._process = process
        self._told = told
        self._transport = transport
        self._release: asyncio.Semaphore | None = release
        self._events: asyncio.Queue[PairingEvent] = asyncio.Queue()
        self._asked: dict[int, asyncio.Future[PairingCode]] = {}
        self._ids = itertools.count(1)
        self._is_over = False
        self._listening = asyncio.create_task(self._listen(), name=f"pairing process {process.pid}")

    async def next(self) -> PairingEvent:
        """See `server.whatsapp.port.PairingAttempt`."""
        return await self._events.get()

    async def code_for(self, phone: str) -> PairingCode:
        """See `server.whatsapp.port.PairingAttempt`."""
        if self._is_over:
            raise _over()
        request = next(self._ids)
        answer: asyncio.Future[PairingCode] = asyncio.get_running_loop().create_future()
        self._asked[request] = answer
        try:
            await asyncio.to_thread(self._ask, {"request": request, "phone": phone})
            async with asyncio.timeout(CODE_SECONDS):
                return await answer
        except OSError as error:  # the process has ended
            raise _over() from error
        except TimeoutError:
            raise ConnectError(f"WhatsApp gave no pairing code within {CODE_SECONDS:g} s") from None
        finally:
            del self._asked[request]

    def _ask(self, question: dict[str, object]) -> None:
        if self._process.stdin is None or self._process.stdin.closed:
            raise BrokenPipeError
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()

    async def _listen(self) -> None:
        """Takes what the process tells until it ends."""
        while line := await self._told.readline():
            told = json.loads(line)
            match told["event"]:
                case "code":
                    self._events.put_nowait(QRCode(told["code"], told["expiresAt"]))
                case "paired":
                    self._end(Paired(parse_jid(told["jid"])))
                case "failed":
                    self._end(PairingFailed(PairingFailure(told["reason"])))
                case "answer":
                    self._answer(told)
        if not self._is_over:
            log.warning("a pairing process ended without a result (exit code %s)", self._process.poll())
            self._end(PairingFailed(PairingFailure.REFUSED))

    def _end(self, event: Paired | PairingFailed) -> None:
        self._is_over = True
        self._events.put_nowait(event)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(_over())

    def _answer(self, told: dict[str, Any]) -> None:
        answer = self._asked.get(told["request"])
        if answer is None or answer.done():
            return
        if "code" in told:
            answer.set_result(PairingCode(told["code"], told["expiresAt"]))
        elif told["refusal"] is None:
            answer.set_exception(ConnectError(told["text"]))
        else:
            answer.set_exception(RefusedError(Refusal(told["refusal"]), told["text"]))

    async def stop(self) -> None:
        """See `server.whatsapp.port.PairingAttempt`."""
        release, self._release = self._release, None
        if release is None:
            return
        try:
            await asyncio.to_thread(self._end_process)
        finally:
            self._transport.close()  # which ends the listening too
            release.release()

    def _end_process(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _over() -> ConnectError:
    return ConnectError("the pairing attempt is over")


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
        told = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(told), os.fdopen(reading, "rb")
        )
        log.info("pairing of session %s runs in process %d", session_id, process.pid)
        return ChildAttempt(process, told, transport, self._free)


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
