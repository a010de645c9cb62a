"""Clients of the network in memory."""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from server.whatsapp.addressing import Addressing
from server.whatsapp.content import Content, Vote
from server.whatsapp.happenings import Happening
from server.whatsapp.incoming import ReceiptKind, Received, Repeated
from server.whatsapp.jid import Jid
from server.whatsapp.memory.accounts import Account, ChatSettings, Group, HeldSend
from server.whatsapp.memory.happenings import tell_joined, tell_typing
from server.whatsapp.memory.network import DEVICE_FILE, MemoryNetwork
from server.whatsapp.port import (
    ChatChange,
    ChatState,
    ClientError,
    Connected,
    ConnectError,
    Disconnected,
    Ended,
    Ending,
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
from server.whatsapp.refusals import Refusal
from server.whatsapp.signs import Signs
from server.whatsapp.stored import UNDECRYPTABLE
from server.whatsapp.threads import uninterrupted
from server.whatsapp.turns import TurnMissedError, Turns, UnansweredError

SENDS_AT_A_TIME: Final = 4
"""Sends of one client that the network looks at; later ones wait for their turn."""


ACTIONS_AT_A_TIME: Final = 4
"""Other calls of one client that the network looks at."""


class MemoryClient:
    """One incarnation of one session's connection; see `server.whatsapp.port.Client`."""

    def __init__(self, network: MemoryNetwork, device: Path) -> None:
        """Prepares a client for the device in the folder `device`."""
        self.number = ""
        self.is_away = False
        self._network = network
        self._device = device
        self._device_id = 0
        self._live = False
        self._connected = False
        self.is_stopped = False
        self._events: list[Event] = []
        self.given: list[Incoming] = []
        """What it has given and nobody has confirmed."""
        self._arrived = asyncio.Event()
        self._lost: asyncio.Event = asyncio.Event()
        self.signs = Signs()
        self._sends = Turns(SENDS_AT_A_TIME)
        self._actions = Turns(ACTIONS_AT_A_TIME)
        self._addressing = Addressing(self._other_name)
        network.clients.append(self)

    async def connect(self) -> Identity:
        """See the port."""
        if self._connected or self.is_stopped:
            raise AssertionError("a client is connected once")
        self._connected = True
        linked = await asyncio.to_thread(_read_device, self._device)
        if linked is None:
            raise NotPairedError("the device folder holds no linked device")
        if not self._network.up or self._network.failing_connects:
            self._network.failing_connects = max(0, self._network.failing_connects - 1)
            raise ConnectError("the network is down")
        self.number, self._device_id = linked
        if not self.is_stopped:
            self._network.come_online(self, self._account, self._device_id)
        self._addressing.own = self._account.identity
        return self._account.identity

    async def stop(self) -> None:
        """See the port."""
        self._network.stops += not self.is_stopped
        await uninterrupted(self._network.stops_may_end.wait())
        self._go_offline()
        if not self.is_stopped and self.number:
            self._account.unconfirmed += self._unrepeated([*self.given, *_delivered(self._events)])
        self.is_away = False
        self.is_stopped = True
        self._arrived.set()

    def _unrepeated(self, incoming: Sequence[Incoming]) -> list[Incoming]:
        """Things as they were when they came for the first time."""
        again = self._account.repeated
        return [again.pop(one.id) if isinstance(one, Repeated) else one for one in incoming]

    async def logout(self) -> None:
        """See the port."""
        if not self._live or not self._network.up:
            raise ClientError("WhatsApp did not confirm the logout: not connected")
        self._go_offline()
        self._account.linked.discard(self._device_id)
        await asyncio.to_thread((self._device / DEVICE_FILE).unlink, missing_ok=True)

    async def is_live(self) -> bool:
        """See the port."""
        return self._live

    async def probe(self, *, within: float) -> None:
        """See the port."""
        self._network.asked.append(self.number)
        try:
            await self._act(within)
        except ClientError as error:
            raise ConnectError(f"WhatsApp did not answer: {error}") from error
        self.signs.keep_alive()

    async def events(self) -> Sequence[Event]:
        """See the port."""
        while not self._events and not self.is_stopped:
            self._arrived.clear()
            await self._arrived.wait()
        # Nothing comes together with a placeholder: what is sent in its place takes its time on the wire.
        placeholders = (at for at, event in enumerate(self._events, 1) if _is_placeholder(event))
        end = next(placeholders, len(self._events))
        taken, self._events = self._events[:end], self._events[end:]
        self.given += _delivered(taken)
        return taken

    def confirm(self, but: Collection[Repeated] = ()) -> None:
        """See the port."""
        self.given = [one for one in self.given if one in but]

    async def send(self, to: Jid, content: Content, *, within: float) -> Sent:
        """See the port."""
        try:
            return await self._sends.run(self._hand_over(to, content), within=within, name="send")
        except TurnMissedError:
            raise RefusedError(Refusal.BUSY, "earlier sends are still waiting") from None
        except UnansweredError as unanswered:
            self.tell(Stalled())
            raise OutcomeUnknownError(f"no answer within {within:g} s", late=unanswered.late) from None

    async def _hand_over(self, to: Jid, content: Content) -> Sent:
        self._check_live()
        addressed = await self._addressed(to, content)
        if isinstance(content, Vote) and content.poll.id not in self._account.polls:
            raise RefusedError(Refusal.KEY_MISSING, "the device does not have the poll's secret")
        recipient = self._chat(to)
        message = self._network.encoded(self._account, recipient, addressed)
        script = self._account.scripts.popleft() if self._account.scripts else None
        refusal = await self._decision(script) if isinstance(script, HeldSend) else script
        if refusal is not None:
            raise RefusedError(refusal, f"refused by the network: {refusal}")
        if isinstance(recipient, Group):
            account = self._account
            self._addressing.learn(to, account.lid if recipient.by_lid else account.jid)
        self.signs.acknowledge()
        return self._network.carry(self._account, recipient, addressed, message, origin=self)

    async def _addressed(self, to: Jid, content: Content) -> Content:
        chat = await self._addressing.chat(to)
        if isinstance(content, Vote):
            return replace(content, poll=await self._addressing.target(chat, content.poll))
        return await self._addressing.content(chat, content)

    def _chat(self, to: Jid) -> Account | Group:
        found = self._network.find(to)
        if found is None or (isinstance(found, Group) and self.number not in found.members):
            missing = Refusal.GROUP_NOT_FOUND if to.is_group else Refusal.NOT_ON_WHATSAPP
            raise RefusedError(missing, f"nobody is called {to}")
        return found

    async def join_group(self, code: str, *, within: float) -> Jid:
        """See the port."""
        await self._act(within)
        group = self._network.invited_to(code)
        if group is None:
            raise InviteRefusedError("no group has that invite")
        if self.number not in group.members:
            group.members.add(self.number)
            tell_joined(self._network, self._account, group)
        return group.jid

    async def change_chat(
        self,
        chat: Jid,
        change: ChatChange,
        last: LastMessage | None,  # noqa: ARG002 - the port's; phones here know their messages
        *,
        within: float,
    ) -> None:
        """See the port."""
        if not self._network.takes_chat_changes:
            raise RefusedError(Refusal.UNSUPPORTED, "changes to chats are not supported")
        await self._act(within)
        settings = self._account.chats.setdefault(await self._addressing.chat(chat), ChatSettings())
        if change.archived is not None:
            settings.archived = change.archived
            settings.pinned = settings.pinned and not change.archived
        if change.pinned is not None:
            settings.pinned = change.pinned
        if change.muted_until is not None:
            settings.muted_until = change.muted_until

    async def show_chat_state(self, chat: Jid, state: ChatState) -> None:
        """See the port."""
        self._check_live()
        shown_in = self._chat(chat)
        for account in self._network.others(self._account, shown_in):
            there = shown_in.jid if isinstance(shown_in, Group) else self._account.lid
            account.chat_states.append((there, state))
        tell_typing(self._network, self._account, shown_in, state)

    async def mark_read(self, chat: Jid, sender: Jid, ids: Sequence[str], timestamp: int) -> None:  # noqa: ARG002 - the port's
        """See the port."""
        self._check_live()
        author = self._network.find(sender)
        if isinstance(author, Account):
            author.read.extend((self._account.lid, message_id) for message_id in ids)
            place = self._network.find(chat)
            where = place if isinstance(place, Group) else self._account
            self._network.tell_receipt(self._account, author, where, ids, ReceiptKind.READ)

    async def _act(self, within: float) -> None:
        """Waits for the network to take a call that is no send."""
        try:
            await self._actions.run(self._answered(), within=within, name="action")
        except TurnMissedError:
            raise RefusedError(Refusal.BUSY, "earlier calls are still waiting") from None
        except UnansweredError:
            raise OutcomeUnknownError(f"no answer within {within:g} s") from None

    async def _answered(self) -> None:
        self._check_live()
        if not self._account.answers:
            await self._lost.wait()
            raise OutcomeUnknownError("the connection broke before the answer came")

    def _check_live(self) -> None:
        if not self._live:
            raise RefusedError(Refusal.NOT_CONNECTED, "not connected")

    async def _other_name(self, person: Jid) -> Jid | None:
        found = self._network.find(person)
        if not isinstance(found, Account):
            return None
        return found.jid if person.is_lid else found.lid

    async def _decision(self, held: HeldSend) -> Refusal | None:
        held.reached.set()
        decided = asyncio.ensure_future(held.decided())
        lost = asyncio.ensure_future(self._lost.wait())
        await asyncio.wait({decided, lost}, return_when=asyncio.FIRST_COMPLETED)
        lost.cancel()
        if not decided.done():
            decided.cancel()
            raise OutcomeUnknownError("the connection broke before the answer came")
        return decided.result()

    @property
    def _account(self) -> Account:
        return self._network.account(self.number)

    def tell(self, event: Event) -> None:
        """An event happened."""
        self._live = self._live or isinstance(event, Connected)
        if isinstance(event, Received) and event.chat.is_group:
            self._addressing.learn(event.chat, event.sender)
        if isinstance(event, Incoming):
            self.signs.receive()
        elif isinstance(event, Connected):
            self.signs.prove()
        self._events.append(event)
        self._arrived.set()

    def end(self, ending: Ending) -> None:
        """WhatsApp ends the session."""
        self._go_offline()
        self.tell(Ended(ending))

    def lose(self) -> None:
        """The connection breaks."""
        self._go_offline()
        self.is_away = True
        self.tell(Disconnected())

    def come_back(self) -> None:
        """The connection is back."""
        self.is_away = False
        self._lost = asyncio.Event()
        self._network.come_online(self, self._account, self._device_id)

    def _go_offline(self) -> None:
        self._live = False
        self._lost.set()
        self._network.go_offline(self)


class MemoryClients:
    """Makes clients of one network; see `server.whatsapp.port.ClientFactory`."""

    def __init__(self, network: MemoryNetwork) -> None:
        """Makes clients of `network`."""
        self._network = network

    def open(self, session_id: str, device: Path) -> MemoryClient:  # noqa: ARG002 - the port's
        """See the port."""
        return MemoryClient(self._network, device)

    async def ask_again(self, device: Path, lost: Sequence[Repeated]) -> None:
        """See the port."""
        linked = await asyncio.to_thread(_read_device, device)
        if linked is not None:
            self._network.account(linked[0]).asked.update(message.id for message in lost)

    async def reachable(self) -> bool:
        """See the port."""
        self._network.probes += 1
        return self._network.up


def _delivered(events: Sequence[Event]) -> list[Incoming]:
    """What WhatsApp delivers until it is confirmed."""
    return [event for event in events if isinstance(event, Incoming) and not isinstance(event, Happening)]


def _is_placeholder(event: Event) -> bool:
    return isinstance(event, Received) and event.type == UNDECRYPTABLE


def _read_device(folder: Path) -> tuple[str, int] | None:
    try:
        linked = json.loads((folder / DEVICE_FILE).read_text())
    except FileNotFoundError:
        return None
    return linked["number"], linked["device"]
