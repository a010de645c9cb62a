"""What the answers to queries have in common."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.stanza import Node

if TYPE_CHECKING:
    from sandbox.session import Session

__all__ = ["Handler", "QueryError"]

Handler = Callable[["Session", Node], list[Node]]
"""Takes the asking session and the whole iq; returns the children of the answer."""


class QueryError(Exception):
    """A query that is refused.

    Args:
        code: As in HTTP.
        text: WhatsApp's word for it.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text

    def node(self) -> Node:
        """The error as a child of the refused stanza."""
        return Node("error", {"code": str(self.code), "text": self.text})
