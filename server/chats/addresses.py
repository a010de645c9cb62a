"""One person, two addresses: which phone number a LID belongs to."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from server.store.conversations import ConversationRepository
from server.whatsapp.jid import PHONE, Jid, parse_jid

_REMEMBERED: Final = 20_000
"""Pairs kept in memory; the one unused for longest goes first."""


class Addresses:
    """Finds the canonical JID of a person: the phone number's where it is known, else the LID."""

    def __init__(self, conversations: ConversationRepository) -> None:
        """Looks up what `conversations` has learned."""
        self._conversations = conversations
        self._known: OrderedDict[tuple[str, str], Jid] = OrderedDict()

    async def canonical(self, session_id: str, jid: Jid, alternative: Jid | None = None) -> Jid:
        """The canonical form of a JID, as far as the session knows.

        Args:
            session_id: who asks.
            jid: any JID; all but LIDs are canonical already.
            alternative: the same person's other JID, where it came along.
        """
        if not jid.is_lid:
            return jid
        if alternative is not None and alternative.server == PHONE:
            return alternative
        key = (session_id, str(jid))
        known = self._known.get(key)
        if known is None:
            stored = await self._conversations.phone_jid(session_id, str(jid))
            if stored is None:
                return jid
            known = parse_jid(stored)
            self._remember(key, known)
        return known

    def news(self, session_id: str, jid: Jid, alternative: Jid | None) -> tuple[str, str] | None:
        """The (LID, phone-number JID) pair of a person, where it is worth storing: not known yet."""
        if alternative is None or {jid.server, alternative.server} != {"lid", PHONE}:
            return None
        lid, phone = (jid, alternative) if jid.is_lid else (alternative, jid)
        key = (session_id, str(lid))
        if self._known.get(key) == phone:
            return None
        self._remember(key, phone)
        return str(lid), str(phone)

    def forget(self, session_id: str, lids: Iterable[str]) -> None:
        """Takes back what `news` remembered, because it was not stored after all."""
        for lid in lids:
            self._known.pop((session_id, lid), None)

    def _remember(self, key: tuple[str, str], phone: Jid) -> None:
        self._known[key] = phone
        self._known.move_to_end(key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
