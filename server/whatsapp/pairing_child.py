"""The disposable process of one pairing attempt.

An attempt that is abandoned leaks a thread in the library for ever, so it gets a process of its own.
Protocol: one JSON line of settings on standard input, after it one per pairing code that is wanted; JSON
lines of events on the file descriptor named in the settings (standard output belongs to the library, which
prints). The process ends by itself when standard input closes: it never outlives the node.
"""

import asyncio
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Final

from neonize.exc import PairPhoneError
from neonize.proto.Neonize_pb2 import ClientOutdated, ConnectFailure, PairStatus

from server.clock import now_ms
from server.config import Settings
from server.whatsapp.library import LibraryClient
from server.whatsapp.pairing_port import PairingFailure
from server.whatsapp.reach import Reach
from server.whatsapp.refusals import pairing_refusal_of
from server.whatsapp.threads import LibraryGate
from server.whatsapp.wire import wire_of

FIRST_CODE_SECONDS: Final = 60
"""How long the first code of an attempt is valid."""
NEXT_CODE_SECONDS: Final = 20
"""How long every further code is valid."""
CODES: Final = 6
"""WhatsApp gives material for so many codes; after the last of them it closes the connection."""

_FAILURES: Final = {
    "timeout": PairingFailure.EXPIRED,
    "passkey-request": PairingFailure.PASSKEY,
    "passkey-confirmation": PairingFailure.PASSKEY,
    "err-client-outdated": PairingFailure.OUTDATED,
}
"""The QR channel's last words; every other one but "success" is a refusal."""


class _Attempt:
    """Collects what the library says until the attempt is over."""

    def __init__(self, events: int) -> None:
        self._events = os.fdopen(events, "w", buffering=1)
        self._loop = asyncio.get_running_loop()
        self._codes = 0
        self._ends_at = 0
        self._begun = asyncio.Event()
        self.over = asyncio.Event()

    def tell(self, event: dict[str, object]) -> None:
        self._events.write(json.dumps(event) + "\n")

    async def on_code(self, _client: object, code: bytes) -> None:
        now = now_ms()
        seconds = FIRST_CODE_SECONDS if self._codes == 0 else NEXT_CODE_SECONDS
        if self._codes == 0:
            self._ends_at = now + (FIRST_CODE_SECONDS + (CODES - 1) * NEXT_CODE_SECONDS) * 1000
        self._codes += 1
        self.tell({"event": "code", "code": code.decode(), "expiresAt": now + seconds * 1000})
        self._begun.set()

    async def give_code(self, client: LibraryClient, request: int, phone: str) -> None:
        """Tells a code that the phone with this number can type, or why there is none."""
        await self._begun.wait()  # before its first code the connection is not ready for this
        answer: dict[str, object] = {"event": "answer", "request": request}
        try:
            code = await client.pairing_code(phone)
        except PairPhoneError as error:
            self.tell({**answer, "refusal": pairing_refusal_of(str(error)), "text": str(error)})
        else:
            self.tell({**answer, "code": code, "expiresAt": self._ends_at})

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
    questions: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    threading.Thread(target=_listen, args=(loop, questions), daemon=True).start()
    settings = Settings()
    wire = wire_of(settings)
    attempt = _Attempt(events)
    if not await Reach(wire).reachable():
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
    answering = asyncio.create_task(_answer(attempt, client, questions), name="answering")
    over = asyncio.ensure_future(attempt.over.wait())
    ended = asyncio.ensure_future(client.ended())
    await asyncio.wait({over, ended}, return_when=asyncio.FIRST_COMPLETED)
    answering.cancel()
    if not attempt.over.is_set():
        attempt.tell({"event": "failed", "reason": PairingFailure.UNREACHABLE})


async def _answer(
    attempt: _Attempt, client: LibraryClient, questions: "asyncio.Queue[dict[str, Any]]"
) -> None:
    async with asyncio.TaskGroup() as answers:  # none waits for another, which may wait for WhatsApp
        while True:
            question = await questions.get()
            answers.create_task(attempt.give_code(client, question["request"], question["phone"]))


def _listen(loop: asyncio.AbstractEventLoop, questions: "asyncio.Queue[dict[str, Any]]") -> None:
    """Takes the node's questions; the end of the node is this process's end."""
    for line in sys.stdin:
        loop.call_soon_threadsafe(questions.put_nowait, json.loads(line))
    os._exit(0)


def main() -> None:
    """Runs one attempt."""
    order = json.loads(sys.stdin.readline())
    asyncio.run(_pair(Path(order["device"]), order["events"]))
    # The library's threads would keep an ordinary exit waiting; the keys are on disk by now.
    os._exit(0)


if __name__ == "__main__":
    main()
