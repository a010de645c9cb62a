"""The part of the control API that shows the network as a whole: who is there now, and what happened."""

from aiohttp import web

from sandbox import control_calls, control_contacts, control_groups
from sandbox.calls import Calls
from sandbox.contacts import Contacts
from sandbox.control import Control
from sandbox.control_http import ControlError, number_of
from sandbox.control_phones import phones
from sandbox.network import Network

__all__ = ["OverviewControl"]

_MOST_ENTRIES = 500
_LONGEST_WAIT_SECONDS = 30


class OverviewControl:
    """What somebody who watches the network wants to know, in few requests.

    Args:
        network: The network.
        contacts: Its contacts.
        calls: Its calls.
        control: Knows the counters.
    """

    def __init__(self, network: Network, contacts: Contacts, calls: Calls, control: Control) -> None:
        self._network = network
        self._contacts = contacts
        self._calls = calls
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [web.get("/network", self.now), web.get("/journal", self.journal)]

    async def now(self, _request: web.Request) -> web.Response:
        """Phones, contacts, groups, calls, faults and counters, as their own paths show them."""
        return web.json_response(
            {
                "phones": phones(self._network),
                "contacts": [control_contacts.described(contact) for contact in self._contacts.all()],
                "groups": [control_groups.described(group) for group in self._network.groups],
                "calls": [control_calls.described(call) for call in self._calls],
                "faults": [fault.describe() for fault in self._network.faults.active()],
                "stats": self._control.counters(),
            }
        )

    async def journal(self, request: web.Request) -> web.Response:
        """The newest records of the persons, or with ``after`` those behind one of them.

        ``number`` shows one person's newest. With ``after`` the answer waits up to ``wait`` seconds for the
        first of them.
        """
        query = request.query
        limit = _whole(query.get("limit", "100"), "limit", 1, _MOST_ENTRIES)
        journal = self._contacts.journal
        if "after" not in query:
            number = number_of(query["number"]) if "number" in query else None
            entries = await journal.latest(limit, number)
        elif "number" in query:
            raise ControlError(400, "number and after do not go together")
        else:
            after = _whole(query["after"], "after", 0, (1 << 63) - 1)
            wait = _whole(query.get("wait", "0"), "wait", 0, _LONGEST_WAIT_SECONDS)
            entries = await journal.after(after, limit, wait)
        return web.json_response([entry.describe() for entry in entries])


def _whole(text: str, name: str, least: int, most: int) -> int:
    # Nineteen digits are enough, and more would only be work.
    if not text.isdecimal() or len(text) > 19 or not least <= int(text) <= most:
        raise ControlError(400, f"{name} is a whole number from {least} to {most}, not {text!r}")
    return int(text)
