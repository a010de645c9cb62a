"""Pairing with the network in memory."""

import asyncio
import itertools
from pathlib import Path
from typing import Final

from server.clock import now_ms
from server.errors import Code, WagateError
from server.whatsapp.memory.network import MemoryNetwork
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

ATTEMPT_MILLISECONDS: Final = 160_000
"""How long a whole attempt lasts."""
CODE_MILLISECONDS: Final = 60_000
"""How long a pairing code is valid."""


class MemoryAttempt:
    """One pairing attempt; see `server.whatsapp.port.PairingAttempt`."""

    _refs = itertools.count(1)

    def __init__(self, network: MemoryNetwork, device: Path, release: asyncio.Semaphore) -> None:
        """Shows no code yet; `release` is released when it is stopped."""
        self._network = network
        self.device = device
        self._release: asyncio.Semaphore | None = release
        self._events: asyncio.Queue[PairingEvent] = asyncio.Queue()
        self._code: str | None = None
        self._typed: tuple[str, str] | None = None
        self._ends_at = now_ms() + ATTEMPT_MILLISECONDS
        self._is_over = False

    @property
    def is_held(self) -> bool:
        """Whether nobody has stopped it so far."""
        return self._release is not None

    def rotate(self, milliseconds: int = CODE_MILLISECONDS) -> str:
        """Shows the next code, valid for so long; the one before is good no more."""
        self._code = f"memory,{next(self._refs)}"
        self._events.put_nowait(QRCode(self._code, now_ms() + milliseconds))
        return self._code

    def shows(self, code: str) -> bool:
        """Whether `code` can be scanned now."""
        return self._code == code

    def gave(self, code: str, number: str) -> bool:
        """Whether `code` can be typed on the phone of `number` now."""
        return self._typed == (code, number)

    def end(self, event: Paired | PairingFailed) -> None:
        """The attempt is over."""
        self._code = self._typed = None
        self._is_over = True
        self._events.put_nowait(event)

    async def next(self) -> PairingEvent:
        """See the port."""
        return await self._events.get()

    async def code_for(self, phone: str) -> PairingCode:
        """See the port."""
        if self._is_over:
            raise ConnectError("the pairing attempt is over")
        if phone in self._network.codeless:
            raise RefusedError(Refusal.NOT_ON_WHATSAPP, f"no pairing code for {phone}")
        code = f"MEMO-{next(self._refs):04d}"
        self._typed = (code, phone)
        return PairingCode(code, self._ends_at)

    async def stop(self) -> None:
        """See the port."""
        release, self._release = self._release, None
        if release is not None:
            release.release()
            self.end(PairingFailed(PairingFailure.REFUSED))


class MemoryPairing:
    """Begins attempts; see `server.whatsapp.port.Pairing`."""

    def __init__(self, network: MemoryNetwork, limit: int) -> None:
        """Runs at most `limit` attempts at the same time."""
        self._network = network
        self._free = asyncio.Semaphore(limit)
        self._limit = limit

    async def begin(self, session_id: str, device: Path) -> MemoryAttempt:  # noqa: ARG002 - the port's
        """See the port."""
        if self._free.locked():
            raise WagateError(
                Code.UNAVAILABLE, f"{self._limit} pairings are under way already", retry_after=20
            )
        await self._free.acquire()
        attempt = MemoryAttempt(self._network, device, self._free)
        self._network.attempts.append(attempt)
        if self._network.up:
            attempt.rotate()
        else:
            attempt.end(PairingFailed(PairingFailure.UNREACHABLE))
        return attempt
