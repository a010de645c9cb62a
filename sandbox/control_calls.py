"""The part of the control API that is about calls."""

from aiohttp import web

from sandbox.calls import Call, Calls
from sandbox.contacts import Contacts
from sandbox.control_http import ControlError, body, number_of, text_field
from sandbox.drafts import address
from sandbox.network import Network

__all__ = ["CallControl", "described"]


class CallControl:
    """Lets contacts call, and end what they began.

    Args:
        network: The network.
        contacts: Its contacts.
        calls: Its calls.
    """

    def __init__(self, network: Network, contacts: Contacts, calls: Calls) -> None:
        self._network = network
        self._contacts = contacts
        self._calls = calls

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/calls", self.list),
            web.post("/contacts/{number}/calls", self.ring),
            web.post("/calls/{id}/accept", self.accept),
            web.delete("/calls/{id}", self.end),
        ]

    async def list(self, _request: web.Request) -> web.Response:
        """The calls that ring or were taken."""
        return web.json_response([described(call) for call in self._calls])

    async def ring(self, request: web.Request) -> web.Response:
        """Lets a contact call an account, alone or with its group."""
        number = number_of(request.match_info["number"])
        caller = self._contacts.get(number)
        if caller is None:
            raise ControlError(404, f"there is no contact {number}; PUT /contacts/{number} makes one")
        fields = await body(request, {"to": str, "video": bool, "group": str})
        callee = self._network.accounts.find(address(text_field(fields, "to")))
        if callee is None:
            raise ControlError(404, f"{fields['to']} is not on the network")
        group = address(fields["group"]) if "group" in fields else None
        call = self._calls.ring(caller, callee, video=fields.get("video", False), group=group)
        await self._network.state.stored()
        return web.json_response({"id": call.id}, status=201)

    async def accept(self, request: web.Request) -> web.Response:
        """Lets the callee take a call on the phone."""
        self._calls.accept(self._call(request))
        await self._network.state.stored()
        return web.Response(status=204)

    async def end(self, request: web.Request) -> web.Response:
        """Ends a call; ``?reason=`` is what its devices are told."""
        self._calls.end(self._call(request), request.query.get("reason", ""))
        await self._network.state.stored()
        return web.Response(status=204)

    def _call(self, request: web.Request) -> Call:
        call_id = request.match_info["id"]
        call = self._calls.find(call_id)
        if call is None:
            raise ControlError(404, f"no call {call_id} rings")
        return call


def described(call: Call) -> dict[str, object]:
    """A call as JSON."""
    return {
        "id": call.id,
        "from": call.caller.number,
        "to": call.callee.number,
        "group": None if call.group is None else str(call.group),
        "video": call.video,
        "taken": call.taken,
    }
