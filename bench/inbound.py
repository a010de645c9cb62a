"""How fast messages come in: through the gateway, into copy and log, against the client library alone.

Persons write while the network is silent towards the account, so that everything waits; then it speaks, and
what waited comes as fast as it is taken. So no person's work is part of the measure.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.sends import raw
from tests.support.stack import Stack, eventually

ROUNDS = 3
WRITERS = 4
EACH = 500
"""Messages of each person in a round."""
TO = "628150000000"
ACCOUNT = "628152100000"
RAW, QUIET, GATEWAY = "raw neonize", "raw neonize, its debug log off", "the gateway, stored and in the log"

Await = Callable[[int], float]
"""Waits for so many more messages; returns when the last of them was there (`time.time()`)."""


def measure(stack: Stack, folder: Path) -> list[tuple[str, float, float]]:
    """Measures each way in each round.

    Returns:
        (way, median messages/s, ratio to raw neonize); the ratio is the median of the rounds' ratios.
    """
    stack.person(TO, kind="sink")
    session = stack.paired(ACCOUNT)
    people = [f"62815220000{n}" for n in range(WRITERS)]
    for person in people:
        stack.person(person, person)
    found: dict[str, list[float]] = {RAW: [], QUIET: [], GATEWAY: []}
    with (
        raw(stack, folder / "inbound-raw", TO, quiet=False) as neonize,
        raw(stack, folder / "inbound-quiet", TO, quiet=True) as quiet,
    ):
        ways: dict[str, tuple[str, Await]] = {
            RAW: (neonize.numbers[0], neonize.receive),
            QUIET: (quiet.numbers[0], quiet.receive),
            GATEWAY: (ACCOUNT, lambda more: _stored(stack, session, more)),
        }
        for number, arrived in ways.values():
            _round(stack, people, number, arrived, 5)  # sessions are made outside the measure
        for _ in range(ROUNDS):
            for way, (number, arrived) in ways.items():
                found[way].append(_round(stack, people, number, arrived, EACH))
    return [
        (
            way,
            statistics.median(rates),
            statistics.median(mine / other for mine, other in zip(rates, found[RAW], strict=True)),
        )
        for way, rates in found.items()
    ]


def _round(stack: Stack, people: list[str], number: str, arrived: Await, each: int) -> float:
    stack.fault(kind="silence", number=number)

    def write(person: str) -> None:
        for text in range(each):
            stack.says(person, number, f"text {text}")

    with ThreadPoolExecutor(len(people) + 1) as pool:
        waiting = pool.submit(arrived, each * len(people))
        list(pool.map(write, people))
        began = time.time()
        stack.clear_faults()
        return each * len(people) / (waiting.result(timeout=120) - began)


def _stored(stack: Stack, session: str, more: int) -> float:
    def unread() -> int:
        chats = stack.rest.get(f"/sessions/{session}/chats", params={"limit": 200}).json()["data"]
        return sum(chat["unreadCount"] for chat in chats)

    wanted = unread() + more
    eventually(lambda: unread() >= wanted, f"{more} messages are stored", within=120)
    return time.time()
