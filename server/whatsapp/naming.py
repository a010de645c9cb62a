"""Gives events the other names of the people in them: they do not come along, but the device knows them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from server.whatsapp.happenings import CallTold, GroupChanged, Named, PresenceShown
from server.whatsapp.incoming import Receipt
from server.whatsapp.jid import Jid
from server.whatsapp.port import Event

OtherName = Callable[[Jid], Awaitable[Jid | None]]

_NAMELESS: Final = (CallTold, GroupChanged, PresenceShown, Receipt)


async def named_both_ways(event: Event, other_name: OtherName) -> Event:
    """An event with everybody's other name, as far as it is known.

    Args:
        event: what the library told.
        other_name: finds a person's LID by the phone number, or the number by the LID.
    """
    if not isinstance(event, _NAMELESS):
        return event
    match event:
        case Receipt() if event.participant_alternative is None:
            other = await other_name(event.participant)
            chat_other = None if event.chat.is_group else other
            return replace(event, participant_alternative=other, chat_alternative=chat_other)
        case PresenceShown() if event.person_alternative is None:
            other = await other_name(event.person)
            chat_other = None if event.chat.is_group else other
            return replace(event, person_alternative=other, chat_alternative=chat_other)
        case CallTold() if event.caller_alternative is None:
            return replace(event, caller_alternative=await other_name(event.caller))
        case GroupChanged():
            actor = None if event.actor is None else await _named(event.actor, other_name)
            people = [await _named(person, other_name) for person in event.participants]
            return replace(event, actor=actor, participants=tuple(people))
        case _:
            return event


async def _named(person: Named, other_name: OtherName) -> Named:
    if person.alternative is not None:
        return person
    return replace(person, alternative=await other_name(person.jid))
