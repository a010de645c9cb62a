"""The part of the control API that is about virtual contacts."""

from aiohttp import web

from sandbox.accounts import Account, Kind
from sandbox.contacts import ContactConflictError, Contacts
from sandbox.control_http import ControlError, body, number_of, text_field
from sandbox.drafts import FIELDS, Draft, address
from sandbox.journal import RecordKind
from sandbox.people_link import PeopleError

__all__ = ["ContactControl", "described"]

_KINDS: dict[str, Kind] = {"person": "person", "sink": "sink"}


class ContactControl:
    """Contacts, what they write and what they got.

    Args:
        contacts: The network's contacts.
    """

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/contacts", self.list),
            web.put("/contacts/{number}", self.put),
            web.get("/contacts/{number}", self.get),
            web.get("/contacts/{number}/messages", self.messages),
            web.post("/contacts/{number}/messages", self.send),
            web.post("/contacts/{number}/read", self.read),
            web.get("/contacts/{number}/sent", self.sent),
            web.get("/contacts/{number}/receipts", self.receipts),
        ]

    async def put(self, request: web.Request) -> web.Response:
        """Makes a contact and waits until it is ready."""
        number = number_of(request.match_info["number"])
        fields = await body(request, {"name": str, "kind": str})
        kind = _KINDS.get(text_field(fields, "kind"))
        if kind is None:
            raise ControlError(400, f"kind is one of {', '.join(_KINDS)}, not {fields['kind']!r}")
        try:
            account = await self._contacts.put(number, fields.get("name", ""), kind)
        except ContactConflictError as error:
            raise ControlError(409, str(error)) from error
        except PeopleError as error:
            raise ControlError(502, str(error)) from error
        return web.json_response(described(account))

    async def list(self, _request: web.Request) -> web.Response:
        """All contacts."""
        return web.json_response([described(account) for account in self._contacts.all()])

    async def get(self, request: web.Request) -> web.Response:
        """One contact."""
        return web.json_response(described(self._contact(request)))

    async def messages(self, request: web.Request) -> web.Response:
        """What a person has decrypted, in order."""
        return await self._records(request, "message")

    async def sent(self, request: web.Request) -> web.Response:
        """What a person has sent, in order."""
        return await self._records(request, "sent")

    async def receipts(self, request: web.Request) -> web.Response:
        """The receipts that a person got, in order."""
        return await self._records(request, "receipt")

    async def send(self, request: web.Request) -> web.Response:
        """Lets a person send a message and waits for the network's acknowledgement."""
        person = self._person(request)
        fields = await body(request, FIELDS)
        to = address(text_field(fields, "to"))
        draft = Draft.parse(fields)
        try:
            sent = await self._contacts.send(person, to, draft)
        except PeopleError as error:
            raise ControlError(502, str(error)) from error
        return web.json_response({"id": sent["id"], "timestamp": sent["timestamp"]})

    async def read(self, request: web.Request) -> web.Response:
        """Lets a person read messages, which their sender learns."""
        person = self._person(request)
        fields = await body(request, {"ids": list, "chat": str})
        ids = fields.get("ids")
        if not ids or not all(isinstance(item, str) and item for item in ids):
            raise ControlError(400, "ids must be a list of at least one message id")
        chat = address(text_field(fields, "chat"))
        try:
            await self._contacts.mark_read(person, ids, chat)
        except PeopleError as error:
            raise ControlError(502, str(error)) from error
        return web.Response(status=204)

    async def _records(self, request: web.Request, kind: RecordKind) -> web.Response:
        contact = self._contact(request)
        return web.json_response(await self._contacts.journal.read(contact.number, kind))

    def _contact(self, request: web.Request) -> Account:
        number = number_of(request.match_info["number"])
        contact = self._contacts.get(number)
        if contact is None:
            raise ControlError(404, f"there is no contact {number}; PUT /contacts/{number} makes one")
        return contact

    def _person(self, request: web.Request) -> Account:
        contact = self._contact(request)
        if contact.kind != "person":
            raise ControlError(409, f"{contact.number} is a {contact.kind}; only a person reads and writes")
        return contact


def described(account: Account) -> dict[str, object]:
    """A contact as JSON."""
    return {
        "number": account.number,
        "name": account.name,
        "kind": account.kind,
        "jid": str(account.pn_jid),
        "lid": str(account.lid_jid),
        "online": any(device.session is not None for device in account.devices.values()),
    }
