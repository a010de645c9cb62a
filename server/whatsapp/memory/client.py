"""Clients of the network in memory."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from server.whatsapp.content import Content
from server.whatsapp.jid import Jid
from server.whatsapp.memory.network import DEVICE_FILE, Account, HeldSend, MemoryNetwork
from server.whatsapp.port import (
    ClientError,
    Connected,
    ConnectError,
    Disconnected,
    Ended,
    Ending,
    Event,
    Identity,
    NotPairedError,
    OutcomeUnknownError,
    RefusedError,
    Sent,
    Stalled,
)
from server.whatsapp.refusals import Refusal
from server.whatsapp.threads import uninterrupted

SENDS_AT_A_TIME: Final = 4
"""Sends of one client that the network looks at; later ones wait for their turn."""


class MemoryClient:
    """One incarnation of one session's connection; see `server.whatsapp.port.Client`."""

    def __init__(self, network: MemoryNetwork, device: Path) -> None:
        """Prepares a client for the device in the folder `device`."""
        self.number = ""
        self.is_away = False
        self._network = network
        self._device = device
        self._device_id = 0
        self._live = False
        self._connected = False
        self.is_stopped = False
        self._events: list[Event] = []
        self._arrived = asyncio.Event()
        self._lost: asyncio.Event = asyncio.Event()
        self._turn = asyncio.Semaphore(SENDS_AT_A_TIME)
        network.clients.append(self)

    async def connect(self) -> Identity:
        """See the port."""
        if self._connected or self.is_stopped:
            raise AssertionError("a client is connected once")
        self._connected = True
        linked = await asyncio.to_thread(_read_device, self._device)
        if linked is None:
            raise NotPairedError("the device folder holds no linked device")
        if not self._network.up or self._network.failing_connects:
            self._network.failing_connects = max(0, self._network.failing_connects - 1)
            raise ConnectError("the network is down")
        self.number, self._device_id = linked
        if not self.is_stopped:
            self._network.come_online(self, self._account, self._device_id)
        return Identity(self._account.jid, self._account.lid)

    async def stop(self) -> None:
        """See the port."""
        self._network.stops += not self.is_stopped
        await uninterrupted(self._network.stops_may_end.wait())
        self._go_offline()
        self.is_away = False
        self.is_stopped = True
        self._arrived.set()

    async def logout(self) -> None:
        """See the port."""
        if not self._live or not self._network.up:
            raise ClientError("WhatsApp did not confirm the logout: not connected")
        self._go_offline()
        self._account.linked.discard(self._device_id)
        await asyncio.to_thread((self._device / DEVICE_FILE).unlink, missing_ok=True)

    async def is_live(self) -> bool:
        """See the port."""
        return self._live

    async def events(self) -> Sequence[Event]:
        """See the port."""
        while not self._events and not self.is_stopped:
            self._arrived.clear()
            await self._arrived.wait()
        taken, self._events = self._events, []
        return taken

    async def send(self, to: Jid, content: Content, *, within: float) -> Sent:
        """See the port."""
        deadline = time.monotonic() + within
        try:
            async with asyncio.timeout(within):
                await self._turn.acquire()
        except TimeoutError:
            raise RefusedError(Refusal.BUSY, "earlier sends are still waiting") from None
        sending = asyncio.ensure_future(self._hand_over(to, content))
        sending.add_done_callback(lambda _: self._turn.release())
        done, _ = await asyncio.wait({sending}, timeout=max(0.0, deadline - time.monotonic()))
        if not done:
            sending.add_done_callback(_consume)
            self.tell(Stalled())
            raise OutcomeUnknownError(f"no answer within {within:g} s", late=sending)
        return sending.result()

    async def _hand_over(self, to: Jid, content: Content) -> Sent:
        if not self._live:
            raise RefusedError(Refusal.NOT_CONNECTED, "not connected")
        recipient = self._network.find(to)
        if recipient is None:
            missing = Refusal.GROUP_NOT_FOUND if to.is_group else Refusal.NOT_ON_WHATSAPP
            raise RefusedError(missing, f"nobody is called {to}")
        script = self._account.scripts.popleft() if self._account.scripts else None
        refusal = await self._decision(script) if isinstance(script, HeldSend) else script
        if refusal is not None:
            raise RefusedError(refusal, f"refused by the network: {refusal}")
        return self._network.carry(self._account, recipient, content.text, origin=self)

    async def _decision(self, held: HeldSend) -> Refusal | None:
        held.reached.set()
        decided = asyncio.ensure_future(held.decided())
        lost = asyncio.ensure_future(self._lost.wait())
        await asyncio.wait({decided, lost}, return_when=asyncio.FIRST_COMPLETED)
        lost.cancel()
        if not decided.done():
            decided.cancel()
            raise OutcomeUnknownError("the connection broke before the answer came")
        return decided.result()

    @property
    def _account(self) -> Account:
        return self._network.account(self.number)

    def tell(self, event: Event) -> None:
        """An event happened."""
        self._live = self._live or isinstance(event, Connected)
        self._events.append(event)
        self._arrived.set()

    def end(self, ending: Ending) -> None:
        """WhatsApp ends the session."""
        self._go_offline()
        self.tell(Ended(ending))

    def lose(self) -> None:
        """The connection breaks."""
        self._go_offline()
        self.is_away = True
        self.tell(Disconnected())

    def come_back(self) -> None:
        """The connection is back."""
        self.is_away = False
        self._lost = asyncio.Event()
        self._network.come_online(self, self._account, self._device_id)

    def _go_offline(self) -> None:
        self._live = False
        self._lost.set()
        self._network.go_offline(self)


class MemoryClients:
    """Makes clients of one network; see `server.whatsapp.port.ClientFactory`."""

    def __init__(self, network: MemoryNetwork) -> None:
        """Makes clients of `network`."""
        self._network = network

    def open(self, session_id: str, device: Path) -> MemoryClient:  # noqa: ARG002 - the port's
        """See the port."""
        return MemoryClient(self._network, device)

    async def reachable(self) -> bool:
        """See the port."""
        self._network.probes += 1
        return self._network.up


def _read_device(folder: Path) -> tuple[str, int] | None:
    try:
        linked = json.loads((folder / DEVICE_FILE).read_text())
    except FileNotFoundError:
        return None
    return linked["number"], linked["device"]


def _consume(sending: "asyncio.Task[Sent]") -> None:
    """Takes note of a late failure, which nobody else may be waiting for."""
    if not sending.cancelled():
        sending.exception()
