"""The control API: how tests and people make things happen on the network."""

from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.control_http import ControlError, errors, json_object, own_pages_only
from sandbox.device_lists import announce
from sandbox.fault_words import catalogue
from sandbox.faults import Fault, FaultError
from sandbox.network import Network

__all__ = ["Control"]

_MAX_BODY = 1 << 20


class Control:
    """How to join, faults and counters.

    Args:
        network: The network.
        ca_file: The file with the TLS authority's certificate.
    """

    def __init__(self, network: Network, ca_file: Path) -> None:
        self._network = network
        self._ca_file = ca_file

    def application(self, *more: web.RouteDef) -> web.Application:
        """The HTTP application.

        Args:
            more: Routes of other parts.
        """
        application = web.Application(middlewares=[errors, own_pages_only], client_max_size=_MAX_BODY)
        application.add_routes(
            [
                web.get("/wire", self.wire),
                web.post("/faults", self.add_fault),
                web.get("/faults", self.faults),
                web.delete("/faults", self.clear_faults),
                web.get("/faults/kinds", self.fault_kinds),
                web.delete("/faults/{id}", self.end_fault),
                web.get("/stats", self.stats),
                *more,
            ]
        )
        return application

    async def wire(self, request: web.Request) -> web.Response:
        """What a process needs to join the network."""
        if request.transport is None:
            raise ControlError(400, "the connection is closed")
        host, port = request.transport.get_extra_info("sockname")[:2]
        return web.json_response(
            {
                "proxy": f"http://{host}:{port}",
                "caFile": str(self._ca_file),
                "rootKey": self._network.root.public.hex(),
            }
        )

    async def add_fault(self, request: web.Request) -> web.Response:
        """Makes the network misbehave."""
        try:
            fault = self._network.faults.add(await json_object(request))
        except FaultError as error:
            raise ControlError(400, str(error)) from error
        if fault.immediate:
            self._strike(fault)
        return web.json_response(fault.describe(), status=201)

    async def faults(self, _request: web.Request) -> web.Response:
        """The faults that are active."""
        return web.json_response([fault.describe() for fault in self._network.faults.active()])

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """Ends all faults."""
        self._network.faults.clear()
        return web.Response(status=204)

    async def fault_kinds(self, _request: web.Request) -> web.Response:
        """Every kind of fault, what it does and what can be set of it."""
        return web.json_response(catalogue())

    async def end_fault(self, request: web.Request) -> web.Response:
        """Ends one fault."""
        text = request.match_info["id"]
        if not text.isdecimal() or not self._network.faults.end(int(text)):
            raise ControlError(404, f"no fault {text} is active")
        return web.Response(status=204)

    async def stats(self, _request: web.Request) -> web.Response:
        """Counters since the start, and what waits now."""
        return web.json_response(self.counters())

    def counters(self) -> dict[str, Any]:
        """Counters since the start, and what waits now, as JSON."""
        stats = self._network.stats
        devices = list(self._network.accounts.devices())
        return {
            "connections": {"now": len(self._network.connections), "total": stats.connections},
            "online": sum(device.session is not None for device in devices),
            "stanzas": {"in": stats.stanzas_in, "out": stats.stanzas_out},
            "messages": {
                "accepted": stats.messages_accepted,
                "delivered": stats.messages_delivered,
                "queued": sum(len(device.mailbox) for device in devices),
            },
        }

    def _strike(self, fault: Fault) -> None:
        for device in list(self._network.accounts.devices()):
            session = device.session
            if session is None or not fault.hits(device.account.number):
                continue
            if fault.kind == "cut":
                session.cut()
                continue
            code = fault.fields["code"]
            if code == 401:
                # The client forgets its keys when it hears this, so the device is gone for good.
                self._network.accounts.remove_device(device)
                announce(self._network, device.account)
            session.end_stream(code)
