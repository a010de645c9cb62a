"""Who takes part in the recording, and what its chapters have made so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.rest.recording.recorder import Fields, Recorder
from tests.support.receiver import Receiver
from tests.support.stack import Stack, eventually

SALES, SUPPORT, CAMPAIGN, SILENT = "628110000001", "628110000002", "628110000003", "628110000004"
"""Accounts."""
ADA, BEN, SINK = "628120000001", "628120000002", "628120000003"
"""People."""
NOBODY = "628199999999@s.whatsapp.net"
NO_SESSION = "01KAJQ8W5ZVC9D1T7M3XE6RHNB"
RATE = 20
"""Messages per minute and session."""
FAR = 4_102_444_800_000
"""The year 2100: whenever the recording is made, this is to come."""


def jid(number: str) -> str:
    """The phone-number JID of an account or a person."""
    return f"{number}@s.whatsapp.net"


@dataclass
class Story:
    """What earlier chapters left to later ones.

    Attributes:
        session: one that works, once it is paired.
        idle: one that nobody has paired.
        greeting: the id of a text to Ada.
        poll: the id of a poll to Ada.
        webhook: the id of one that leads to `receiver`.
    """

    recorder: Recorder
    receiver: Receiver
    session: str = ""
    idle: str = ""
    greeting: str = ""
    poll: str = ""
    webhook: str = ""

    @property
    def stack(self) -> Stack:
        """The product."""
        return self.recorder.stack

    def take(self, operation: str, summary: str, status: int = 200, **more: Any) -> Any:
        """As `Recorder.take`."""
        return self.recorder.take(operation, summary, status, **more)

    def take_send(
        self,
        summary: str,
        body: Mapping[str, object],
        status: int = 200,
        *,
        fields: Fields | None = None,
        headers: Mapping[str, str] | None = None,
        everywhere: bool = False,
    ) -> Any:
        """A send of the working session, to Ada unless `body` and `fields` say otherwise."""
        return self.take(
            "sendMessage",
            summary,
            status,
            fields={"session": self.session, **(fields or {})},
            body={"to": jid(ADA), **body},
            headers=headers,
            everywhere=everywhere,
        )

    def send(self, to: str, text: str) -> str:
        """Sends a text that is no example; returns its id."""
        answer = self.stack.send(self.session, to, text)
        answer.raise_for_status()
        message_id: str = answer.json()["waMessageId"]
        return message_id

    def on(self, message: str) -> dict[str, str]:
        """The path of a message."""
        return {"session": self.session, "mid": message}

    def acts_on_greeting(self) -> list[tuple[str, dict[str, object]]]:
        """The operations on messages, each with a body that is good for the greeting."""
        chat = jid(ADA)
        return [
            ("editMessage", {"chat": chat, "text": "Hello Ada!"}),
            ("revokeMessage", {"chat": chat, "sender": ""}),
            ("forwardMessage", {"chat": chat, "to": jid(BEN)}),
            ("addReaction", {"chat": chat, "emoji": "👍"}),
            ("removeReaction", {"chat": chat}),
        ]

    def await_stored(self, number: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Waits until a message of the chat with a person is as wanted."""
        eventually(
            lambda: any(wanted(message) for message in self.stored(number)),
            f"the message in the chat with {number} is stored",
        )

    def stored(self, number: str) -> list[dict[str, Any]]:
        """The newest messages of the chat with a person."""
        answer = self.stack.rest.get(f"/sessions/{self.session}/chats/{jid(number)}/messages")
        messages: list[dict[str, Any]] = answer.json()["data"] if answer.is_success else []
        return messages
