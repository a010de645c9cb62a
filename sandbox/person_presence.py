"""What a person shows of itself while it writes, and what it sees of others.

Like ``person.py`` this imports neonize, so only the people process imports it.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from neonize.aioze.client import NewAClient
from neonize.aioze.events import ChatPresenceEv, PresenceEv
from neonize.proto import Neonize_pb2 as events
from neonize.utils.enum import ChatPresence, ChatPresenceMedia, Presence

__all__ = ["listen", "show"]

_CHAT_STATES: Final = {
    "composing": (ChatPresence.CHAT_PRESENCE_COMPOSING, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT),
    "recording": (ChatPresence.CHAT_PRESENCE_COMPOSING, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_AUDIO),
    "paused": (ChatPresence.CHAT_PRESENCE_PAUSED, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT),
}
_PRESENCES: Final = {"available": Presence.AVAILABLE, "unavailable": Presence.UNAVAILABLE}


async def show(client: NewAClient, state: str, to: events.JID | None) -> None:
    """Shows a state.

    Args:
        client: The person's client.
        state: ``composing``, ``recording`` or ``paused`` in a chat, else ``available`` or ``unavailable``.
        to: The chat; None for a state that is none of a chat.
    """
    if to is None:
        await client.send_presence(_PRESENCES[state])
    else:
        await client.send_chat_presence(to, *_CHAT_STATES[state])


def listen(client: NewAClient, number: str, emit: Callable[[dict[str, object]], None]) -> None:
    """Reports what the person sees.

    Args:
        client: The person's client, before it connects.
        number: The person's phone number.
        emit: Takes the events.
    """

    def seen(who: events.JID, chat: events.JID, state: str, **more: Any) -> None:
        record = {"from": _text(who), "chat": _text(chat), "state": state}
        emit({"event": "seen", "number": number, **record, "timestamp": _now(), **more})

    async def on_chat_state(_client: NewAClient, event: events.ChatPresence) -> None:
        recording = event.Media == events.ChatPresence.AUDIO
        state = events.ChatPresence.ChatPresence.Name(event.State).lower()
        source = event.MessageSource
        seen(source.Sender, source.Chat, "recording" if recording else state)

    async def on_presence(_client: NewAClient, event: events.Presence) -> None:
        if event.Unavailable:
            last = event.LastSeen * 1000 if event.LastSeen > 0 else None
            seen(event.From, event.From, "unavailable", lastSeen=last)
        else:
            seen(event.From, event.From, "available")

    client.event(ChatPresenceEv)(on_chat_state)
    client.event(PresenceEv)(on_presence)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _text(jid: events.JID) -> str:
    return f"{jid.User}@{jid.Server}"
