"""What keys and rates cost a send, how fast async sends are accepted, and how fast they go out."""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.load import Send, rate
from bench.sends import Raw
from tests.support.stack import Stack, eventually

ROUNDS = 3
COUNT = 1000
ACCEPTED = 3000
IN_FLIGHT = 16
WARM = 50


@dataclass(frozen=True)
class Kind:
    """A kind of send over REST.

    Attributes:
        keyed: whether each has an Idempotency-Key of its own.
        later: whether it is async.
    """

    name: str
    keyed: bool
    later: bool = False


PLAIN = Kind("REST, no key", keyed=False)
KEYED = Kind("REST, a new Idempotency-Key each", keyed=True)
LATER = Kind("REST, async", keyed=False, later=True)


async def sender(exits: AsyncExitStack, stack: Stack, to: str, kind: Kind, run: str) -> Send:
    """Sends texts of one kind; `run` keeps the keys of one measurement from those of another."""
    client = await exits.enter_async_context(
        aiohttp.ClientSession(headers={"authorization": f"Bearer {stack.ready['apiKey']}"})
    )
    query, expected = ("?async=true", 202) if kind.later else ("", 200)

    async def send(session: str, text: str) -> None:
        headers = {"idempotency-key": f"{run} {text}"} if kind.keyed else {}
        url = f"{stack.ready['http']}/api/v1/sessions/{session}/messages{query}"
        body = {"to": to, "type": "text", "text": text}
        async with client.post(url, json=body, headers=headers) as answer:
            if answer.status != expected:
                raise RuntimeError(await answer.text())
            await answer.read()

    return send


async def measure_kinds(stack: Stack, session: str, to: str, kinds: Sequence[Kind], run: str) -> list[float]:
    """Sends per second of each kind."""
    found = []
    async with AsyncExitStack() as exits:
        for kind in kinds:
            send = await sender(exits, stack, to, kind, run)
            await rate(send, [session], IN_FLIGHT, WARM)
            found.append(await rate(send, [session], IN_FLIGHT, COUNT))
    return found


def measure_keys(free: Stack, limited: Stack) -> list[tuple[str, float, float]]:
    """(kind, median sends/s, median ratio to plain sends without limits), the two stacks in turn.

    Args:
        free: whose sessions have no send rates.
        limited: whose sessions have rates that are never reached, and so are counted.
    """
    number, session_number = "628150000009", "628152000009"
    for stack in (free, limited):
        stack.person(number, kind="sink")
    sessions = {id(stack): stack.paired(session_number) for stack in (free, limited)}
    to = f"{number}@s.whatsapp.net"
    names = (PLAIN.name, KEYED.name, f"{PLAIN.name}, rates counted", f"{KEYED.name}, rates counted")
    rounds = []
    for turn in range(ROUNDS):
        found: list[float] = []
        for stack in (free, limited):
            kinds = (PLAIN, KEYED)
            found += asyncio.run(
                measure_kinds(stack, sessions[id(stack)], to, kinds, f"{turn} {time.monotonic_ns()}")
            )
        rounds.append(found)
    return [
        (
            name,
            statistics.median(found[index] for found in rounds),
            statistics.median(found[index] / found[0] for found in rounds),
        )
        for index, name in enumerate(names)
    ]


def measure_outbox(stack: Stack, neonize: Raw, to: str) -> tuple[float, float, float, float]:
    """Medians of: accepted per second while away, while sending too, drained per second, of raw neonize.

    The session's sends go to one contact, in order, as raw neonize's do.
    """
    session = stack.paired("628152000008")
    jid = f"{to}@s.whatsapp.net"
    away, at_work, drained, ratios = [], [], [], []
    for _ in range(ROUNDS):
        stack.rest.post(f"/sessions/{session}:stop").raise_for_status()
        away.append(asyncio.run(accept(stack, session, jid, ACCEPTED)))
        raw = neonize.rate(1, IN_FLIGHT, COUNT)
        began = time.perf_counter()
        stack.rest.post(f"/sessions/{session}:start").raise_for_status()
        stack.await_status(session, "working")
        began_sending = time.perf_counter()
        await_drained(stack)
        drained.append(ACCEPTED / (time.perf_counter() - min(began_sending, began + 5)))
        ratios.append(drained[-1] / raw)
        at_work.append(asyncio.run(accept(stack, session, jid, ACCEPTED)))
        await_drained(stack)
    return (
        statistics.median(away),
        statistics.median(at_work),
        statistics.median(drained),
        statistics.median(ratios),
    )


async def accept(stack: Stack, session: str, jid: str, count: int) -> float:
    """Async sends accepted per second."""
    async with AsyncExitStack() as exits:
        send = await sender(exits, stack, jid, LATER, "")
        return await rate(send, [session], IN_FLIGHT * 2, count)


def await_drained(stack: Stack) -> None:
    """Waits until nothing waits in the outbox."""
    path: Path = stack.data_dir / "wagate.db"

    def empty() -> bool:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            open_entries = "SELECT 1 FROM outbox WHERE status IN ('queued', 'sending') LIMIT 1"
            return database.execute(open_entries).fetchone() is None

    eventually(empty, "the outbox is empty", within=300)
