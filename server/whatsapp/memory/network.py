"""The network: accounts, their phones and who is online."""

import asyncio
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

from neonize.proto.Neonize_pb2 import HistorySync as HistoryEvent
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, PollEncValue, PollUpdateMessage
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import HistorySync

from server.clock import now_ms
from server.whatsapp.acts import act_of
from server.whatsapp.content import Content, Revoke, Text, Vote
from server.whatsapp.encoding import encode_content, encode_key
from server.whatsapp.history import HistoryReceived
from server.whatsapp.incoming import Receipt, ReceiptKind
from server.whatsapp.jid import PHONE, Jid
from server.whatsapp.memory.accounts import Account, Group, Heard, HeldSend
from server.whatsapp.memory.letters import as_decrypted, author_of, envelope_of, once_more, received_by
from server.whatsapp.pairing_port import Paired, PairingFailed, PairingFailure
from server.whatsapp.port import Connected, Ending, Event, Incoming, KeepAliveMissed, Sent
from server.whatsapp.refusals import Refusal
from server.whatsapp.sealing import seal_vote
from server.whatsapp.stored import describe, is_message, secret_of

DEVICE_FILE: Final = "device.json"
"""The file in a device folder that stands for the device's keys."""
_NO_SECRET: Final = bytes(32)
"""What votes are sealed with in polls that nobody has sent here: nobody can read them."""


class Line(Protocol):
    """What the network knows of a client."""

    number: str
    is_away: bool
    is_stopped: bool

    def tell(self, event: Event) -> None:
        """An event happened."""
        ...

    def end(self, ending: Ending) -> None:
        """WhatsApp ends the session."""
        ...

    def lose(self) -> None:
        """The connection breaks."""
        ...

    def come_back(self) -> None:
        """The connection is back."""
        ...


class Attempt(Protocol):
    """What the network knows of a pairing attempt."""

    device: Path

    @property
    def is_held(self) -> bool:
        """Whether nobody has stopped it so far."""
        ...

    def shows(self, code: str) -> bool:
        """Whether `code` can be scanned now."""
        ...

    def gave(self, code: str, number: str) -> bool:
        """Whether `code` can be typed on the phone of `number` now."""
        ...

    def rotate(self, milliseconds: int = ...) -> str:
        """Shows the next code, valid for so long; the one before is good no more."""
        ...

    def end(self, event: Paired | PairingFailed) -> None:
        """The attempt is over."""
        ...


class MemoryNetwork:
    """A WhatsApp of its own."""

    def __init__(self) -> None:
        """Nobody is on it."""
        self.up = True
        """Whether it can be reached."""
        self.probes = 0
        """How often somebody asked whether it can be reached."""
        self.asked: list[str] = []
        """Whose connections were probed, in order: numbers."""
        self.failing_connects = 0
        """How many of the next connects fail."""
        self.silent_logins = 0
        """How many of the next logins are never answered."""
        self.stops_may_end = asyncio.Event()
        """Cleared, it holds every stop that begins until it is set again."""
        self.stops_may_end.set()
        self.stops = 0
        """How many stops have begun."""
        self.takes_chat_changes = False
        """Whether clients can tell it of changes to chats; real ones cannot."""
        self.tells_delivery = False
        """Whether phones without a linked device tell that a message was delivered; real ones do."""
        self.codeless: set[str] = set()
        """Numbers for which WhatsApp gives no pairing code."""
        self.attempts: list[Attempt] = []
        """Every pairing attempt so far."""
        self.clients: list[Line] = []
        """Every client so far."""
        self._accounts: dict[str, Account] = {}
        self._by_lid: dict[str, Account] = {}
        self._groups: dict[Jid, Group] = {}
        self._secrets: dict[str, bytes] = {}
        self._online: dict[tuple[str, int], Line] = {}
        self._message_ids = itertools.count(1)
        self._device_ids = itertools.count(1)

    def account(self, number: str, name: str = "") -> Account:
        """The account of a phone number, made at its first mention."""
        if number not in self._accounts:
            account = self._accounts[number] = Account(number, name)
            self._by_lid[account.lid.user] = account
        return self._accounts[number]

    def scan(self, code: str, number: str) -> Jid:
        """The phone of `number` scans a code.

        Raises:
            ValueError: no attempt shows that code now.
        """
        for attempt in self.attempts:
            if attempt.shows(code):
                return self._pair(attempt, number)
        raise ValueError("nobody shows that code")

    def enter(self, code: str, number: str) -> Jid:
        """The phone of `number` has a pairing code typed in.

        Raises:
            ValueError: no attempt gave that code for that number, or it is good no more.
        """
        for attempt in self.attempts:
            if attempt.gave(code, number):
                return self._pair(attempt, number)
        raise ValueError("nobody was given that code for that number")

    def _pair(self, attempt: Attempt, number: str) -> Jid:
        account = self.account(number)
        if account.wants_passkey:
            attempt.end(PairingFailed(PairingFailure.PASSKEY))
        else:
            self.link(number, attempt.device)
            attempt.end(Paired(account.jid))
        return account.jid

    def link(self, number: str, device: Path) -> None:
        """Links a device to an account without pairing: its keys go into the folder `device`."""
        account = self.account(number)
        device_id = next(self._device_ids)
        account.linked.add(device_id)
        device.mkdir(parents=True, exist_ok=True)
        (device / DEVICE_FILE).write_text(json.dumps({"number": number, "device": device_id}))

    def unlink(self, number: str) -> None:
        """The phone unlinks every device of its account."""
        account = self.account(number)
        account.linked.clear()
        for client in self.clients_of(account):
            client.end(Ending.LOGGED_OUT)

    def end(self, number: str, ending: Ending) -> None:
        """WhatsApp ends the account's sessions, and refuses further logins for the same reason."""
        account = self.account(number)
        account.login = ending
        for client in self.clients_of(account):
            client.end(ending)

    def drop(self, number: str) -> None:
        """The account's connections break. They come back with `restore`, or with a new client."""
        for client in self.clients_of(self.account(number)):
            client.lose()

    def miss_keep_alive(self, number: str) -> None:
        """The account's clients find a keep-alive without an answer."""
        for client in self.clients_of(self.account(number)):
            client.tell(KeepAliveMissed(now_ms() - 40_000))

    def restore(self, number: str) -> None:
        """The clients whose connection broke get it back."""
        for client in self.clients:
            if client.is_away and client.number == number:
                client.come_back()

    def refuse_next(self, number: str, refusal: Refusal) -> None:
        """The account's next send is refused."""
        self.account(number).scripts.append(refusal)

    def hold_next(self, number: str) -> HeldSend:
        """The account's next send is answered as the result says, when it says so."""
        held = HeldSend()
        self.account(number).scripts.append(held)
        return held

    def write(self, sender: str, recipient: str, text: str) -> str:
        """The phone of `sender` writes to `recipient`; returns the message's id."""
        return self.say(sender, self.account(recipient).jid, Text(text))

    def say(self, sender: str, to: Jid, content: Content) -> str:
        """The phone of `sender` sends anything to anybody; returns the message's id.

        Raises:
            ValueError: nobody is called `to`.
        """
        recipient = self.find(to)
        if recipient is None:
            raise ValueError(f"nobody is called {to}")
        account = self.account(sender)
        message = self.encoded(account, recipient, content)
        return self.carry(account, recipient, content, message, origin=None).id

    def give_history(self, number: str, history: HistorySync) -> None:
        """The phone of `number` gives a chunk of history to its devices."""
        content = HistoryEvent(Data=history).SerializeToString()
        received = HistoryReceived(f"history-{next(self._message_ids)}", content)
        self.deliver(self.account(number), received, None)

    def heard_as(self, message_id: str) -> list[Heard]:
        """A message as each of its readers heard it."""
        return [heard for one in self._accounts.values() for heard in one.heard if heard.id == message_id]

    def group(self, jid: Jid, invite: str, members: Iterable[str], *, by_lid: bool = True) -> Group:
        """Makes a group."""
        group = self._groups[jid] = Group(jid, invite, set(members), by_lid)
        for number in group.members:
            self.account(number)
        return group

    def invited_to(self, invite: str) -> Group | None:
        """The group of an invite."""
        return next((group for group in self._groups.values() if group.invite == invite), None)

    def find(self, jid: Jid) -> Account | Group | None:
        """The account or group that a JID names."""
        if jid.is_group:
            return self._groups.get(jid)
        return self._accounts.get(jid.user) if jid.server == PHONE else self._by_lid.get(jid.user)

    def others(self, account: Account, chat: Account | Group) -> list[Account]:
        """Who else is in a chat with `account`; in the chat with itself, itself."""
        if isinstance(chat, Account):
            return [chat]
        return [self.account(number) for number in sorted(chat.members) if number != account.number]

    def new_id(self, prefix: str) -> str:
        """An id that nothing else has."""
        return f"{prefix}{next(self._message_ids):016X}"

    def encoded(self, sender: Account, to: Account | Group, content: Content) -> Message:
        """What carries `content`, people in it as WhatsApp addresses them."""
        chat = to.jid if isinstance(to, Group) else to.lid
        if not isinstance(content, Vote):
            return encode_content(content, chat)
        poll = content.poll
        payload, iv = seal_vote(
            self._secrets.get(poll.id, _NO_SECRET),
            poll.id,
            content.options,
            author=str(poll.sender),
            voter=str(author_of(sender, to)),
        )
        return Message(
            pollUpdateMessage=PollUpdateMessage(
                pollCreationMessageKey=encode_key(poll, chat),
                vote=PollEncValue(encPayload=payload, encIV=iv),
                senderTimestampMS=now_ms(),
            )
        )

    def carry(
        self,
        sender: Account,
        to: Account | Group,
        content: Content,
        message: Message,
        *,
        origin: Line | None,
    ) -> Sent:
        """Delivers a message to every device of everybody in the chat but the one that it came from."""
        sent = Sent(
            id=self.new_id("3EB0"),
            timestamp=now_ms() // 1000 * 1000,
            content=message.SerializeToString(),
        )
        described = describe(message)
        self._secrets[sent.id] = secret_of(sent.content)
        recipients = self.others(sender, to)
        for account in recipients:
            chat = to.jid if isinstance(to, Group) else sender.lid
            author = author_of(sender, to)
            heard = Heard(sent.id, sender.jid, author, described.text, chat, content, sent.content)
            account.heard.append(heard)
        for account in {account.number: account for account in (sender, *recipients)}.values():
            if described.options is not None and account.linked:
                account.polls.add(sent.id)
            incoming: Incoming | None
            if is_message(message):
                incoming = received_by(account, sender, to, sent, described)
            else:
                admin = isinstance(content, Revoke) and not content.target.from_me
                incoming = act_of(message, envelope_of(account, sender, to, sent, by_admin=admin))
            for arrived in as_decrypted(account, incoming):
                self.deliver(account, arrived, origin)
        if self.tells_delivery:
            for account in recipients:
                if account is not sender and not account.linked:
                    self.tell_receipt(account, sender, to, [sent.id], ReceiptKind.DELIVERED)
        return sent

    def tell_receipt(
        self, reader: Account, author: Account, chat: Account | Group, ids: Iterable[str], kind: ReceiptKind
    ) -> None:
        """Somebody's device tells the author of messages how far they have come."""
        participant = author_of(reader, chat)
        receipt = Receipt(
            ids=tuple(ids),
            kind=kind,
            chat=chat.jid if isinstance(chat, Group) else reader.lid,
            chat_alternative=None if isinstance(chat, Group) else reader.jid,
            participant=participant,
            participant_alternative=reader.jid if participant == reader.lid else reader.lid,
            timestamp=now_ms() // 1000 * 1000,
        )
        self.deliver(author, receipt)

    def deliver(self, account: Account, incoming: Incoming, origin: Line | None = None) -> None:
        """Tells every connected device but one of an account; it waits where none is connected."""
        for client in self.clients_of(account):
            if client is not origin:
                client.tell(incoming)
        # With one device per account, as in these tests, one queue per account is enough.
        if account.linked and not self.clients_of(account):
            account.waiting.append(incoming)

    def come_online(self, client: Line, account: Account, device_id: int) -> None:
        """Logs a client in, or ends it."""
        if self.silent_logins:
            self.silent_logins -= 1
            return
        ending = account.login if device_id in account.linked else Ending.LOGGED_OUT
        if ending is not None:
            client.end(ending)
            return
        older = self._online.get((account.number, device_id))
        if older is not None and older is not client:
            older.end(Ending.REPLACED)
        self._online[account.number, device_id] = client
        client.tell(Connected())
        unconfirmed, account.unconfirmed = account.unconfirmed, []
        for incoming in unconfirmed:
            for again in once_more(account, incoming):
                client.tell(again)
        waiting, account.waiting = account.waiting, []
        for incoming in waiting:
            client.tell(incoming)

    def go_offline(self, client: Line) -> None:
        """Forgets a client's connection."""
        self._online = {key: online for key, online in self._online.items() if online is not client}

    def clients_of(self, account: Account) -> list[Line]:
        """The connected devices of an account."""
        return [client for (number, _), client in self._online.items() if number == account.number]
