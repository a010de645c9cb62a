"""The part of the control API that is about groups. Whatever changes in one is done by a person's client."""

from typing import Any

from aiohttp import web

from sandbox.accounts import Account
from sandbox.contacts import Contacts
from sandbox.control_http import ControlError, body, number_of, text_field
from sandbox.drafts import address
from sandbox.groups import Group
from sandbox.jid import GROUP_SERVER, JID
from sandbox.network import Network
from sandbox.people_link import PeopleError

__all__ = ["GroupControl", "described"]

_CHANGES = ("add", "remove", "promote", "demote")


class GroupControl:
    """Groups, their members and their invites.

    Args:
        network: The network.
        contacts: Its contacts, whose persons act.
    """

    def __init__(self, network: Network, contacts: Contacts) -> None:
        self._network = network
        self._contacts = contacts

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/groups", self.list),
            web.post("/groups", self.create),
            web.get("/groups/{group}", self.get),
            web.patch("/groups/{group}", self.settle),
            web.post("/groups/{group}/members", self.members),
            web.post("/groups/{group}/invite", self.reset_invite),
            web.post("/contacts/{number}/groups", self.join),
            web.delete("/contacts/{number}/groups/{group}", self.leave),
        ]

    async def list(self, _request: web.Request) -> web.Response:
        """All groups."""
        return web.json_response([described(group) for group in self._network.groups])

    async def get(self, request: web.Request) -> web.Response:
        """One group."""
        return web.json_response(described(self._group(request)))

    async def create(self, request: web.Request) -> web.Response:
        """Lets a person make a group."""
        fields = await body(request, {"by": str, "subject": str, "members": list, "addressing": str})
        person = self._person(number_of(text_field(fields, "by")))
        members = _members(fields)
        addressing = fields.get("addressing", "lid")
        if addressing not in {"lid", "pn"}:
            raise ControlError(400, f"addressing is lid or pn, not {addressing!r}")
        self._network.groups.addressing[person] = addressing
        try:
            done = await self._act(person, "create", subject=fields.get("subject", ""), members=members)
        finally:
            self._network.groups.addressing.pop(person, None)
        return web.json_response(described(self._found(done["group"])))

    async def settle(self, request: web.Request) -> web.Response:
        """Lets a person change subject, description, and who may do what."""
        group = self._group(request)
        allowed = {"subject": str, "description": str, "announce": bool, "locked": bool}
        fields = await body(request, {"by": str, **allowed})
        changes = {name: value for name, value in fields.items() if name in allowed}
        if not changes:
            raise ControlError(400, f"nothing is to change; one or more of {', '.join(allowed)} can")
        await self._act(self._acting(group, fields), "settings", group=str(group.jid), **changes)
        return web.json_response(described(group))

    async def members(self, request: web.Request) -> web.Response:
        """Lets a person add, remove, promote or demote members; answers with who could not be."""
        group = self._group(request)
        fields = await body(request, {"by": str, "change": str, "members": list})
        change = text_field(fields, "change")
        if change not in _CHANGES:
            raise ControlError(400, f"change is one of {', '.join(_CHANGES)}, not {change!r}")
        person, members = self._acting(group, fields), _members(fields)
        done = await self._act(person, "members", group=str(group.jid), change=change, members=members)
        refused = [self._refused(member) for member in done["members"] if member["error"]]
        return web.json_response({"group": described(group), "refused": refused})

    async def reset_invite(self, request: web.Request) -> web.Response:
        """Lets a person give the group a new invite link."""
        group = self._group(request)
        fields = await body(request, {"by": str})
        done = await self._act(self._acting(group, fields), "invite", group=str(group.jid), reset=True)
        return web.json_response({"link": done["link"], "code": group.invite})

    async def join(self, request: web.Request) -> web.Response:
        """Lets a person follow an invite."""
        person = self._person(number_of(request.match_info["number"]))
        code = text_field(await body(request, {"code": str}), "code")
        done = await self._act(person, "join", code=code)
        return web.json_response(described(self._found(done["group"])))

    async def leave(self, request: web.Request) -> web.Response:
        """Lets a person leave a group."""
        person = self._person(number_of(request.match_info["number"]))
        await self._act(person, "leave", group=str(self._group(request).jid))
        return web.Response(status=204)

    async def _act(self, person: Account, action: str, **details: object) -> dict[str, Any]:
        try:
            return await self._contacts.act_on_group(person, action, **details)
        except PeopleError as error:
            raise ControlError(502, str(error)) from error

    def _acting(self, group: Group, fields: dict[str, Any]) -> Account:
        """Who acts: whoever is named, else who made the group."""
        number = number_of(text_field(fields, "by")) if "by" in fields else group.creator.number
        return self._person(number)

    def _person(self, number: str) -> Account:
        contact = self._contacts.get(number)
        if contact is None or contact.kind != "person":
            raise ControlError(409, f"{number} is no person; only a person does things")
        return contact

    def _group(self, request: web.Request) -> Group:
        return self._found(request.match_info["group"])

    def _found(self, text: str) -> Group:
        group = self._network.groups.get(JID(text.partition("@")[0], GROUP_SERVER))
        if group is None:
            raise ControlError(404, f"there is no group {text}")
        return group

    def _refused(self, member: dict[str, Any]) -> dict[str, object]:
        account = self._network.accounts.find(JID.parse(member["jid"]))
        return {"number": account.number if account else member["jid"], "error": member["error"]}


def _members(fields: dict[str, Any]) -> list[str]:
    members = fields.get("members", [])
    if not all(isinstance(member, str) for member in members):
        raise ControlError(400, "members must be a list of numbers or JIDs")
    return [str(address(member)) for member in members]


def described(group: Group) -> dict[str, object]:
    """A group as JSON."""
    return {
        "id": group.id,
        "jid": str(group.jid),
        "subject": group.subject,
        "description": group.description,
        "creator": group.creator.number,
        "created": group.created * 1000,
        "addressing": group.addressing,
        "announce": group.announce,
        "locked": group.locked,
        "inviteCode": group.invite,
        "members": [
            {
                "number": account.number,
                "jid": str(account.pn_jid),
                "lid": str(account.lid_jid),
                "role": role,
            }
            for account, role in group.members.items()
        ],
    }
