"""The disposable process of one pairing attempt.

An attempt that is abandoned leaks a thread in the library for ever, so it gets a process of its own.
Protocol: one JSON line of settings on standard input; JSON lines of events on the file descriptor named
in the settings (standard output belongs to the library, which prints). The process ends by itself when
standard input closes: it never outlives the node.
"""

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from neonize.proto.Neonize_pb2 import ClientOutdated, ConnectFailure, PairStatus

from server.config import Settings
from server.whatsapp.library import LibraryClient
from server.whatsapp.port import PairingFailure
from server.whatsapp.threads import LibraryGate
from server.whatsapp.wire import wire_of

FIRST_CODE_SECONDS: Final = 60
"""How long the first code of an attempt is valid."""
NEXT_CODE_SECONDS: Final = 20
"""How long every further code is valid."""

_FAILURES: Final = {
    "timeout": PairingFailure.EXPIRED,
    "passkey-request": PairingFailure.PASSKEY,
    "passkey-response": PairingFailure.PASSKEY,
    "err-client-outdated": PairingFailure.OUTDATED,
}
"""The QR channel's last words; every other one but "success" is a refusal."""


class _Attempt:
    """Collects what the library says until the attempt is over."""

    def __init__(self, events: int) -> None:
        self._events = os.fdopen(events, "w", buffering=1)
        self._loop = asyncio.get_running_loop()
        self._codes = 0
        self.over = asyncio.Event()

    def tell(self, event: dict[str, object]) -> None:
        self._events.write(json.dumps(event) + "\n")

    async def on_code(self, _client: object, code: bytes) -> None:
        seconds = FIRST_CODE_SECONDS if self._codes == 0 else NEXT_CODE_SECONDS
        self._codes += 1
        expires_at = time.time_ns() // 1_000_000 + seconds * 1000
        self.tell({"event": "code", "code": code.decode(), "expiresAt": expires_at})

    def on_event(self, event: object) -> None:
        """Runs in the library's thread."""
        if isinstance(event, PairStatus) and event.Status == PairStatus.PStatus.SUCCESS:
            self._end({"event": "paired", "jid": f"{event.ID.User}@{event.ID.Server}"})
        elif isinstance(event, PairStatus):
            self._end({"event": "failed", "reason": PairingFailure.REFUSED})
        elif isinstance(event, ClientOutdated):
            self._end({"event": "failed", "reason": PairingFailure.OUTDATED})
        elif isinstance(event, ConnectFailure):
            self._end({"event": "failed", "reason": PairingFailure.REFUSED})

    def on_login_word(self, word: str) -> None:
        """Runs in the library's thread."""
        if word != "success":
            self._end({"event": "failed", "reason": _FAILURES.get(word, PairingFailure.REFUSED)})

    def _end(self, told: dict[str, object]) -> None:
        def end() -> None:
            if not self.over.is_set():
                self.tell(told)
                self.over.set()

        self._loop.call_soon_threadsafe(end)


async def _pair(device: Path, events: int) -> None:
    settings = Settings()
    wire = wire_of(settings)
    attempt = _Attempt(events)
    if not await wire.reachable():
        attempt.tell({"event": "failed", "reason": PairingFailure.UNREACHABLE})
        return
    client = LibraryClient(
        LibraryGate(),
        device,
        incarnation="pairing",
        device_name=settings.device_name,
        events=(PairStatus, ClientOutdated, ConnectFailure),
        on_event=attempt.on_event,
        on_login_word=attempt.on_login_word,
    )
    client.event.qr(attempt.on_code)
    await client.open_unpaired(wire.proxy)
    over = asyncio.ensure_future(attempt.over.wait())
    ended = asyncio.ensure_future(client.ended())
    await asyncio.wait({over, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not attempt.over.is_set():
        attempt.tell({"event": "failed", "reason": PairingFailure.UNREACHABLE})


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Runs one attempt."""
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_pair(Path(order["device"]), order["events"]))
    # The library's threads would keep an ordinary exit waiting; the keys are on disk by now.
    os._exit(0)


if __name__ == "__main__":
    main()
