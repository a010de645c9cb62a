"""The part of the control API that is about what a phone remembers from before."""

import asyncio
import time

from aiohttp import web
from google.protobuf.message import DecodeError

from sandbox.control_http import ControlError, body, number_of
from sandbox.control_phones import account_of
from sandbox.histories import Chunk, give
from sandbox.invented_past import MAX_CHATS, MAX_MESSAGES, invent
from sandbox.network import Network
from sandbox.wire_protos import HistorySync

__all__ = ["HistoryControl"]

_FIELDS = {"messages": int, "chats": int, "with": list}
_CHATS = 10


class HistoryControl:
    """The histories of phones.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.put("/phones/{number}/history", self.hold),
            web.post("/phones/{number}/history", self.give),
        ]

    async def hold(self, request: web.Request) -> web.Response:
        """From now on the phone remembers a past, which it gives to each device that it links."""
        account = self._network.accounts.own(number_of(request.match_info["number"]))
        chunks = await _invented(self._network, request)
        self._network.histories.hold(account, chunks)
        await self._network.state.stored()
        return web.json_response({"chunks": len(chunks)})

    async def give(self, request: web.Request) -> web.Response:
        """The phone gives a past to its devices now: an invented one, or the chunk in the body."""
        account = account_of(self._network, request)
        if request.content_type == "application/octet-stream":
            chunks = [_chunk(await request.read())]
        else:
            chunks = await _invented(self._network, request)
        devices = [device for device in account.devices.values() if device.prekeys]
        if not devices:
            raise ControlError(409, f"{account.number} has no linked device that has been online")
        for device in devices:
            for chunk in chunks:
                give(self._network, device, chunk)
        await self._network.state.stored()
        return web.json_response({"chunks": len(chunks), "devices": len(devices)})


async def _invented(network: Network, request: web.Request) -> list[Chunk]:
    fields = await body(request, _FIELDS)
    messages, chats = fields.get("messages", 0), fields.get("chats", _CHATS)
    if not 0 <= messages <= MAX_MESSAGES:
        raise ControlError(400, f"messages must be between 0 and {MAX_MESSAGES}")
    if not 1 <= chats <= MAX_CHATS:
        raise ControlError(400, f"chats must be between 1 and {MAX_CHATS}")
    if messages == 0:
        return []
    known = [other for other in network.accounts if other.kind != "account"]
    if "with" in fields:
        named = [number_of(str(number)) for number in fields["with"]]
        known = [other for other in known if other.number in named]
    past = invent(known, messages=messages, chats=chats, now=int(time.time()))
    # A long past takes a while to make, and the network must go on meanwhile.
    return await asyncio.to_thread(lambda: [Chunk.of(history) for history in past])


def _chunk(data: bytes) -> Chunk:
    try:
        return Chunk.of(HistorySync.FromString(data))
    except DecodeError as error:
        raise ControlError(400, "the body is no HistorySync") from error
