"""The part of the control API that is about phones: what an account's owner does there and sees."""

import logging
from collections.abc import Awaitable
from typing import Any

from aiohttp import web

from sandbox import phone_chats
from sandbox.accounts import Account, Device
from sandbox.app_state import COLLECTIONS
from sandbox.companions import rename
from sandbox.control_http import ControlError, body, json_object, number_of, text_field
from sandbox.device_lists import announce
from sandbox.jid import JID
from sandbox.network import Network
from sandbox.pairing import PairingError, PasskeyDemandedError, scan, type_code
from sandbox.sync_crypto import SyncError

__all__ = ["PhoneControl", "account_of", "phones"]

_log = logging.getLogger(__name__)


class PhoneControl:
    """Linked devices, chats and settings of phones.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.post("/phones/{number}/scan", self.scan),
            web.post("/phones/{number}/code", self.type_code),
            web.get("/phones", self.phones),
            web.get("/phones/{number}", self.phone),
            web.put("/phones/{number}", self.add),
            web.patch("/phones/{number}", self.rename),
            web.delete("/phones/{number}/devices/{device}", self.unlink),
            web.get("/phones/{number}/app-state", self.app_state),
            web.get("/phones/{number}/chats", self.chats),
            web.patch("/phones/{number}/chats/{chat}", self.change_chat),
        ]

    async def scan(self, request: web.Request) -> web.Response:
        """Lets an account's phone scan a client's code; the account is made on first use."""
        number = number_of(request.match_info["number"])
        code = text_field(await body(request, {"qr": str}), "qr")
        return await _linked(scan(self._network, number, code))

    async def type_code(self, request: web.Request) -> web.Response:
        """Lets an account's phone type the pairing code that a client shows for it."""
        number = number_of(request.match_info["number"])
        code = text_field(await body(request, {"code": str}), "code")
        return await _linked(type_code(self._network, number, code))

    async def phones(self, _request: web.Request) -> web.Response:
        """All users' own accounts and their devices."""
        return web.json_response(phones(self._network))

    async def phone(self, request: web.Request) -> web.Response:
        """An account and its devices."""
        return web.json_response(_phone(self._account(request)))

    async def add(self, request: web.Request) -> web.Response:
        """Puts an account on the network before it links a client; does nothing where it is."""
        number = number_of(request.match_info["number"])
        fields = await body(request, {"name": str})
        known = self._network.accounts.get(number)
        if known is not None and known.kind != "account":
            raise ControlError(409, f"{number} is a {known.kind}; a phone needs a number of its own")
        account = known or self._network.accounts.own(number)
        if known is None and fields.get("name"):
            self._network.accounts.rename(account, fields["name"])
        await self._network.state.stored()
        return web.json_response(_phone(account))

    async def rename(self, request: web.Request) -> web.Response:
        """Changes the push name on the phone: people see it from now on, and the devices learn it."""
        account = self._account(request)
        name = text_field(await body(request, {"name": str}), "name")
        try:
            rename(self._network, account, name)
        except SyncError as error:
            raise ControlError(409, str(error)) from error
        await self._network.state.stored()
        return web.Response(status=204)

    async def unlink(self, request: web.Request) -> web.Response:
        """Lets the phone unlink a device: it is thrown out now, or when it logs in next."""
        account = self._account(request)
        text = request.match_info["device"]
        device = account.devices.get(int(text)) if text.isdecimal() else None
        if device is None:
            raise ControlError(404, f"{account.number} has no linked device {text}")
        self._network.accounts.remove_device(device)
        announce(self._network, account)
        if device.session is not None:
            device.session.end_stream(401)
        await self._network.state.stored()
        return web.Response(status=204)

    async def app_state(self, request: web.Request) -> web.Response:
        """Each collection's version, and why the phone stopped to follow it, if it did."""
        app_state = self._network.app_states.of(self._account(request))
        collections = {
            name: {"version": app_state.version(name), "problem": app_state.problem(name)}
            for name in COLLECTIONS
        }
        return web.json_response(collections)

    async def chats(self, request: web.Request) -> web.Response:
        """How the phone shows its chats, as far as a device or the phone itself has ever said anything."""
        known = phone_chats.chats(self._network, self._account(request))
        return web.json_response([chat.describe() for chat in known])

    async def change_chat(self, request: web.Request) -> web.Response:
        """Archives, pins or mutes a chat on the phone, which the devices are told of."""
        network, account = self._network, self._account(request)
        chat, changes = self._chat(request), await _changes(request)
        try:
            if "archived" in changes:
                phone_chats.set_archived(network, account, chat, changes["archived"])
            if "pinned" in changes:
                phone_chats.set_pinned(network, account, chat, changes["pinned"])
            if "mutedUntil" in changes:
                phone_chats.set_muted(network, account, chat, changes["mutedUntil"])
        except SyncError as error:
            raise ControlError(409, str(error)) from error
        await network.state.stored()
        return web.Response(status=204)

    def _account(self, request: web.Request) -> Account:
        return account_of(self._network, request)

    def _chat(self, request: web.Request) -> JID:
        """A chat by a number, whose LID is meant as on phones today, or by a JID as it is."""
        text = request.match_info["chat"]
        if "@" not in text:
            contact = self._network.accounts.get(number_of(text))
            if contact is None:
                raise ControlError(404, f"{text} is not on this network")
            return contact.lid_jid
        try:
            return JID.parse(text)
        except ValueError as error:
            raise ControlError(400, str(error)) from error


def account_of(network: Network, request: web.Request) -> Account:
    """The account of the phone in a request's path.

    Raises:
        ControlError: It is not on the network.
    """
    number = number_of(request.match_info["number"])
    account = network.accounts.get(number)
    if account is None:
        raise ControlError(404, f"{number} is not on this network; its first scan puts it there")
    return account


def phones(network: Network) -> list[dict[str, object]]:
    """All users' own accounts and their devices, as JSON."""
    return [_phone(account) for account in network.accounts if account.kind == "account"]


async def _changes(request: web.Request) -> dict[str, Any]:
    changes = await json_object(request)
    for name, value in changes.items():
        if name in {"archived", "pinned"}:
            valid = isinstance(value, bool)
        elif name == "mutedUntil":
            valid = value is None or (isinstance(value, int) and not isinstance(value, bool))
        else:
            raise ControlError(400, f"unknown field {name!r}; known are archived, pinned, mutedUntil")
        if not valid:
            raise ControlError(
                400, f"{name} must be {'a number or null' if name == 'mutedUntil' else 'a boolean'}"
            )
    return changes


async def _linked(linking: Awaitable[Device]) -> web.Response:
    try:
        device = await linking
    except PasskeyDemandedError as error:
        raise ControlError(409, str(error)) from error
    except PairingError as error:
        raise ControlError(400, str(error)) from error
    _log.info("%s linked device %d", device.account.number, device.number)
    return web.json_response({"jid": str(device.pn), "lid": str(device.lid), "device": device.number})


def _phone(account: Account) -> dict[str, object]:
    return {
        "number": account.number,
        "jid": str(account.pn_jid),
        "lid": str(account.lid_jid),
        "name": account.name,
        "kind": account.kind,
        "devices": [_described(device) for device in account.devices.values()],
    }


def _described(device: Device) -> dict[str, object]:
    return {
        "device": device.number,
        "jid": str(device.pn),
        "lid": str(device.lid),
        "platform": device.platform,
        "online": device.session is not None,
        "waiting": len(device.mailbox),
    }
