"""The network: accounts, their phones and who is online."""

import asyncio
import itertools
import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from server.clock import now_ms
from server.whatsapp.jid import LID, PHONE, Jid
from server.whatsapp.port import Connected, Ending, Event, Paired, PairingFailed, Received, Sent
from server.whatsapp.refusals import Refusal

DEVICE_FILE: Final = "device.json"
"""The file in a device folder that stands for the device's keys."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as the recipient's phone shows it."""

    id: str
    sender: Jid
    text: str


@dataclass
class Account:
    """A number on the network, with its phone.

    Attributes:
        linked: numbers of its linked devices.
        heard: what others wrote to it, in order.
        login: what its next logins come to, None for a good one.
    """

    number: str
    name: str
    linked: set[int] = field(default_factory=set)
    heard: list[Heard] = field(default_factory=list)
    login: Ending | None = None
    scripts: "deque[HeldSend | Refusal]" = field(default_factory=deque)
    waiting: list[Received] = field(default_factory=list)

    @property
    def jid(self) -> Jid:
        """The account by phone number."""
        return Jid(self.number, PHONE)

    @property
    def lid(self) -> Jid:
        """The account by LID."""
        return Jid(f"1{self.number}", LID)


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

    def rotate(self, milliseconds: int = ...) -> str:
        """Shows the next code, valid for so long; the one before is good no more."""
        ...

    def end(self, event: Paired | PairingFailed) -> None:
        """The attempt is over."""
        ...


class HeldSend:
    """A send whose answer the test gives, or never gives."""

    def __init__(self) -> None:
        """Nothing is decided."""
        self.reached = asyncio.Event()
        """Set once the message has reached the network."""
        self._decision: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()

    def accept(self) -> None:
        """The network takes the message and acknowledges it."""
        self._decision.set_result(None)

    def refuse(self, refusal: Refusal) -> None:
        """The network refuses the message."""
        self._decision.set_result(refusal)

    async def decided(self) -> Refusal | None:
        """Waits for the decision."""
        return await asyncio.shield(self._decision)


class MemoryNetwork:
    """A WhatsApp of its own."""

    def __init__(self) -> None:
        """Nobody is on it."""
        self.up = True
        """Whether it can be reached."""
        self.probes = 0
        """How often somebody asked whether it can be reached."""
        self.failing_connects = 0
        """How many of the next connects fail."""
        self.silent_logins = 0
        """How many of the next logins are never answered."""
        self.stops_may_end = asyncio.Event()
        """Cleared, it holds every stop that begins until it is set again."""
        self.stops_may_end.set()
        self.stops = 0
        """How many stops have begun."""
        self.attempts: list[Attempt] = []
        """Every pairing attempt so far."""
        self.clients: list[Line] = []
        """Every client so far."""
        self._accounts: dict[str, Account] = {}
        self._by_lid: dict[str, Account] = {}
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
                account = self.account(number)
                self.link(number, attempt.device)
                attempt.end(Paired(account.jid))
                return account.jid
        raise ValueError("nobody shows that code")

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
        for client in self._clients_of(account):
            client.end(Ending.LOGGED_OUT)

    def end(self, number: str, ending: Ending) -> None:
        """WhatsApp ends the account's sessions, and refuses further logins for the same reason."""
        account = self.account(number)
        account.login = ending
        for client in self._clients_of(account):
            client.end(ending)

    def drop(self, number: str) -> None:
        """The account's connections break. They come back with `restore`, or with a new client."""
        for client in self._clients_of(self.account(number)):
            client.lose()

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
        return self.carry(self.account(sender), self.account(recipient), text, origin=None).id

    def find(self, jid: Jid) -> Account | None:
        """The account that a JID names."""
        return self._accounts.get(jid.user) if jid.server == PHONE else self._by_lid.get(jid.user)

    def carry(self, sender: Account, recipient: Account, text: str, *, origin: Line | None) -> Sent:
        """Delivers a text to every device of both accounts but the one that it came from."""
        sent = Sent(
            id=f"3EB0{next(self._message_ids):016X}",
            timestamp=now_ms() // 1000 * 1000,
            content=_conversation(text),
        )
        recipient.heard.append(Heard(sent.id, sender.jid, text))
        for account in {sender.number: sender, recipient.number: recipient}.values():
            from_me = account is sender
            chat = recipient if from_me else sender
            received = Received(
                id=sent.id,
                chat=chat.lid,
                chat_alternative=chat.jid,
                sender=sender.lid,
                sender_alternative=sender.jid,
                from_me=from_me,
                sender_name=sender.name,
                type="text",
                body=text,
                timestamp=sent.timestamp,
                content=sent.content,
            )
            online = [client for client in self._clients_of(account) if client is not origin]
            for client in online:
                client.tell(received)
            # With one device per account, as in these tests, one queue per account is enough.
            if account.linked and not self._clients_of(account):
                account.waiting.append(received)
        return sent

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
        waiting, account.waiting = account.waiting, []
        for received in waiting:
            client.tell(received)

    def go_offline(self, client: Line) -> None:
        """Forgets a client's connection."""
        self._online = {key: online for key, online in self._online.items() if online is not client}

    def _clients_of(self, account: Account) -> list[Line]:
        return [client for (number, _), client in self._online.items() if number == account.number]


def _conversation(text: str) -> bytes:
    """A `waE2E.Message` whose field 1, `conversation`, is `text`."""
    data = text.encode()
    size, prefix = len(data), bytearray(b"\x0a")
    while size > 0x7F:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + data
