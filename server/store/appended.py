"""Tells who wants to know that events were appended, once they are committed."""

from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import Connection

Listener = Callable[[Collection[str]], None]
"""Takes the ids of organizations whose logs have grown. Called on the event loop; must return at once."""

_KEY: Final = "wagate.appended"


def note_appended(connection: Connection, organizations: Collection[str]) -> None:
    """Remembers with a transaction whose logs it makes longer.

    Args:
        connection: the transaction's.
        organizations: ids.
    """
    connection.info.setdefault(_KEY, set()).update(organizations)


def take_appended(connection: Connection) -> frozenset[str]:
    """What was noted since the last call.

    That may include what a transaction noted before it failed: telling too often does no harm.
    """
    return frozenset(connection.info.pop(_KEY, ()))


class Appended:
    """Listeners of one database."""

    def __init__(self) -> None:
        """Nobody listens at first."""
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """From now on `listener` is told of every commit of this process that appends events."""
        self._listeners.append(listener)

    def tell(self, organizations: Collection[str]) -> None:
        """Tells every listener, on the event loop and after the commit."""
        if not organizations:
            return
        for listener in self._listeners:
            listener(organizations)
