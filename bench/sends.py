"""Sends per second: raw neonize against the gateway's ways in."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from bench.load import grpc_sender, rate, rest_sender
from tests.support.stack import Stack

ROUNDS = 3
COUNT = 1000
WARM = 50
SESSIONS = 8
CASES = ((1, 1), (1, 16), (8, 16))
"""(sessions, sends in flight over all of them)."""
RAW = "raw neonize"
QUIET = "raw neonize, its debug log off"
WAYS = (RAW, QUIET, "gRPC direct", "gRPC through Envoy", "REST through Envoy")


class Raw:
    """Raw neonize in its process."""

    def __init__(self, stack: Stack, folder: Path, to: str, *, quiet: bool) -> None:
        """Pairs SESSIONS devices of its own with the stack's sandbox.

        Args:
            stack: whose sandbox.
            folder: where the devices' stores go.
            to: the contact that the texts go to.
            quiet: whether the library's debug log, which formats every stanza, is off. It is on by
                itself, and off in the gateway.
        """
        folder.mkdir(exist_ok=True)
        self.numbers = [f"6281{5 if quiet else 7}100000{n}" for n in range(SESSIONS)]
        wire = stack.sandbox.get("/wire").json()
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.raw"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(writing,),
            text=True,
            env={**os.environ, "SSL_CERT_FILE": wire["caFile"]},
        )
        os.close(writing)
        self._results = os.fdopen(reading)
        self._ask(
            {
                "dir": str(folder),
                "sandbox": stack.ready["sandbox"],
                "proxy": wire["proxy"],
                "rootKey": wire["rootKey"],
                "numbers": self.numbers,
                "quiet": quiet,
                "to": to,
                "results": writing,
            }
        )

    def rate(self, sessions: int, in_flight: int, count: int) -> float:
        """Sends per second."""
        found: float = self._ask({"sessions": sessions, "inFlight": in_flight, "count": count})["rate"]
        return found

    def receive(self, count: int) -> float:
        """Waits until so many more messages have come in; returns when the last one did (`time.time()`)."""
        return self._ask({"receive": count})["at"]

    def close(self) -> None:
        """Ends the process."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(30)
        self._results.close()

    def _ask(self, order: dict[str, object]) -> dict[str, float]:
        if self._process.stdin is None:
            raise AssertionError
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._results.readline()
        if not line:
            raise RuntimeError("the raw process ended")
        answer: dict[str, float] = json.loads(line)
        return answer


@contextmanager
def raw(stack: Stack, folder: Path, to: str, *, quiet: bool) -> Iterator[Raw]:
    """A raw process that ends with the block."""
    process = Raw(stack, folder, to, quiet=quiet)
    try:
        yield process
    finally:
        process.close()


def measure(stack: Stack, folder: Path) -> list[tuple[str, int, int, float, float]]:
    """Measures every way in every case, interleaved.

    Returns:
        (way, sessions, in flight, median sends/s, ratio to raw) per way and case. The ratio is the
        median of the rounds' ratios: what the machine does meanwhile touches both sides of it.
    """
    to = "628150000000"
    stack.person(to, kind="sink")
    sessions = [stack.paired(f"62815200000{n}") for n in range(SESSIONS)]
    found: dict[tuple[str, int, int], list[float]] = {}
    with raw(stack, folder, to, quiet=False) as neonize, raw(stack, folder, to, quiet=True) as quiet:
        for session in sessions:
            for _ in range(3):
                stack.send(session, f"{to}@s.whatsapp.net", "warm").raise_for_status()
        for _ in range(ROUNDS):
            for case in CASES:
                found.setdefault((RAW, *case), []).append(neonize.rate(*case, COUNT))
                found.setdefault((QUIET, *case), []).append(quiet.rate(*case, COUNT))
                for way, measured in asyncio.run(_ways(stack, sessions, to, case)).items():
                    found.setdefault((way, *case), []).append(measured)
    rows = []
    for case in CASES:
        base = found[RAW, *case]
        for way in WAYS:
            rates = found[way, *case]
            ratio = statistics.median(mine / other for mine, other in zip(rates, base, strict=True))
            rows.append((way, *case, statistics.median(rates), ratio))
    return rows


async def _ways(stack: Stack, sessions: list[str], to: str, case: tuple[int, int]) -> dict[str, float]:
    count, in_flight = case
    key, jid = stack.ready["apiKey"], f"{to}@s.whatsapp.net"
    async with AsyncExitStack() as exits:
        senders = {
            WAYS[2]: await grpc_sender(exits, stack.ready["node"], key, jid),
            WAYS[3]: await grpc_sender(exits, stack.ready["grpc"], key, jid),
            WAYS[4]: await rest_sender(exits, stack.ready["http"], key, jid),
        }
        found = {}
        for way, send in senders.items():
            await rate(send, sessions[:count], in_flight, WARM)  # connections are made outside the measure
            found[way] = await rate(send, sessions[:count], in_flight, COUNT)
        return found
