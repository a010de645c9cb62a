"""Who is on the network: accounts with their phones, and groups."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from server.whatsapp.content import Content
from server.whatsapp.incoming import Received
from server.whatsapp.jid import LID, PHONE, Jid
from server.whatsapp.port import ChatState, Ending, Identity, Incoming
from server.whatsapp.refusals import Refusal


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


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as a phone got it.

    Attributes:
        id: WhatsApp's id.
        sender: who sent it, by phone number.
        author: who sent it, as WhatsApp addresses them in that chat.
        text: what the phone shows of it; "" for what is no message of its own.
        chat: where it came in: its sender by LID, or a group.
        content: what was sent, people in it as WhatsApp addresses them.
        message: the `waE2E.Message` that arrived, serialised.
    """

    id: str
    sender: Jid
    author: Jid
    text: str
    chat: Jid
    content: Content
    message: bytes


@dataclass
class ChatSettings:
    """What the phone and every other device of an account know of a chat.

    Attributes:
        muted_until: epoch milliseconds; 0 where it is not muted.
    """

    archived: bool = False
    pinned: bool = False
    muted_until: int = 0


@dataclass
class Account:
    """A number on the network, with its phone.

    Attributes:
        linked: numbers of its linked devices.
        heard: what others wrote to it, in order.
        login: what its next logins come to, None for a good one.
        wants_passkey: whether it cannot be linked without a passkey.
        answers: whether its calls other than sends are answered.
        chats: its chats' settings, by the JID that WhatsApp addresses them by.
        chat_states: what others have shown it, in order: in which chat, and what.
        read: what others have read of it, in order: who, and the message's id.
        polls: the ids of the polls whose secrets its devices have.
        damaged: how many of the next messages to it cannot be decrypted before they are sent once more.
        unconfirmed: what its device was given and did not confirm.
        repeated: messages of those that its device could not decrypt once more, by id.
        asked: ids of lost messages that their senders are asked for.
        withheld: how many of the next messages to it its devices are told of and never given.
    """

    number: str
    name: str
    linked: set[int] = field(default_factory=set)
    heard: list[Heard] = field(default_factory=list)
    login: Ending | None = None
    wants_passkey: bool = False
    answers: bool = True
    chats: dict[Jid, ChatSettings] = field(default_factory=dict)
    chat_states: list[tuple[Jid, ChatState]] = field(default_factory=list)
    read: list[tuple[Jid, str]] = field(default_factory=list)
    polls: set[str] = field(default_factory=set)
    unconfirmed: list[Incoming] = field(default_factory=list)
    repeated: dict[str, Received] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    damaged: int = 0
    withheld: int = 0
    scripts: "deque[HeldSend | Refusal]" = field(default_factory=deque)
    waiting: list[Incoming] = field(default_factory=list)

    @property
    def jid(self) -> Jid:
        """The account by phone number."""
        return Jid(self.number, PHONE)

    @property
    def lid(self) -> Jid:
        """The account by LID."""
        return Jid(f"1{self.number}", LID)

    @property
    def identity(self) -> Identity:
        """Both."""
        return Identity(self.jid, self.lid)


@dataclass
class Group:
    """A group.

    Attributes:
        invite: the code with which one joins it; None once it was reset.
        members: the numbers of the accounts in it.
        by_lid: whether its members are addressed by LID; old groups go by phone number.
    """

    jid: Jid
    invite: str | None
    members: set[str]
    by_lid: bool = True
    subject: str = "Team"
