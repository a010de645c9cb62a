"""The port's implementation over neonize."""

import asyncio
import itertools
import logging
import threading
from collections.abc import Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from neonize.exc import (
    BuildPollVoteError,
    GetGroupInfoError,
    GetJIDFromStoreError,
    InviteLinkError,
    LogoutError,
    MarkReadError,
    SendMessageError,
    SendPresenceError,
)
from neonize.proto.Neonize_pb2 import (
    JID,
    LoggedOut,
)
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils.enum import ChatPresence, ChatPresenceMedia, ReceiptType

from server.whatsapp.acknowledgements import Acknowledgements, Key, key_of, message_key
from server.whatsapp.addressing import Addressing, names_others
from server.whatsapp.asking_again import forget_senders
from server.whatsapp.content import Content, Vote
from server.whatsapp.decoding import decode_jid
from server.whatsapp.decoding_events import EVENTS, UNREAD, decode_event
from server.whatsapp.device_store import holds_device, note_unlinked
from server.whatsapp.encoding import encode_content, encode_jid, encode_poll_info
from server.whatsapp.incoming import Received, Repeated
from server.whatsapp.jid import Jid
from server.whatsapp.library import LibraryClient
from server.whatsapp.naming import named_both_ways
from server.whatsapp.port import (
    ChatChange,
    ChatState,
    ClientError,
    Connected,
    ConnectError,
    Event,
    Identity,
    Incoming,
    InviteRefusedError,
    LastMessage,
    NotPairedError,
    OutcomeUnknownError,
    RefusedError,
    Sent,
    Stalled,
)
from server.whatsapp.probing import Probing
from server.whatsapp.reach import Reach
from server.whatsapp.refusals import Refusal, action_refusal_of, refusal_of, refuses_invite, says_already_done
from server.whatsapp.signs import Signs
from server.whatsapp.threads import ClientGoneError, LibraryGate
from server.whatsapp.turns import TurnMissedError, Turns, UnansweredError
from server.whatsapp.wire import Wire

log = logging.getLogger(__name__)

Result = TypeVar("Result")

SENDS_AT_A_TIME: Final = 4
"""Sends of one session inside the library. It sends them one after the other; a few hide the way to it."""
ACTIONS_AT_A_TIME: Final = 4
"""Other calls of one session inside the library."""
SIGNAL_SECONDS: Final = 10.0
"""How long a call may take that WhatsApp does not answer: the library may ask for a setting before."""
EVENTS_WAITING: Final = 250
"""Events taken from the library and not yet by the domain; beyond, the session's thread waits. Each may have
an acknowledgement that waits for it, in a thread."""
LOGOUT_SECONDS: Final = 20.0
"""How long WhatsApp may take to confirm a logout."""

_CHAT_STATES: Final = {
    ChatState.COMPOSING: (ChatPresence.CHAT_PRESENCE_COMPOSING, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT),
    ChatState.RECORDING: (ChatPresence.CHAT_PRESENCE_COMPOSING, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_AUDIO),
    ChatState.PAUSED: (ChatPresence.CHAT_PRESENCE_PAUSED, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT),
}

_incarnations = itertools.count(1)


class NeonizeClient:
    """One incarnation of one session's connection, held by neonize."""

    def __init__(
        self, gate: LibraryGate, wire: Wire, session_id: str, device: Path, device_name: str
    ) -> None:
        """Prepares a client; see `server.whatsapp.port.Client`."""
        self._wire = wire
        self._device = device
        self._acknowledgements = Acknowledgements(self._tell_repeated)
        self._library = LibraryClient(
            gate,
            device,
            incarnation=f"{session_id}.{next(_incarnations)}",
            device_name=device_name,
            events=EVENTS,
            on_event=self._take,
            on_log=self._acknowledgements.heard,
            unread=UNREAD,
        )
        self.signs = Signs()
        self._probing = Probing(self._library, self.signs)
        self._loop = asyncio.get_running_loop()
        self._events: list[Event] = []
        self._keys: list[Key] = []
        self._given: list[Key] = []
        self._arrived = asyncio.Event()
        self._room = threading.Semaphore(EVENTS_WAITING)
        self._stopped = False
        self._sends = Turns(SENDS_AT_A_TIME)
        self._actions = Turns(ACTIONS_AT_A_TIME)
        self._addressing = Addressing(self._other_name)

    async def connect(self) -> Identity:
        """See the port."""
        if not await asyncio.to_thread(holds_device, self._device):
            raise NotPairedError("the device store holds no linked device")
        try:
            device = await self._library.open(self._wire.proxy)
        except ConnectionError as error:
            raise ConnectError(str(error)) from error
        jid = decode_jid(device.JID)
        if jid is None:
            raise NotPairedError("the device store holds no linked device")
        identity = Identity(jid, decode_jid(device.LID))
        self._addressing.own = identity
        return identity

    async def stop(self) -> None:
        """See the port."""
        if self._stopped:
            return
        self._stopped = True
        # Whoever waits for room in the session's thread must not keep it from ending.
        self._room.release(EVENTS_WAITING)
        await self._library.close()
        self._acknowledgements.close()
        self._arrived.set()

    async def logout(self) -> None:
        """See the port."""
        try:
            async with asyncio.timeout(LOGOUT_SECONDS):
                await self._library.logout()  # type: ignore[no-untyped-call] # neonize's gap
        except (LogoutError, ClientGoneError, TimeoutError) as error:
            raise ClientError(f"WhatsApp did not confirm the logout: {error}") from error
        await asyncio.to_thread(note_unlinked, self._device)

    async def is_live(self) -> bool:
        """See the port."""
        try:
            return await self._library.is_live()
        except ClientGoneError:
            return False

    async def probe(self, *, within: float) -> None:
        """See the port."""
        await self._probing.probe(within)

    async def events(self) -> Sequence[Event]:
        """See the port."""
        while not self._events and not self._stopped:
            self._arrived.clear()
            await self._arrived.wait()
        if not self._stopped:
            await self._name_both_ways()
        taken, self._events = self._events, []
        self._given += self._keys
        self._keys.clear()
        room = sum(not isinstance(event, Stalled | Repeated) for event in taken)
        if room:
            self._room.release(room)
        return taken

    def confirm(self, but: Collection[Repeated] = ()) -> None:
        """See the port."""
        given, self._given = self._given, []
        lost = {message_key(message.id) for message in but}
        self._acknowledgements.settle([key for key in given if key not in lost])

    async def _name_both_ways(self) -> None:
        """In place, before anything is taken: cancelled, it loses nothing."""
        for position, event in enumerate(self._events):
            self._events[position] = await named_both_ways(event, self._addressing.other_name)

    async def send(self, to: Jid, content: Content, *, within: float) -> Sent:
        """See the port."""
        try:
            return await self._sends.run(self._hand_over(to, content), within=within, name="send")
        except TurnMissedError:
            raise RefusedError(
                Refusal.BUSY, "earlier sends of this session are still waiting for WhatsApp"
            ) from None
        except UnansweredError as unanswered:
            # The library sends nothing else before this answer has come, or 75 seconds have passed.
            self._append(Stalled())
            raise OutcomeUnknownError(
                f"WhatsApp did not answer within {within:g} s", late=unanswered.late
            ) from None

    async def _hand_over(self, to: Jid, content: Content) -> Sent:
        try:
            message = await self._encode(to, content)
            response = await self._library.send_message(encode_jid(to), message)
        except ClientGoneError:
            raise _gone() from None
        except (SendMessageError, BuildPollVoteError) as error:
            text = str(error)
            refusal = refusal_of(text)
            if refusal is None:
                raise OutcomeUnknownError(text) from error
            raise RefusedError(refusal, text) from error
        self.signs.acknowledge()
        sender = decode_jid(response.Sender)
        if to.is_group and sender is not None:
            self._addressing.learn(to, sender)
        return Sent(id=response.ID, timestamp=response.Timestamp * 1000, content=message.SerializeToString())

    async def _encode(self, to: Jid, content: Content) -> Message:
        if not isinstance(content, Vote) and not names_others(content):
            return encode_content(content, to)
        chat = await self._addressing.chat(to)
        if isinstance(content, Vote):
            # The library itself encrypts votes: it keeps the secrets of the polls that it has seen.
            poll = encode_poll_info(await self._addressing.target(chat, content.poll), chat)
            return await self._library.build_poll_vote(poll, list(content.options))
        return encode_content(await self._addressing.content(chat, content), chat)

    async def join_group(self, code: str, *, within: float) -> Jid:
        """See the port."""
        try:
            joined = await self._act(self._join(code), within=within, name="join")
        except (InviteLinkError, GetGroupInfoError) as error:
            text = str(error)
            if refuses_invite(text):
                raise InviteRefusedError(text) from error
            raise _action_error(text) from error
        group = decode_jid(joined)
        if group is None:
            raise RefusedError(Refusal.OTHER, "WhatsApp did not say which group was joined")
        return group

    async def _join(self, code: str) -> JID:
        try:
            return await self._library.join_group_with_link(code)
        except InviteLinkError as error:
            if not says_already_done(str(error)):
                raise
        # The account is a member; WhatsApp says so, but not of which group.
        return (await self._library.get_group_info_from_link(code)).JID

    async def change_chat(
        self,
        chat: Jid,  # noqa: ARG002 - the port's
        change: ChatChange,  # noqa: ARG002 - the port's
        last: LastMessage | None,  # noqa: ARG002 - the port's
        *,
        within: float,  # noqa: ARG002 - the port's
    ) -> None:
        """See the port. Refused without asking WhatsApp."""
        # The library's only call for it loses the name of what shall change, so WhatsApp could only
        # refuse it (docs/decisions/0130).
        raise RefusedError(Refusal.UNSUPPORTED, "the client library cannot tell WhatsApp of changes to chats")

    async def show_chat_state(self, chat: Jid, state: ChatState) -> None:
        """See the port."""
        await self._signal(self._show(chat, state), "chat state")

    async def _show(self, chat: Jid, state: ChatState) -> None:
        to = encode_jid(await self._addressing.chat(chat))
        await self._library.send_chat_presence(to, *_CHAT_STATES[state])

    async def mark_read(self, chat: Jid, sender: Jid, ids: Sequence[str], timestamp: int) -> None:
        """See the port."""
        await self._signal(self._mark_read(chat, sender, ids, timestamp), "read receipt")

    async def _mark_read(self, chat: Jid, sender: Jid, ids: Sequence[str], timestamp: int) -> None:
        chat = await self._addressing.chat(chat)
        sender = await self._addressing.person(chat, sender)
        await self._library.mark_read(
            *ids,
            chat=encode_jid(chat),
            sender=encode_jid(sender),
            receipt=ReceiptType.READ,
            timestamp=timestamp // 1000,
        )

    async def _signal(self, call: Coroutine[Any, Any, None], name: str) -> None:
        """Runs a call that WhatsApp does not answer: what is not handed over is as good as refused."""
        try:
            await self._act(call, within=SIGNAL_SECONDS, name=name)
        except (SendPresenceError, MarkReadError) as error:
            text = str(error)
            raise RefusedError(action_refusal_of(text) or Refusal.NOT_CONNECTED, text) from error
        except OutcomeUnknownError as error:
            raise RefusedError(Refusal.BUSY, f"the connection does not take a {name}") from error

    async def _act(self, call: Coroutine[Any, Any, Result], *, within: float, name: str) -> Result:
        """Runs a call that is no send: it never waits for sends, nor sends for it."""
        try:
            return await self._actions.run(call, within=within, name=name)
        except ClientGoneError:
            raise _gone() from None
        except TurnMissedError:
            raise RefusedError(
                Refusal.BUSY, "earlier calls of this session are still waiting for WhatsApp"
            ) from None
        except UnansweredError:
            raise OutcomeUnknownError(f"WhatsApp did not answer within {within:g} s") from None

    async def _other_name(self, person: Jid) -> Jid | None:
        """A person's other name, as the device has learned it."""
        ask = self._library.get_pn_from_lid if person.is_lid else self._library.get_lid_from_pn
        try:
            return decode_jid(await ask(encode_jid(person)))
        except ClientGoneError:
            return None
        except GetJIDFromStoreError:
            log.debug("a person's other name could not be looked up", exc_info=True)
            return None

    def _take(self, event: object) -> None:
        """Runs in the session's own thread."""
        key = key_of(event)
        with self._acknowledgements.taking(key):
            if isinstance(event, LoggedOut):
                note_unlinked(self._device)
            told = decode_event(event)
            if not told and key is not None:
                self._acknowledgements.settle([key])
            for position, decoded in enumerate(told, start=1):
                self._room.acquire()
                last = key if position == len(told) else None
                self._loop.call_soon_threadsafe(self._append, decoded, last)

    def _tell_repeated(self, message_id: str, source: str) -> None:
        """Runs in a thread of the library."""
        sender, _, chat = source.partition(" in ")
        repeated = Repeated(message_id, sender, chat or sender)
        self._loop.call_soon_threadsafe(self._append, repeated, message_key(message_id))

    def _append(self, event: Event, key: Key | None = None) -> None:
        if isinstance(event, Received) and event.chat.is_group:
            self._addressing.learn(event.chat, event.sender)
        if isinstance(event, Incoming):
            self.signs.receive()
        elif isinstance(event, Connected):
            self.signs.prove()
        self._events.append(event)
        if key is not None:
            self._keys.append(key)
        self._arrived.set()


def _gone() -> RefusedError:
    return RefusedError(Refusal.NOT_CONNECTED, "the session was stopped")


def _action_error(text: str) -> ClientError:
    refusal = action_refusal_of(text)
    return OutcomeUnknownError(text) if refusal is None else RefusedError(refusal, text)


class NeonizeClients:
    """Makes clients that share the process's gate."""

    def __init__(self, wire: Wire, device_name: str) -> None:
        """Clients reach WhatsApp, or what stands in for it, by `wire`."""
        self._gate = LibraryGate()
        self._wire = wire
        self._reach = Reach(wire)
        self._device_name = device_name

    def open(self, session_id: str, device: Path) -> NeonizeClient:
        """See `server.whatsapp.port.ClientFactory`."""
        return NeonizeClient(self._gate, self._wire, session_id, device, self._device_name)

    async def ask_again(self, device: Path, lost: Sequence[Repeated]) -> None:
        """See `server.whatsapp.port.ClientFactory`."""
        await forget_senders(device, lost)

    async def reachable(self) -> bool:
        """See `server.whatsapp.port.ClientFactory`."""
        return await self._reach.reachable()

    def close(self) -> None:
        """Takes no more calls. Every client must be stopped before."""
        self._gate.close()
