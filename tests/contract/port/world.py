"""What the suite needs of a network beside the port: somebody who plays phones and other people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, PollVoteMessage
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import HistorySync

from server.whatsapp.jid import Jid
from server.whatsapp.pairing_port import Pairing
from server.whatsapp.port import Client, ClientFactory, Sent

PAIRINGS = 2
"""Pairing attempts that a world runs at the same time."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as one of its readers decrypted it.

    Attributes:
        chat: where it came in, as WhatsApp addressed it.
        sender: who sent it, as WhatsApp addressed them.
        message: what was in it, without the wrapper of an edit.
    """

    id: str
    chat: Jid
    sender: Jid
    message: Message


@dataclass(frozen=True, slots=True)
class Invitation:
    """A group that one can join.

    Attributes:
        group: its JID.
        code: the invite's.
    """

    group: Jid
    code: str


def chosen(poll: Sent, author: Jid, vote: Letter) -> Sequence[bytes]:
    """See `World.choice`: WhatsApp's scheme, by its definition and not by who encrypted it."""
    secret = Message.FromString(poll.content).messageContextInfo.messageSecret
    encrypted = vote.message.pollUpdateMessage.vote
    info = f"{poll.id}{author}{vote.sender}Poll Vote".encode()
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
    known = f"{poll.id}\0{vote.sender}".encode()
    plain = AESGCM(key).decrypt(encrypted.encIV, encrypted.encPayload, known)
    return list(PollVoteMessage.FromString(plain).selectedOptions)


class World(Protocol):
    """A WhatsApp in which the implementation under test lives. Numbers are used by one test each."""

    @property
    def clients(self) -> ClientFactory:
        """The implementation's clients."""
        ...

    @property
    def pairing(self) -> Pairing:
        """The implementation's pairing."""
        ...

    async def scan(self, code: str, number: str) -> None:
        """The phone of `number` scans a code."""
        ...

    async def person(self, number: str) -> Jid:
        """Puts somebody on the network who reads and writes."""
        ...

    async def write(self, person: str, to: str, text: str) -> str:
        """A person writes to a number; returns the message's id once the network has it."""
        ...

    async def heard(self, person: str) -> list[tuple[str, str]]:
        """What a person has read so far: (id, text), in order."""
        ...

    def letters(self, client: Client) -> Sequence[Letter]:
        """What others have sent to a client's account since it connected, as its device decrypted it."""
        ...

    def choice(self, poll: Sent, author: Jid, vote: Letter) -> Sequence[bytes]:
        """What a vote chooses: the SHA-256 of each option, as whoever has the poll can decrypt it.

        Args:
            poll: the poll as its author sent it.
            author: who that was, as WhatsApp addresses them.
            vote: as it arrived.
        """
        ...

    async def group(self, *, by: str, by_lid: bool) -> Invitation:
        """Lets a person make a group, whose members are addressed by LID or by phone number."""
        ...

    async def answer_joining_with_conflict(self, number: str) -> None:
        """The account is told once that it cannot join where it is a member, as WhatsApp does at times."""
        ...

    async def rename(self, group: Jid, subject: str) -> None:
        """Whoever made a group gives it another name."""
        ...

    async def ring(self, caller: str, callee: str) -> str:
        """A person calls a number, with video; returns the call's id."""
        ...

    async def reset_invite(self, group: Jid) -> None:
        """Whoever made a group makes its invite worthless."""
        ...

    async def shown(self, person: str) -> list[tuple[Jid, str]]:
        """The chat states that a person has seen: who showed it, and which."""
        ...

    async def read(self, person: str) -> list[tuple[Jid, str]]:
        """What others have read of what a person wrote: who, and the message's id."""
        ...

    async def tell_read(self, person: str, author: str, ids: Sequence[str]) -> None:
        """A person tells that they have read what `author` wrote to them."""
        ...

    async def give_history(self, number: str, history: HistorySync) -> None:
        """The account's phone gives a chunk of history to its devices."""
        ...

    async def enter(self, code: str, number: str) -> None:
        """A pairing code is typed on the phone of `number`."""
        ...

    async def demand_passkey(self, number: str) -> None:
        """The account cannot be linked without a passkey from now on."""
        ...

    async def refuse_next_send(self, number: str) -> None:
        """The account's next send is refused: it may not reach out (463)."""
        ...

    async def silence(self, number: str) -> None:
        """The account's sends are not answered from now on."""
        ...

    async def refuse_connections(self) -> None:
        """New connections fail from now on."""
        ...

    async def damage_next(self, number: str) -> None:
        """The next message to the account cannot be decrypted as it comes in first."""
        ...

    async def withhold_next(self, number: str) -> None:
        """The account's devices are told of the next message to it, and do not get it."""
        ...

    async def heal(self) -> None:
        """Ends silence and refused connections."""
        ...

    async def cut(self, number: str) -> None:
        """The account's connections break; nothing keeps them from coming back."""
        ...

    async def unlink(self, number: str) -> None:
        """The account's phone unlinks its devices."""
        ...
