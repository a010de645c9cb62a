"""The part of the control API that is about what persons show of themselves, and what they see of others."""

from aiohttp import web

from sandbox.accounts import Account
from sandbox.contacts import Contacts
from sandbox.control_http import ControlError, body, number_of, text_field
from sandbox.drafts import address
from sandbox.people_link import PeopleError

__all__ = ["PresenceControl"]

_CHAT_STATES = ("composing", "recording", "paused")
_PRESENCES = ("available", "unavailable")


class PresenceControl:
    """Chat states, presence and receipts, as persons have them.

    Args:
        contacts: The network's contacts.
    """

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/contacts/{number}/seen", self.seen),
            web.post("/contacts/{number}/watch", self.watch),
            web.post("/contacts/{number}/show", self.show),
            web.get("/contacts/{number}/messages/{id}/receipts", self.receipts),
        ]

    async def seen(self, request: web.Request) -> web.Response:
        """The chat states and presences that a person saw, in order."""
        return web.json_response(await self._contacts.journal.read(self._person(request).number, "seen"))

    async def watch(self, request: web.Request) -> web.Response:
        """Lets a person subscribe to somebody's presence, which it is told of from now on."""
        person = self._person(request)
        who = address(text_field(await body(request, {"who": str}), "who"))
        try:
            await self._contacts.watch(person, who)
        except PeopleError as error:
            raise ControlError(502, str(error)) from error
        return web.Response(status=204)

    async def show(self, request: web.Request) -> web.Response:
        """Lets a person show a state: of a chat, or its presence."""
        person = self._person(request)
        fields = await body(request, {"state": str, "to": str})
        state, to = text_field(fields, "state"), fields.get("to", "")
        allowed = _CHAT_STATES if to else _PRESENCES
        if state not in allowed:
            what = "state in a chat" if to else "state without a chat (to)"
            raise ControlError(400, f"a {what} is one of {', '.join(allowed)}, not {state!r}")
        try:
            await self._contacts.show(person, state, address(to) if to else None)
        except PeopleError as error:
            raise ControlError(502, str(error)) from error
        return web.Response(status=204)

    async def receipts(self, request: web.Request) -> web.Response:
        """The receipts that a person got for one of its messages, in order."""
        message = request.match_info["id"]
        receipts = await self._contacts.journal.read(self._person(request).number, "receipt")
        return web.json_response([receipt for receipt in receipts if message in receipt["ids"]])

    def _person(self, request: web.Request) -> Account:
        number = number_of(request.match_info["number"])
        contact = self._contacts.get(number)
        if contact is None or contact.kind != "person":
            raise ControlError(404, f"there is no person {number}; PUT /contacts/{number} makes one")
        return contact
