"""How WhatsApp itself addresses a chat and the people in it.

WhatsApp names people by LID: every chat with one person, and most groups. Older groups still go by phone
number. A message that names another one (by key, in a quote, in a vote) must use the names that its
readers' devices use, or they do not find it; and in a group that goes by LID a phone number would tell
strangers a number that they cannot see.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from server.whatsapp.content import Edit, Quote, Reaction, Revoke, Target, Text
from server.whatsapp.encoding import Encodable
from server.whatsapp.jid import Jid
from server.whatsapp.port import Identity

GROUPS_KEPT: Final = 10_000
"""Groups whose addressing is remembered per client."""
PEOPLE_KEPT: Final = 10_000
"""People whose other name is remembered per client."""

Lookup = Callable[[Jid], Awaitable[Jid | None]]
"""The other name of a person, LID for phone number and the other way round, where it is known."""


def names_others(content: Encodable) -> bool:
    """Whether content names another message, and so people who must be translated."""
    match content:
        case Text():
            return content.quote is not None
        case _:
            return isinstance(content, Edit | Revoke | Reaction)


class Addressing:
    """Translates what callers name into what WhatsApp names.

    Where a translation is not known the name stays as it was given, as the library would leave it.
    """

    def __init__(self, lookup: Lookup) -> None:
        """`lookup` asks what the device has learned."""
        self.own: Identity | None = None
        """The account itself, once it is known."""
        self._lookup = lookup
        self._by_lid: OrderedDict[Jid, bool] = OrderedDict()
        self._others: OrderedDict[Jid, Jid] = OrderedDict()

    def learn(self, group: Jid, example: Jid) -> None:
        """A message in `group` was addressed from `example`."""
        self._by_lid[group] = example.is_lid
        self._by_lid.move_to_end(group)
        if len(self._by_lid) > GROUPS_KEPT:
            self._by_lid.popitem(last=False)

    async def chat(self, chat: Jid) -> Jid:
        """The chat as WhatsApp addresses it."""
        return chat if chat.is_group else await self._named(chat, by_lid=True)

    async def person(self, chat: Jid, person: Jid) -> Jid:
        """A person as WhatsApp addresses them in a chat."""
        by_lid = self._by_lid.get(chat) if chat.is_group else True
        return person if by_lid is None else await self._named(person, by_lid=by_lid)

    async def content(self, chat: Jid, content: Encodable) -> Encodable:
        """Content with everybody whom it names translated; mentions stay, for the text names them too."""
        match content:
            case Text(quote=Quote() as quote):
                return replace(content, quote=replace(quote, sender=await self.person(chat, quote.sender)))
            case Edit() | Revoke() | Reaction():
                return replace(content, target=await self.target(chat, content.target))
            case _:
                return content

    async def target(self, chat: Jid, target: Target) -> Target:
        """Another message with its sender translated."""
        return replace(target, sender=await self.person(chat, target.sender))

    async def other_name(self, person: Jid) -> Jid | None:
        """The other name of a person, or None where the device does not know it; remembered once known."""
        known = self._others.get(person)
        if known is None:
            known = await self._lookup(person)
            if known is None:
                return None
            self._others[person] = known
        self._others.move_to_end(person)
        if len(self._others) > PEOPLE_KEPT:
            self._others.popitem(last=False)
        return known

    async def _named(self, person: Jid, *, by_lid: bool) -> Jid:
        if person.is_lid == by_lid:
            return person
        if self.own is not None and person in (self.own.jid, self.own.lid):
            return (self.own.lid if by_lid else self.own.jid) or person
        return await self._lookup(person) or person
