"""What keys and rates cost a send, how fast async sends are accepted, and how fast they go out."""

import asyncio
import contextlib
import itertools
import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from bench.load import Send, rate
from bench.sends import Raw
from tests.support.stack import Stack, eventually

ROUNDS = 3
COUNT = 1000
ACCEPTED = 3000
IN_FLIGHT = 16
WARM = 50
CHATS = (1, 8)
"""Contacts that the outbox's messages go to."""


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


@dataclass(frozen=True)
class Outbox:
    """What was measured of the outbox, medians; per second.

    Attributes:
        away: async sends accepted while their session is not connected.
        at_work: the same while it sends what is accepted.
        drained: by the number of chats, (messages sent, that rate against raw neonize's).
    """

    away: float
    at_work: float
    drained: dict[int, tuple[float, float]]


def measure_outbox(stack: Stack, neonize: Raw, to: str) -> Outbox:
    """Accepts ACCEPTED messages for a session that is away, then lets it send them.

    Args:
        stack: whose sessions have no send rates.
        neonize: raw, which sends to one contact.
        to: that contact's number; the gateway sends to it and to others like it.
    """
    others = [str(int(to) + 100 + number) for number in range(max(CHATS) - 1)]
    for number in others:
        stack.person(number, kind="sink")
    jids = [f"{number}@s.whatsapp.net" for number in (to, *others)]
    session = stack.paired("628152000008")
    for jid in jids:
        stack.send(session, jid, "warm").raise_for_status()
    away, at_work = [], []
    drained: dict[int, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for chats in CHATS:
            stack.rest.post(f"/sessions/{session}:stop").raise_for_status()
            away.append(asyncio.run(accept(stack, session, jids[:chats])))
            raw = neonize.rate(1, IN_FLIGHT, COUNT)
            stack.rest.post(f"/sessions/{session}:start").raise_for_status()
            stack.await_status(session, "working")
            began, waiting = time.perf_counter(), left(stack)
            eventually(lambda: left(stack) == 0, "the outbox is empty", within=300)
            rate_now = waiting / (time.perf_counter() - began)
            drained.setdefault(chats, []).append((rate_now, rate_now / raw))
        at_work.append(asyncio.run(accept(stack, session, jids)))
        eventually(lambda: left(stack) == 0, "the outbox is empty", within=300)
    return Outbox(
        statistics.median(away),
        statistics.median(at_work),
        {
            chats: (statistics.median(r for r, _ in found), statistics.median(r for _, r in found))
            for chats, found in drained.items()
        },
    )


async def accept(stack: Stack, session: str, jids: Sequence[str]) -> float:
    """Async sends accepted per second, to several contacts in turn."""
    async with AsyncExitStack() as exits:
        senders = [await sender(exits, stack, jid, LATER, "") for jid in jids]
        turns = itertools.cycle(senders)

        async def send(session: str, text: str) -> None:
            await next(turns)(session, text)

        return await rate(send, [session], IN_FLIGHT * 2, ACCEPTED)


def left(stack: Stack) -> int:
    """How many messages wait in the outbox or are being sent."""
    with contextlib.closing(sqlite3.connect(f"file:{stack.data_dir / 'wagate.db'}?mode=ro", uri=True)) as db:
        waiting = "SELECT count(*) FROM outbox WHERE status IN ('queued', 'sending')"
        found: int = db.execute(waiting).fetchone()[0]
        return found
