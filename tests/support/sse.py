"""Reads server-sent events as the HTML Standard says, and keeps what it tells readers to throw away."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from server.events.subscription import HEARTBEAT
from tests.support.events import DEADLINE


@dataclass
class Frame:
    """What stands between two empty lines.

    Attributes:
        retry: milliseconds; None where nothing is said of it.
        comments: lines for people.
    """

    id: str = ""
    event: str = ""
    data: str = ""
    retry: int | None = None
    comments: list[str] = field(default_factory=list)

    @property
    def json(self) -> Any:
        """The envelope."""
        return json.loads(self.data)


def frames(parts: Iterable[bytes]) -> Iterator[Frame]:
    """The frames of a stream, each once its empty line is there.

    Args:
        parts: the body as it comes.
    """
    frame = Frame()
    for line in _lines(parts):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "" if not line:
                yield frame
                frame = Frame()
            case "":
                frame.comments.append(value)
            case "id":
                frame.id = value
            case "event":
                frame.event = value
            case "data":
                frame.data += value
            case "retry":
                frame.retry = int(value)
            case _:
                raise AssertionError(f"a line that means nothing: {line}")
    assert frame == Frame(), f"ended in the middle of {frame}"


def frames_of(body: bytes) -> list[Frame]:
    """The frames of a body that has ended."""
    return list(frames([body]))


def told(found: Iterator[Frame], count: int) -> list[Frame]:
    """The next so many events that are no heartbeats."""
    taken: list[Frame] = []
    while len(taken) < count:
        frame = next(found)
        if frame.data and frame.event != HEARTBEAT:
            taken.append(frame)
    return taken


async def told_by(reader: asyncio.StreamReader, count: int) -> list[Frame]:
    """The next so many events that are no heartbeats, from a socket that has read an answer's head."""
    taken: list[Frame] = []
    text = b""
    async with asyncio.timeout(DEADLINE):
        while len(taken) < count:
            size = int(await reader.readline(), 16)  # of a chunk of HTTP/1.1
            text += await reader.readexactly(size)
            await reader.readexactly(2)
            whole, separator, text = text.rpartition(b"\n\n")
            found = frames_of(whole + separator)
            taken += [frame for frame in found if frame.data and frame.event != HEARTBEAT]
    return taken


def _lines(parts: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield line.decode()
    assert not rest, f"ended in the middle of a line: {rest!r}"
