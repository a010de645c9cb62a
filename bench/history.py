"""What a phone tells of the past: how fast it is stored, in how much memory, what live messages notice."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ulid import ULID

from tests.support.stack import Stack, eventually
from tests.support.told import telling

ACCOUNT: Final = "628130000077"
ANN: Final = "628140000077"
MESSAGES: Final = 100_000
CHATS: Final = 100
QUIET: Final = 30
"""Live messages without any history, to compare with."""
_SECONDS: Final = 600.0
"""For everything together: generous, because the machine may be busy."""
_LOOK_SECONDS: Final = 0.02
"""Between two looks at the node's memory."""


@dataclass(frozen=True)
class Cost:
    """What a history cost.

    Attributes:
        messages: stored of it.
        rate: messages stored per second, from the first chunk's arrival to the last one's end.
        memory: megabytes of resident memory that the node took at most, above what it took before.
        quiet: seconds from a person's send to the event, p50 and the longest, without history.
        meanwhile: the same, while history was stored.
    """

    messages: int
    rate: float
    memory: float
    quiet: tuple[float, float]
    meanwhile: tuple[float, float]


class _Told:
    """The events of the product, as they come."""

    def __init__(self) -> None:
        self.messages: dict[str, float] = {}
        self.chunks: list[dict[str, Any]] = []

    @property
    def is_whole(self) -> bool:
        return any(chunk["payload"]["progress"] == 100 for chunk in self.chunks)

    def take(self, events: Iterator[dict[str, Any]]) -> None:
        for event in events:
            if event["event"] == "message":
                self.messages[event["payload"]["waMessageId"]] = time.perf_counter()
            else:
                self.chunks.append(event)
                if self.is_whole:
                    return


def measure(stack: Stack) -> Cost:
    """Gives a history to a session that is live, and lets a person write to it meanwhile."""
    stack.person(ANN, "Ann")
    stack.paired(ACCOUNT)
    told = _Told()
    names = ["message", "history.synced"]
    with telling(stack, names, within=_SECONDS) as events, _memory(stack) as most:
        reading = threading.Thread(target=told.take, args=(events,))
        reading.start()
        quiet = [_latency(stack, told) for _ in range(QUIET)]
        before = most[-1]
        giving = threading.Thread(target=_give, args=(stack,))
        giving.start()
        eventually(lambda: told.chunks, "the history begins")
        meanwhile = []
        while not told.is_whole:
            meanwhile.append(_latency(stack, told))
        giving.join()
        reading.join()
    began = min(chunk["payload"]["timestamp"] for chunk in told.chunks)
    ended = max(ULID.from_str(chunk["id"].removeprefix("evt_")).milliseconds for chunk in told.chunks)
    messages = sum(chunk["payload"]["messages"] for chunk in told.chunks)
    return Cost(
        messages=messages,
        rate=messages * 1000 / (ended - began),
        memory=max(most) - before,
        quiet=(statistics.median(quiet), max(quiet)),
        meanwhile=(statistics.median(meanwhile), max(meanwhile)),
    )


def _give(stack: Stack) -> None:
    past = {"messages": MESSAGES, "chats": CHATS}
    stack.sandbox.post(f"/phones/{ACCOUNT}/history", json=past).raise_for_status()


def _latency(stack: Stack, told: _Told) -> float:
    """Seconds from a person's send to its event."""
    began = time.perf_counter()
    message_id = stack.says(ANN, ACCOUNT, "live")
    eventually(lambda: message_id in told.messages or told.is_whole, "a live message is told")
    return told.messages.get(message_id, time.perf_counter()) - began


@contextmanager
def _memory(stack: Stack) -> Iterator[list[float]]:
    """Megabytes that the node takes, again and again."""
    node = stack.node
    seen = [node.memory_info().rss / 1e6]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_SECONDS):
            seen.append(node.memory_info().rss / 1e6)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        ended.set()
        looking.join()
