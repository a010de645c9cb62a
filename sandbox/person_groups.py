"""What a person's client does to groups.

Only the people process imports this module; see ``people.py``.
"""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol, TypeVar

from neonize.aioze.client import NewAClient
from neonize.utils.enum import ParticipantChange

from sandbox.person_content import jid_of
from sandbox.person_heard import jid_text

__all__ = ["Caller", "act"]

_Result = TypeVar("_Result")
_Details = Mapping[str, Any]


class Caller(Protocol):
    """Calls into the library, safely."""

    async def __call__(self, work: Awaitable[_Result]) -> _Result:
        """Waits for a call; what the library refuses becomes a ``PersonError``."""


async def act(client: NewAClient, call: Caller, action: str, details: _Details) -> dict[str, object]:
    """Does one thing.

    Args:
        client: The person's client.
        call: The way into the library.
        action: ``create``, ``join``, ``leave``, ``members``, ``invite`` or ``settings``.
        details: What the action needs; see each.

    Returns:
        What came out: the ``group``, the ``link``, or the ``members`` with their errors.
    """
    if action == "create":
        members = [jid_of(member) for member in details["members"]]
        created = await call(client.create_group(details["subject"], members))
        return {"group": jid_text(created.JID)}
    if action == "join":
        return {"group": jid_text(await call(client.join_group_with_link(details["code"])))}
    group = jid_of(details["group"])
    if action == "leave":
        await call(client.leave_group(group))
        return {}
    if action == "invite":
        return {"link": await call(client.get_group_invite_link(group, revoke=details["reset"]))}
    if action == "members":
        changed = await call(
            client.update_group_participants(
                group,
                [jid_of(member) for member in details["members"]],
                ParticipantChange(details["change"]),
            )
        )
        return {"members": [{"jid": jid_text(member.JID), "error": member.Error} for member in changed]}
    await _settle(client, call, details)
    return {}


async def _settle(client: NewAClient, call: Caller, details: _Details) -> None:
    group = jid_of(details["group"])
    if "subject" in details:
        await call(client.set_group_name(group, details["subject"]))
    if "description" in details:
        # Without ids the library finds out the old one and makes a new one.
        await call(client.set_group_topic(group, "", "", details["description"]))
    if "announce" in details:
        await call(client.set_group_announce(group, details["announce"]))
    if "locked" in details:
        await call(client.set_group_locked(group, details["locked"]))
