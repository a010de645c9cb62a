"""What cases find: a running product with sessions in every state, people, and keys."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.support.stack import Stack, eventually


@dataclass(frozen=True)
class Sent:
    """A message that a session sent."""

    session: str
    chat: str
    id: str


@dataclass(frozen=True)
class Group:
    """A group of the sandbox."""

    jid: str
    invite: str


class World:
    """Made piece by piece, each when a case first needs it."""

    def __init__(self, stack: Stack, rate: int, webhooks_per_organization: int) -> None:
        """Lives in `stack`, whose sessions may send `rate` messages per minute."""
        self.stack = stack
        self.rate = rate
        self.webhooks_per_organization = webhooks_per_organization
        self._numbers = itertools.count(628_130_000_001)

    @cached_property
    def working(self) -> str:
        """A session that is connected. No case may change that."""
        return self.stack.paired("628110000001")

    @cached_property
    def account(self) -> str:
        """The JID of that session's account."""
        return "628110000001@s.whatsapp.net"

    @cached_property
    def idle(self) -> str:
        """A session that nobody has paired. No case may change that."""
        return self.created()

    @cached_property
    def ada(self) -> str:
        """Somebody who reads."""
        return self.stack.person("628120000001", "Ada")

    @cached_property
    def known(self) -> str:
        """Somebody with whom the working session has a chat of at least two messages."""
        jid = self.sink("628120000009")
        for text in ("first", "second"):
            self.stack.send(self.working, jid, text).raise_for_status()
        return jid

    @cached_property
    def stopped(self) -> Sent:
        """A message of a session that was stopped since."""
        sent = self.sent_by(self.paired())
        self.stack.rest.post(f"/sessions/{sent.session}:stop").raise_for_status()
        return sent

    @cached_property
    def stopped_poll(self) -> Sent:
        """A poll of a session that was stopped since."""
        poll = self._poll_by(self.paired())
        self.stack.rest.post(f"/sessions/{poll.session}:stop").raise_for_status()
        return poll

    @cached_property
    def poll(self) -> Sent:
        """A poll of the working session, with the options yes and no."""
        return self._poll_by(self.working)

    def _poll_by(self, session: str) -> Sent:
        body = {"to": self.known, "type": "poll", "name": "Tea?", "options": ["yes", "no"]}
        answer = self.stack.rest.post(f"/sessions/{session}/messages", json=body)
        answer.raise_for_status()
        return Sent(session, self.known, answer.json()["waMessageId"])

    @cached_property
    def group(self) -> Group:
        """A group of Ada's."""
        body = {"by": self.ada.partition("@")[0], "subject": "Friends", "members": []}
        made = self.stack.sandbox.post("/groups", json=body)
        made.raise_for_status()
        return Group(made.json()["jid"], made.json()["inviteCode"])

    @cached_property
    def only_read(self) -> str:
        """A key that may only read."""
        return self.key("--permissions", "read")

    @cached_property
    def only_manage(self) -> str:
        """A key that may only manage."""
        return self.key("--permissions", "manage")

    @cached_property
    def stranger(self) -> str:
        """A key of another organization, with every capability."""
        return self.key("--organization", "strangers")

    @cached_property
    def crowd(self) -> str:
        """A key of an organization with as many webhooks as it may have."""
        key = self.key("--organization", "crowd")
        for _ in range(self.webhooks_per_organization):
            self.made_webhook(key=key)
        return key

    @cached_property
    def webhook(self) -> str:
        """A webhook that is not active."""
        return self.made_webhook()

    def made_webhook(self, url: str = "https://receiver.example/events", *, key: str = "") -> str:
        """A new webhook that is not active, of another organization where `key` is one of its."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        answer = self.stack.rest.post("/webhooks", json={"url": url, "active": False}, headers=headers)
        answer.raise_for_status()
        webhook: str = answer.json()["id"]
        return webhook

    def key(self, *words: str) -> str:
        """A new key of the local organization, unless `words` say otherwise."""
        return self.stack.cli("keys", "create", *words)

    def created(self) -> str:
        """A new session, not paired."""
        session: str = self.stack.rest.post("/sessions", json={"label": "made for a case"}).json()["id"]
        return session

    def paired(self) -> str:
        """A new session that works."""
        return self.stack.paired(self.number())

    def sink(self, number: str = "") -> str:
        """Somebody who takes everything; a new one unless `number` says who."""
        return self.stack.person(number or self.number(), kind="sink")

    def sent(self, to: str = "") -> Sent:
        """A new text of the working session, to `known` unless `to` says otherwise."""
        return self.sent_by(self.working, to or self.known)

    def sent_by(self, session: str, to: str = "") -> Sent:
        """A new text of a session; where its rate is used up, the newest that it sent."""
        chat = to or self.sink("628120000008")
        answer = self.stack.send(session, chat, "hello")
        if answer.status_code == 429:
            return Sent(session, chat, self.stack.stored(session, chat)[0]["waMessageId"])
        answer.raise_for_status()
        return Sent(session, chat, answer.json()["waMessageId"])

    def unanswered(self) -> str:
        """A new session whose sends WhatsApp does not acknowledge."""
        number = self.number()
        session = self.stack.paired(number)
        self.stack.fault(kind="ack_drop", number=number)
        return session

    def spent(self) -> str:
        """A session whose rate is used up for most of a minute."""
        chat = self.sink("628120000008")
        for _ in range(self.rate + 1):
            if self.stack.send(self._spender, chat, "hello").status_code == 429:
                return self._spender
        raise AssertionError(f"more than {self.rate} messages in a minute")

    @cached_property
    def _spender(self) -> str:
        return self.paired()

    def number(self) -> str:
        """A phone number that nobody has yet."""
        return str(next(self._numbers))

    def heard(self, number: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Waits until a person has decrypted a message that is `wanted`."""
        return eventually(
            lambda: next((message for message in self.stack.heard(number) if wanted(message)), None),
            f"{number} decrypts it",
        )
