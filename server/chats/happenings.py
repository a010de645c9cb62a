"""Presences, changes of groups and calls, as the event log tells them."""

from typing import Final

from server.chats.addresses import Addresses
from server.clock import now_ms
from server.store.arrival_records import NewHappening
from server.store.records import Session
from server.whatsapp.happenings import CallTold, GroupChange, GroupChanged, Happening, Named, PresenceShown

LEFT: Final = "left"
"""What `removed` is where it is the account itself."""


class Happenings:
    """Translates what the port tells into events; docs/events.md describes them."""

    def __init__(self, addresses: Addresses) -> None:
        """Names people by `addresses`."""
        self._addresses = addresses

    async def stored_form(self, session: Session, happening: Happening) -> NewHappening:
        """The event of a happening."""
        match happening:
            case PresenceShown():
                return await self._presence(session, happening)
            case GroupChanged():
                return await self._group(session, happening)
            case CallTold():
                return await self._call(session, happening)

    async def _presence(self, session: Session, shown: PresenceShown) -> NewHappening:
        chat = await self._addresses.canonical(session.id, shown.chat, shown.chat_alternative)
        person = await self._addresses.canonical(session.id, shown.person, shown.person_alternative)
        return NewHappening(
            session_id=session.id,
            name="presence",
            payload={"lastSeen": shown.last_seen, "state": str(shown.state)},
            people={"chat": str(chat), "person": str(person)},
            participants=None,
            at=now_ms(),
            learned=self._news(session, Named(shown.person, shown.person_alternative)),
        )

    async def _group(self, session: Session, changed: GroupChanged) -> NewHappening:
        participants = [await self._person(session, person) for person in changed.participants]
        change = str(changed.change)
        if changed.change is GroupChange.REMOVED and participants == [session.wa_jid]:
            change = LEFT
            participants = []
        now = now_ms()
        return NewHappening(
            session_id=session.id,
            name="group.updated",
            payload={
                "change": change,
                "groupJid": str(changed.group),
                # Of joining WhatsApp tells no time of its own.
                "timestamp": changed.timestamp or now,
                "value": changed.value,
            },
            people={"actor": None if changed.actor is None else await self._person(session, changed.actor)},
            participants=participants,
            at=now,
            chat_jid=str(changed.group),
            chat_name=changed.subject,
            learned=self._news(session, *changed.participants, *([changed.actor] if changed.actor else [])),
        )

    async def _call(self, session: Session, call: CallTold) -> NewHappening:
        caller = await self._addresses.canonical(session.id, call.caller, call.caller_alternative)
        return NewHappening(
            session_id=session.id,
            name="call",
            payload={
                "callId": call.id,
                "groupJid": None if call.group is None else str(call.group),
                "reason": call.reason,
                "state": str(call.state),
                "timestamp": call.timestamp,
                "video": call.video,
            },
            people={"caller": str(caller)},
            participants=None,
            at=now_ms(),
            learned=self._news(session, Named(call.caller, call.caller_alternative)),
        )

    async def _person(self, session: Session, person: Named) -> str:
        if session.wa_jid and str(person.jid) in (session.wa_jid, session.wa_lid):
            return session.wa_jid
        return str(await self._addresses.canonical(session.id, person.jid, person.alternative))

    def _news(self, session: Session, *people: Named) -> list[tuple[str, str]]:
        """The address pairs that are worth storing."""
        found = (self._addresses.news(session.id, person.jid, person.alternative) for person in people)
        return [pair for pair in found if pair is not None]
