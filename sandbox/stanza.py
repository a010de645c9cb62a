"""Stanzas: the trees of nodes that clients and network exchange."""

from collections.abc import Sequence

from sandbox.jid import JID

__all__ = ["Content", "Node", "Value"]

Value = str | JID
"""An attribute's value."""


class Node:
    """One element of a stanza.

    Attributes:
        tag: The element's name.
        attrs: Attribute values by name.
        content: Child nodes, text, bytes or nothing.
    """

    __slots__ = ("attrs", "content", "tag")

    def __init__(self, tag: str, attrs: dict[str, Value] | None = None, content: "Content" = None) -> None:
        self.tag = tag
        self.attrs: dict[str, Value] = {} if attrs is None else attrs
        self.content = content

    @property
    def children(self) -> "Sequence[Node]":
        """The child nodes; empty for a node without any."""
        return self.content if isinstance(self.content, list) else ()

    def child(self, tag: str) -> "Node | None":
        """The first child with this tag."""
        for node in self.children:
            if node.tag == tag:
                return node
        return None

    def text(self, name: str) -> str:
        """An attribute as text, empty where it is missing."""
        value = self.attrs.get(name)
        return "" if value is None else str(value)

    def jid(self, name: str) -> JID | None:
        """An attribute as an address, or None where it is missing or no address."""
        value = self.attrs.get(name)
        if isinstance(value, JID):
            return value
        if value is None:
            return None
        try:
            return JID.parse(value)
        except ValueError:
            return None

    @property
    def data(self) -> bytes:
        """The content as bytes; empty for a node that has children or nothing."""
        if isinstance(self.content, bytes):
            return self.content
        return self.content.encode() if isinstance(self.content, str) else b""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return self.tag == other.tag and self.attrs == other.attrs and self.content == other.content

    __hash__ = None  # type: ignore[assignment] # nodes are mutable, hence unhashable

    def __repr__(self) -> str:
        # Without contents: stanzas end up in logs, messages must not.
        attrs = "".join(f' {name}="{value}"' for name, value in self.attrs.items())
        inner = "".join(map(repr, self.children)) if self.children else f"<!-- {len(self.data)} bytes -->"
        return f"<{self.tag}{attrs}>{inner}</{self.tag}>"


Content = list[Node] | bytes | str | None
"""What a node holds."""
