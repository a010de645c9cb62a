"""The port to WhatsApp: what the domain knows of it.

One client is one incarnation of one session's connection: it is connected once, stopped once, and
then replaced by a new one. Implementations: `server.whatsapp.client` (neonize) and
`server.whatsapp.memory` (for fast tests); one contract suite runs against both.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from server.whatsapp.content import Content
from server.whatsapp.happenings import Happening
from server.whatsapp.history import HistoryReceived
from server.whatsapp.incoming import Edited, Reacted, Receipt, Received, Repeated, Revoked, Sealed
from server.whatsapp.jid import Jid
from server.whatsapp.refusals import Refusal
from server.whatsapp.signs import Signs


class ClientError(Exception):
    """WhatsApp or the library said no."""


class ConnectError(ClientError):
    """The connection could not be made. Trying again later may help."""


class NotPairedError(ClientError):
    """The device folder holds no linked device: a person must pair it."""


class RefusedError(ClientError):
    """It was not done: the message was not sent, the action not taken.

    Attributes:
        refusal: why, from the closed list.
    """

    def __init__(self, refusal: Refusal, text: str) -> None:
        super().__init__(text)
        self.refusal = refusal


class InviteRefusedError(ClientError):
    """WhatsApp does not take an invite: it is wrong, was reset, or has expired."""


class NotForwardableError(ClientError):
    """No faithful copy can be made of a message: nothing was sent. A text that refers to it can be."""


class OutcomeUnknownError(ClientError):
    """The message may have been sent: no answer came, or the connection broke between.

    Attributes:
        late: ends with the answer, should it still come, or None where none can.
    """

    def __init__(self, text: str, late: "asyncio.Future[Sent] | None" = None) -> None:
        super().__init__(text)
        self.late = late


class Ending(StrEnum):
    """Why WhatsApp ended a session for good: reconnecting would not help."""

    LOGGED_OUT = "logged_out"
    """The account unlinked the device. A person pairs it again."""
    REPLACED = "replaced"
    """Somebody else connected with the same device's keys. An operator finds out who."""
    BANNED = "banned"
    """WhatsApp banned the account for a while. Its owner waits, or appeals."""
    OUTDATED = "outdated"
    """WhatsApp no longer takes this version of the client. An operator updates the gateway."""
    REFUSED = "refused"
    """WhatsApp refused the login for another reason. An operator looks at the log."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which account a device belongs to.

    Attributes:
        jid: by phone number.
        lid: by LID, None while the device has not learned it.
    """

    jid: Jid
    lid: Jid | None


@dataclass(frozen=True, slots=True)
class Connected:
    """The session is logged in: messages flow."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone; the client tries to get it back by itself for a while."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """WhatsApp left a send without an answer: this client sends nothing more until it is replaced."""


@dataclass(frozen=True, slots=True)
class KeepAliveMissed:
    """WhatsApp left a keep-alive of the library without an answer: the connection may be dead.

    Attributes:
        answered_at: when it last answered one, or when the connection was made, epoch milliseconds.
    """

    answered_at: int


@dataclass(frozen=True, slots=True)
class Ended:
    """WhatsApp ended the session."""

    ending: Ending


Live = Received | Edited | Revoked | Reacted | Sealed | Receipt | Happening
"""What happens now."""

Incoming = Live | HistoryReceived | Repeated
"""What is to be stored, or told. All but happenings WhatsApp delivers until it is confirmed."""

Event = Connected | Disconnected | Stalled | KeepAliveMissed | Ended | Incoming


class ChatState(StrEnum):
    """What the other side of a chat sees of this one."""

    COMPOSING = "composing"
    RECORDING = "recording"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class ChatChange:
    """What shall change about a chat on every device of the account; None leaves a part as it is.

    Attributes:
        muted_until: epoch milliseconds; 0 ends a mute.
    """

    archived: bool | None = None
    pinned: bool | None = None
    muted_until: int | None = None


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest stored message of a chat: WhatsApp wants it named when a chat is archived.

    Attributes:
        timestamp: WhatsApp's time, epoch milliseconds.
    """

    id: str
    sender: Jid
    from_me: bool
    timestamp: int


@dataclass(frozen=True, slots=True)
class Sent:
    """WhatsApp took a message.

    Attributes:
        id: the id under which every recipient knows it.
        timestamp: WhatsApp's time, epoch milliseconds.
        content: the `waE2E.Message` that was sent, serialised.
    """

    id: str
    timestamp: int
    content: bytes


class Client(Protocol):
    """One incarnation of one session's connection."""

    @property
    def signs(self) -> Signs:
        """When it was last seen to work."""
        ...

    async def connect(self) -> Identity:
        """Connects; `Connected` or `Ended` then tells what the login came to.

        Called once. The client stays usable until `stop`, also while it is disconnected.

        Returns:
            The account, as the device's own store knows it.

        Raises:
            ConnectError: no connection; the client must be stopped.
            NotPairedError: there is nothing to connect; the client must be stopped.
        """
        ...

    async def stop(self) -> None:
        """Disconnects and frees everything. Idempotent. The device stays linked.

        `events` gives what had arrived before, and then ends. Nothing is confirmed any more.
        """
        ...

    async def logout(self) -> None:
        """Unlinks the device from the account. The client must be stopped afterwards.

        Raises:
            ClientError: WhatsApp did not confirm it; the device may still be linked.
        """
        ...

    async def is_live(self) -> bool:
        """Asks the library whether the connection stands and is logged in, now."""
        ...

    async def probe(self, *, within: float) -> None:
        """Asks WhatsApp for something small and waits for the answer, whatever it says.

        Args:
            within: seconds to wait.

        Raises:
            ConnectError: no answer came: the connection is gone, or dead.
        """
        ...

    async def events(self) -> Sequence[Event]:
        """Waits for events and takes all that are there, in the order in which they happened.

        One caller at a time. Cancelling the call loses no event.

        Returns:
            At least one event; none once the client is stopped and all that had arrived is taken.
        """
        ...

    def confirm(self, but: Collection[Repeated] = ()) -> None:
        """Tells WhatsApp that everything is received which `events` has given so far: it is stored.

        What is not confirmed is delivered again to this client's next connection, or to the next client.

        Args:
            but: messages that are not stored; this client confirms them no more.
        """
        ...

    async def send(self, to: Jid, content: Content, *, within: float) -> Sent:
        """Sends and waits for WhatsApp's acknowledgement.

        What acts on another message (an edit, a revoke, a reaction, a vote) is a message of its own
        and is sent like any other.

        Sends of one client may overlap; a few are handed to WhatsApp at a time, in the order of the
        calls. Cancelling the call does not take back a message that was handed over.

        Args:
            to: a person or group.
            content: what.
            within: seconds to wait, for earlier sends and for the answer together.

        Raises:
            RefusedError: it was not sent; Refusal.BUSY where its turn did not come in time,
                Refusal.NOT_CONNECTED where the connection was not there, Refusal.KEY_MISSING for a vote
                in a poll whose secret the device never got.
            NotForwardableError: `content` is a Forward of what cannot be forwarded.
            OutcomeUnknownError: it may have been sent. Where no answer came in time, `Stalled` follows.
        """
        ...

    async def join_group(self, code: str, *, within: float) -> Jid:
        """Joins the group of an invite; being a member already is fine.

        Where the group's admins must approve newcomers, WhatsApp takes the request and names the group
        just so.

        Args:
            code: the invite's code, without the link around it.
            within: seconds to wait.

        Returns:
            The group.

        Raises:
            InviteRefusedError: WhatsApp does not take the invite.
            RefusedError: WhatsApp refused for another reason, or the connection is gone.
            OutcomeUnknownError: no answer came in time.
        """
        ...

    async def change_chat(
        self, chat: Jid, change: ChatChange, last: LastMessage | None, *, within: float
    ) -> None:
        """Tells every device of the account that a chat is archived, pinned, muted, or the opposite.

        Args:
            chat: a person or group.
            change: what; at least one part.
            last: the newest stored message, where there is one.
            within: seconds to wait.

        Raises:
            RefusedError: WhatsApp does not know of it: it did not take it, or Refusal.UNSUPPORTED where the
                implementation cannot tell it at all, which is so with neonize (docs/decisions/0130).
            OutcomeUnknownError: no answer came in time.
        """
        ...

    async def show_chat_state(self, chat: Jid, state: ChatState) -> None:
        """Shows the other side of a chat that this one is typing, recording or neither.

        WhatsApp answers nothing: whether anybody sees it is not known.

        Raises:
            RefusedError: the connection is gone, or takes nothing for seconds (Refusal.BUSY).
        """
        ...

    async def mark_read(self, chat: Jid, sender: Jid, ids: Sequence[str], timestamp: int) -> None:
        """Tells the sender of received messages that they were read. WhatsApp answers nothing.

        Args:
            chat: where they came in, as they were addressed.
            sender: who sent them, as they were addressed.
            ids: WhatsApp's ids, at least one.
            timestamp: when they were read, epoch milliseconds.

        Raises:
            RefusedError: the connection is gone, or takes nothing for seconds (Refusal.BUSY).
        """
        ...


class ClientFactory(Protocol):
    """Makes clients for stored devices."""

    def open(self, session_id: str, device: Path) -> Client:
        """A new incarnation for a session.

        Args:
            session_id: whose.
            device: the folder that holds the device's keys.
        """
        ...

    async def ask_again(self, device: Path, lost: Sequence[Repeated]) -> None:
        """Makes a device's next client ask senders for messages that were decrypted and never stored.

        They come as messages do that could not be decrypted: a placeholder first, and then the message, where
        its sender's device still has it.

        Args:
            device: the folder that holds the device's keys; its client must be stopped.
            lost: the messages; at least one.

        Raises:
            ClientError: it could not be done; the messages are told as `Repeated` once more.
        """
        ...

    async def reachable(self) -> bool:
        """Whether WhatsApp answers now, or did a moment ago: worth knowing before each attempt."""
        ...
