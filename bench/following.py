"""How long it takes from a person's send to a reader's line, and what a thousand readers cost.

`python -m bench.following` measures this alone.
"""

import asyncio
import gc
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import aiohttp
import uvloop

from tests.support.stack import Stack, running
from tests.support.waiting import until

RATES = (10, 100, 400)
"""Messages per second that persons send to one session."""
SECONDS = 10
"""For which they do."""
READERS = 1000
FEW = 5
"""Messages per second that all of those readers follow."""
PERSONS = 8
NUMBER = "628151000007"
_SENT = re.compile(rb'"body":"sent ([0-9]+)"')


@dataclass
class Row:
    """Latencies of one run.

    Attributes:
        rate: messages per second that were asked for.
        reached: how many were sent per second.
        p50, p99: milliseconds.
    """

    readers: int
    rate: int
    reached: float
    p50: float
    p99: float


@dataclass
class Figures:
    """What was measured.

    Attributes:
        rows: of one reader, at each rate.
        many: of all readers.
        stuck: the same with one reader among them that takes nothing.
        node, envoy: kilobytes of resident memory per reader.
    """

    rows: Sequence[Row]
    many: Row
    stuck: Row
    node: float
    envoy: float


@dataclass
class Reader(asyncio.Protocol):
    """A reader of the stream that notes when each message's line came.

    Attributes:
        latencies: seconds since each was sent.
    """

    request: bytes
    latencies: list[float] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the stream."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own, with the same methods
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Looks for messages; they are short, and so none is cut in two."""
        now = time.perf_counter_ns()
        if not self.begun.is_set():
            if not data.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(data.decode())
            self.begun.set()
        self.latencies.extend((now - int(sent)) / 1e9 for sent in _SENT.findall(data))


async def follow(stack: Stack, count: int) -> list[Reader]:
    """So many readers, all of whom follow."""
    url = urlsplit(stack.ready["http"])
    request = (
        f"GET /api/v1/events?events=message HTTP/1.1\r\nhost: {url.netloc}\r\n"
        f"authorization: Bearer {stack.ready['apiKey']}\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    readers: list[Reader] = []
    for _ in range(count):
        _, reader = await loop.create_connection(lambda: Reader(request), url.hostname or "", url.port or 0)
        readers.append(reader)
        async with asyncio.timeout(10):
            await reader.begun.wait()
    return readers


async def send(stack: Stack, rate: int, count: int) -> float:
    """Has persons send so many messages, evenly, however long each takes; returns how many per second."""
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(
        stack.ready["sandbox"], connector=aiohttp.TCPConnector(limit=0)
    ) as client:

        async def one(number: int) -> None:
            body = {"to": f"{NUMBER}@s.whatsapp.net", "text": f"sent {time.perf_counter_ns()}"}
            async with client.post(f"/contacts/{person(number)}/messages", json=body) as answer:
                answer.raise_for_status()

        began = loop.time()
        async with asyncio.TaskGroup() as sends:
            for number in range(count):
                await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
                sends.create_task(one(number))
        return count / (loop.time() - began)


def person(number: int) -> str:
    """One of the persons."""
    return f"62815000{number % PERSONS:04d}"


async def measured(stack: Stack, readers: Sequence[Reader], rate: int) -> Row:
    """Sends at a rate, and waits until every reader has every message."""
    count = rate * SECONDS
    for reader in readers:
        reader.latencies.clear()
    gc.collect()
    reached = await send(stack, rate, count)
    await until(lambda: all(len(reader.latencies) >= count for reader in readers), "all have all", 60)
    if any(len(reader.latencies) != count for reader in readers):
        raise RuntimeError("a reader got a message twice")
    found = sorted(latency * 1000 for reader in readers for latency in reader.latencies)
    cut = statistics.quantiles(found, n=100)
    return Row(len(readers), rate, reached, cut[49], cut[98])


async def run(stack: Stack) -> Figures:
    """Measures everything."""
    (single,) = await follow(stack, 1)
    await measured(stack, [single], 20)  # who never met has to exchange keys first
    rows = [await measured(stack, [single], rate) for rate in RATES]
    node, envoy = (process.memory_info().rss for process in (stack.node, stack.envoy))
    readers = [single, *await follow(stack, READERS - 1)]
    many = await measured(stack, readers, FEW)
    per_reader = [
        (process.memory_info().rss - before) / 1e3 / (READERS - 1)
        for process, before in ((stack.node, node), (stack.envoy, envoy))
    ]
    stuck, *rest = readers
    assert stuck.transport is not None
    stuck.transport.pause_reading()
    with_stuck = await measured(stack, rest, FEW)
    for reader in readers:
        assert reader.transport is not None
        reader.transport.abort()
    return Figures(rows, many, with_stuck, *per_reader)


def measure(stack: Stack) -> Figures:
    """Measures in a product that has no sessions yet."""
    stack.paired(NUMBER)
    for number in range(PERSONS):
        stack.person(person(number))
    return uvloop.run(run(stack))


def lines(figures: Figures) -> list[str]:
    """What the page says of it."""
    shown = [
        *(("1", row) for row in figures.rows),
        (f"{READERS:,}", figures.many),
        (f"{READERS - 1:,} beside a stuck one", figures.stuck),
    ]
    return [
        "## Following",
        "",
        (
            f"From a person's send (a client of the sandbox, encryption and all) to the line of a reader of"
            f" `GET /api/v1/events` through Envoy: {PERSONS} persons write to one session for {SECONDS} s,"
            " evenly."
        ),
        "",
        "| readers | messages/s asked for | reached | p50 ms | p99 ms |",
        "|---|---|---|---|---|",
        *(
            f"| {who} | {row.rate} | {row.reached:.0f} | {row.p50:.1f} | {row.p99:.1f} |"
            for who, row in shown
        ),
        "",
        (f"Resident memory per reader: {figures.node:.0f} kB in the node, {figures.envoy:.0f} kB in Envoy."),
        "",
    ]


if __name__ == "__main__":
    with ExitStack() as exits:
        folder = exits.enter_context(tempfile.TemporaryDirectory())
        product = exits.enter_context(running(Path(folder) / "following"))
        print("\n".join(lines(measure(product))))
