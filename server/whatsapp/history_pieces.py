"""Cuts a chunk of history into pieces that can be read and stored one at a time.

A chunk is one protobuf of possibly megabytes; parsing it as a whole would take the interpreter for as long as
that takes. So only the borders of its fields are looked at here, by the wire format of protobufs, and every
piece is a small `HistorySync` of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from neonize.proto.Neonize_pb2 import HistorySync as HistoryEvent
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync

MESSAGES: Final = 250
"""Messages in a piece, at most: what one transaction stores while live messages wait."""
PIECE_BYTES: Final = 1 << 20
"""A piece that has grown so large takes nothing more; a single message may be larger."""
SMALL_ITEMS: Final = 50
"""Addresses or names in a piece, at most: for each address a few statements look for what stands under it."""

_BYTES: Final = 2
"""The wire type of a text, of bytes and of a message."""

_DATA: Final = HistoryEvent.DESCRIPTOR.fields_by_name["Data"].number
_NUMBER: Final = {name: field.number for name, field in HistorySync.DESCRIPTOR.fields_by_name.items()}
_CONVERSATIONS: Final = _NUMBER["conversations"]
_SMALL: Final = (_NUMBER["phoneNumberToLidMappings"], _NUMBER["pushnames"])
"""Addresses first: what comes behind them finds its people under one name."""
_MESSAGES: Final = Conversation.DESCRIPTOR.fields_by_name["messages"].number


@dataclass(frozen=True, slots=True)
class ChunkHeader:
    """What a chunk says of itself.

    Attributes:
        kind: a value of `HistorySync.HistorySyncType`; one that is not known here counts as data that
            nothing waits for.
        progress: per cent of the history that the phone had given with it.
    """

    kind: HistorySync.HistorySyncType.ValueType
    progress: int


def header_of(content: bytes) -> ChunkHeader:
    """What a chunk says of itself.

    Args:
        content: as in `HistoryReceived`.

    Raises:
        ValueError: it is no chunk.
    """
    kind = progress = 0
    for number, value, _ in _fields(_chunk(content)):
        if number == _NUMBER["syncType"] and isinstance(value, int):
            kind = value
        elif number == _NUMBER["progress"] and isinstance(value, int):
            progress = value
    known = (one for one in HistorySync.HistorySyncType.values() if one == kind)
    return ChunkHeader(next(known, HistorySync.NON_BLOCKING_DATA), progress)


def pieces_of(content: bytes) -> Iterator[bytes]:
    """Cuts a chunk: addresses, then names, then chats with their messages, the oldest of a chat first.

    What the stored copy has no place for (statuses, calls, stickers, settings, secrets) is left out.

    Args:
        content: as in `HistoryReceived`.

    Returns:
        Serialised `HistorySync` messages, one at least.

    Raises:
        ValueError: it is no chunk.
    """
    header = HistorySync(syncType=header_of(content).kind).SerializeToString()
    small: dict[int, list[memoryview]] = {number: [] for number in _SMALL}
    conversations: list[memoryview] = []
    for number, value, whole in _fields(_chunk(content)):
        if number in small:
            small[number].append(whole)
        elif number == _CONVERSATIONS and isinstance(value, memoryview):
            conversations.append(value)
    empty = True
    for items in small.values():
        for start in range(0, len(items), SMALL_ITEMS):
            yield b"".join((header, *items[start : start + SMALL_ITEMS]))
            empty = False
    for parts in _packed(conversations):
        yield b"".join((header, *parts))
        empty = False
    if empty:
        yield header


def _chunk(content: bytes) -> memoryview:
    for number, value, _ in _fields(memoryview(content)):
        if number == _DATA and isinstance(value, memoryview):
            return value
    return memoryview(b"")


def _packed(conversations: Sequence[memoryview]) -> Iterator[list[bytes]]:
    """Parts of conversations, as fields of a `HistorySync`, as many as go into a piece."""
    piece: list[bytes] = []
    count = size = 0
    for conversation in conversations:
        about = bytearray()
        messages: list[memoryview] = []
        for number, _, whole in _fields(conversation):
            if number == _MESSAGES:
                messages.append(whole)
            else:
                about += whole
        # Phones tell the newest message first; rows of a chat shall rise with its time.
        messages.reverse()
        for some in _portions(messages) if messages else [[]]:
            # A chat costs a row as well, so that a thousand empty ones are no single piece.
            rows = max(1, len(some))
            if piece and (count + rows > MESSAGES or size > PIECE_BYTES):
                yield piece
                piece, count, size = [], 0, 0
            part = _field(_CONVERSATIONS, b"".join((about, *some)))
            piece.append(part)
            count += rows
            size += len(part)
    if piece:
        yield piece


def _portions(messages: Sequence[memoryview]) -> Iterator[Sequence[memoryview]]:
    start = size = 0
    for end, message in enumerate(messages):
        if end - start == MESSAGES or size > PIECE_BYTES:
            yield messages[start:end]
            start, size = end, 0
        size += len(message)
    yield messages[start:]


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview, memoryview]]:
    """The fields of a message: number, value (a number, or the bytes), and the whole field as it stands."""
    position = 0
    while position < len(data):
        start = position
        tag, position = _read_varint(data, position)
        value: int | memoryview
        match tag & 7:
            case 0:
                value, position = _read_varint(data, position)
                yield tag >> 3, value, data[start:position]
                continue
            case 1:
                size = 8
            case 2:
                size, position = _read_varint(data, position)
            case 5:
                size = 4
            case other:
                raise ValueError(f"a field of wire type {other} is none of history")
        if position + size > len(data):
            raise ValueError("the chunk is cut off")
        value = data[position : position + size]
        position += size
        yield tag >> 3, value, data[start:position]


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError("the chunk is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
