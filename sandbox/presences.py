"""Who is available, and who is told of it."""

import time
from typing import TYPE_CHECKING

from sandbox.accounts import Account
from sandbox.jid import JID
from sandbox.stanza import Node, Value

if TYPE_CHECKING:
    from sandbox.network import Network
    from sandbox.session import Session

__all__ = ["Presences"]


class Presences:
    """The presence of all accounts; it lasts as long as connections do, and is not kept.

    An account is available while one of its devices says so. Whoever subscribed is told of every change until
    its connection ends.

    Args:
        network: The network.
    """

    def __init__(self, network: "Network") -> None:
        self._network = network
        self._available: dict[str, set[Session]] = {}
        self._last_seen: dict[str, int] = {}
        # By the watched account: who watches, and the address by which it asked.
        self._watchers: dict[str, dict[Session, JID]] = {}

    def take(self, session: "Session", node: Node) -> None:
        """Takes a device's presence, which brings its push name along, or its subscription to another's."""
        kind = node.text("type") or "available"
        if kind == "subscribe":
            self._subscribe(session, node.jid("to"))
        elif kind in {"available", "unavailable"}:
            name = node.text("name")
            if name:
                self._network.accounts.rename(session.device.account, name)
            self._set(session, available=kind == "available")

    def leave(self, session: "Session") -> None:
        """A connection has ended."""
        self._set(session, available=False)
        for number, watchers in list(self._watchers.items()):
            watchers.pop(session, None)
            if not watchers:
                del self._watchers[number]

    def _set(self, session: "Session", *, available: bool) -> None:
        number = session.number
        sessions = self._available.setdefault(number, set())
        before = bool(sessions)
        if available:
            sessions.add(session)
        else:
            sessions.discard(session)
        if not sessions:
            del self._available[number]
        if before == bool(sessions):
            return
        if before:
            self._last_seen[number] = int(time.time())
        for watcher, address in self._watchers.get(number, {}).items():
            watcher.send(self._shown(number, address))

    def _subscribe(self, session: "Session", to: JID | None) -> None:
        account: Account | None = self._network.accounts.find(to) if to else None
        if to is None or account is None:
            return
        self._watchers.setdefault(account.number, {})[session] = to.account
        session.send(self._shown(account.number, to.account))

    def _shown(self, number: str, address: JID) -> Node:
        attrs: dict[str, Value] = {"from": address}
        if number not in self._available:
            attrs["type"] = "unavailable"
            if number in self._last_seen:
                attrs["last"] = str(self._last_seen[number])
        return Node("presence", attrs)
