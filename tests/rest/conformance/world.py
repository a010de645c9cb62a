"""What cases find: a running product with sessions in every state, people, and keys."""

import itertools
from collections.abc import Callable
from functools import cached_property
from typing import Any

from tests.support.stack import Stack, eventually


class World:
    """Made piece by piece, each when a case first needs it."""

    def __init__(self, stack: Stack) -> None:
        """Lives in `stack`."""
        self.stack = stack
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
        jid = self.stack.person("628120000009", "Kay", kind="sink")
        for text in ("first", "second"):
            self.stack.send(self.working, jid, text).raise_for_status()
        return jid

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

    def number(self) -> str:
        """A phone number that nobody has yet."""
        return str(next(self._numbers))

    def heard(self, number: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Waits until a person has decrypted a message that is `wanted`."""
        return eventually(
            lambda: next((message for message in self.stack.heard(number) if wanted(message)), None),
            f"{number} decrypts it",
        )
