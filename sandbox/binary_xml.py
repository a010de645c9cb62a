"""WhatsApp's binary XML: the encoding of stanzas, with dictionary version 3.

A stanza is a tree of nodes. On the wire a node is a list: its tag, then attribute names and values in
pairs, then, if the number of elements is even, its content. Frequent strings are one or two bytes from the
dictionary; strings of digits or upper-case hexadecimals are packed two characters to a byte; addresses have
forms of their own.
"""

import re
import zlib

from sandbox.jid import JID, LID_SERVER, PN_SERVER
from sandbox.stanza import Content, Node, Value
from sandbox.tokens import Dictionary

__all__ = ["MAX_STANZA", "Codec", "MalformedStanzaError"]

LIST_EMPTY = 0
DICTIONARY_0 = 236
INTEROP_JID = 245
FACEBOOK_JID = 246
AD_JID = 247
LIST_8 = 248
LIST_16 = 249
JID_PAIR = 250
HEX_8 = 251
BINARY_8 = 252
BINARY_20 = 253
BINARY_32 = 254
NIBBLE_8 = 255

MAX_STANZA = 1 << 24
"""Bytes of the largest stanza: a frame's length has 24 bits, and what it unpacks to gets no more."""

_MAX_DEPTH = 32
_ZLIB_FLAG = 2

_NIBBLE = re.compile(r"[0-9.-]{1,127}", re.ASCII)
_HEX = re.compile(r"[0-9A-F]{1,127}", re.ASCII)
_NIBBLE_TO_HEX = str.maketrans("-.", "ab")
_HEX_TO_NIBBLE = str.maketrans("ab", "-.")

# The agent byte of an AD JID tells the server part.
_AGENT_SERVERS = {0: PN_SERVER, 1: LID_SERVER, 128: "hosted", 129: "hosted.lid"}
_SERVER_AGENTS = {server: agent for agent, server in _AGENT_SERVERS.items()}


class MalformedStanzaError(ValueError):
    """Bytes that are no stanza."""


class Codec:
    """Turns stanzas into bytes and back.

    Args:
        dictionary: The tokens that both ends know.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        # Index = first byte on the wire; None = that byte is no single-byte token.
        self._tokens: list[str | None] = [None] * 256
        self._encoded: dict[str, bytes] = {}
        for page, words in enumerate(dictionary.double):
            for index, word in enumerate(words):
                self._encoded[word] = bytes((DICTIONARY_0 + page, index))
        for index, word in enumerate(dictionary.single):
            if word:
                self._tokens[index] = word
                self._encoded[word] = bytes((index,))
        self._double = dictionary.double

    def encode(self, node: Node) -> bytes:
        """Encodes a stanza, with the leading flag byte (0, not compressed).

        Raises:
            MalformedStanzaError: It holds an address that has no form on the wire.
        """
        out = bytearray(1)
        self._write_node(out, node)
        return bytes(out)

    def decode(self, data: bytes) -> Node:
        """Decodes a stanza.

        Args:
            data: Flag byte and stanza, at most 16 MiB, also when unpacked.

        Raises:
            MalformedStanzaError: The bytes are no stanza.
        """
        if not data:
            raise MalformedStanzaError("an empty frame holds no stanza")
        start = 1
        if data[0] & _ZLIB_FLAG:
            data, start = _inflate(data), 0
        try:
            node, end = self._read_node(data, start, 0)
        except IndexError as error:
            raise MalformedStanzaError("the stanza ends too early") from error
        except UnicodeDecodeError as error:
            raise MalformedStanzaError("text in the stanza is not UTF-8") from error
        if end != len(data):
            raise MalformedStanzaError(f"{len(data) - end} bytes follow the stanza")
        return node

    def _write_node(self, out: bytearray, node: Node) -> None:
        content = node.content
        _write_list_start(out, 2 * len(node.attrs) + (1 if content is None else 2))
        encoded = self._encoded
        out += encoded.get(node.tag) or _pack(node.tag)
        for name, value in node.attrs.items():
            out += encoded.get(name) or _pack(name)
            if isinstance(value, str):
                out += encoded.get(value) or _pack(value)
            else:
                self._write_jid(out, value)
        if isinstance(content, bytes):
            _write_binary(out, content)
        elif isinstance(content, list):
            _write_list_start(out, len(content))
            for child in content:
                self._write_node(out, child)
        elif content is not None:
            out += encoded.get(content) or _pack(content)

    def _write_jid(self, out: bytearray, jid: JID) -> None:
        user, server, device = jid
        if device:
            agent = _SERVER_AGENTS.get(server)
            if agent is None or device > 255:
                raise MalformedStanzaError(f"{jid} has no form on the wire")
            out += bytes((AD_JID, agent, device))
        else:
            out.append(JID_PAIR)
            if not user:
                out.append(LIST_EMPTY)
                out += self._encoded.get(server) or _pack(server)
                return
        out += self._encoded.get(user) or _pack(user)
        if not device:
            out += self._encoded.get(server) or _pack(server)

    # What reads takes a position in the data and returns the one behind what it has read.

    def _read_node(self, data: bytes, pos: int, depth: int) -> tuple[Node, int]:
        if depth > _MAX_DEPTH:
            raise MalformedStanzaError(f"the stanza nests deeper than {_MAX_DEPTH} levels")
        size, pos = _read_list_size(data, pos)
        tokens = self._tokens
        tag = tokens[data[pos]]
        if tag is None:
            tag, pos = self._read_text(data, pos)
        else:
            pos += 1
        if not size or not tag:
            raise MalformedStanzaError("a node has no tag")
        attrs: dict[str, Value] = {}
        for _ in range((size - 1) >> 1):
            name = tokens[data[pos]]
            if name is None:
                name, pos = self._read_text(data, pos)
            else:
                pos += 1
            value: Value | None = tokens[data[pos]]
            if value is None:
                value, pos = self._read_value(data, pos)
            else:
                pos += 1
            attrs[name] = value
        if size & 1:
            return Node(tag, attrs), pos
        content, pos = self._read_content(data, pos, depth)
        return Node(tag, attrs, content), pos

    def _read_content(self, data: bytes, pos: int, depth: int) -> tuple[Content, int]:
        kind = data[pos]
        if kind in (BINARY_8, BINARY_20, BINARY_32):
            return _read_binary(data, pos)
        if kind in (LIST_8, LIST_16):
            count, pos = _read_list_size(data, pos)
            children = []
            for _ in range(count):
                child, pos = self._read_node(data, pos, depth + 1)
                children.append(child)
            return children, pos
        if kind == LIST_EMPTY:
            return None, pos + 1
        return self._read_text(data, pos)

    def _read_text(self, data: bytes, pos: int) -> tuple[str, int]:
        value, pos = self._read_value(data, pos)
        if not isinstance(value, str):
            raise MalformedStanzaError("an address stands where a name is expected")
        return value, pos

    def _read_value(self, data: bytes, pos: int) -> tuple[Value, int]:
        kind = data[pos]
        token = self._tokens[kind]
        if token is not None:
            return token, pos + 1
        if DICTIONARY_0 <= kind < DICTIONARY_0 + len(self._double):
            return self._double[kind - DICTIONARY_0][data[pos + 1]], pos + 2
        if kind in (BINARY_8, BINARY_20, BINARY_32):
            raw, pos = _read_binary(data, pos)
            return raw.decode(), pos
        if kind in (NIBBLE_8, HEX_8):
            return _read_packed(data, pos)
        if kind in (JID_PAIR, AD_JID, FACEBOOK_JID, INTEROP_JID):
            return self._read_jid(data, pos)
        if kind == LIST_EMPTY:
            return "", pos + 1
        raise MalformedStanzaError(f"byte {kind} begins neither text nor an address")

    def _read_jid(self, data: bytes, pos: int) -> tuple[JID, int]:
        kind = data[pos]
        if kind == JID_PAIR:
            user, pos = self._read_text(data, pos + 1)
            server, pos = self._read_text(data, pos)
            return JID(user, server), pos
        if kind == AD_JID:
            agent, device = data[pos + 1], data[pos + 2]
            user, pos = self._read_text(data, pos + 3)
            return JID(user, _AGENT_SERVERS.get(agent, PN_SERVER), device), pos
        user, pos = self._read_text(data, pos + 1)
        device = data[pos] << 8 | data[pos + 1]
        pos += 2 if kind == FACEBOOK_JID else 4  # interoperable JIDs carry an integrator id too
        server, pos = self._read_text(data, pos)
        return JID(user, server, device), pos


def _write_list_start(out: bytearray, size: int) -> None:
    if size == 0:
        out.append(LIST_EMPTY)
    elif size < 256:
        out += bytes((LIST_8, size))
    else:
        out.append(LIST_16)
        out += size.to_bytes(2, "big")


def _write_binary(out: bytearray, data: bytes) -> None:
    size = len(data)
    if size < 256:
        out += bytes((BINARY_8, size))
    elif size < 1 << 20:
        out.append(BINARY_20)
        out += size.to_bytes(3, "big")
    else:
        out.append(BINARY_32)
        out += size.to_bytes(4, "big")
    out += data


def _pack(text: str) -> bytes:
    if _NIBBLE.fullmatch(text):
        kind, digits = NIBBLE_8, text.translate(_NIBBLE_TO_HEX)
    elif _HEX.fullmatch(text):
        kind, digits = HEX_8, text
    else:
        out = bytearray()
        _write_binary(out, text.encode())
        return bytes(out)
    odd = len(digits) & 1
    packed = bytes.fromhex(digits + "f" if odd else digits)
    return bytes((kind, len(packed) | odd << 7)) + packed


def _read_list_size(data: bytes, pos: int) -> tuple[int, int]:
    kind = data[pos]
    if kind == LIST_8:
        return data[pos + 1], pos + 2
    if kind == LIST_16:
        return data[pos + 1] << 8 | data[pos + 2], pos + 3
    if kind == LIST_EMPTY:
        return 0, pos + 1
    raise MalformedStanzaError(f"byte {kind} begins no list")


def _read_binary(data: bytes, pos: int) -> tuple[bytes, int]:
    kind = data[pos]
    if kind == BINARY_8:
        start, size = pos + 2, data[pos + 1]
    elif kind == BINARY_20:
        start = pos + 4
        size = (data[pos + 1] & 15) << 16 | data[pos + 2] << 8 | data[pos + 3]
    else:
        start = pos + 5
        size = int.from_bytes(data[pos + 1 : start], "big")
    end = start + size
    if end > len(data):
        raise IndexError
    return data[start:end], end


def _read_packed(data: bytes, pos: int) -> tuple[str, int]:
    start = pos + 2
    end = start + (data[pos + 1] & 127)
    if end > len(data):
        raise IndexError
    text = data[start:end].hex()
    if data[pos + 1] & 128:
        text = text[:-1]
    if data[pos] == HEX_8:
        return text.upper(), end
    text = text.translate(_HEX_TO_NIBBLE)
    if not _NIBBLE.fullmatch(text) and text:
        raise MalformedStanzaError("packed digits hold something else")
    return text, end


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        unpacked = inflater.decompress(memoryview(data)[1:], MAX_STANZA)
    except zlib.error as error:
        raise MalformedStanzaError(f"the stanza does not unpack: {error}") from error
    if not inflater.eof:
        raise MalformedStanzaError(f"the stanza is cut or unpacks to more than {MAX_STANZA} bytes")
    return unpacked
