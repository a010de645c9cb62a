"""Last uses: gathered, written once a minute, and never in a call's way."""

import asyncio
from collections.abc import Mapping

import pytest

from server.auth.last_use import PRECISION_MS, LastUses
from tests.support.waiting import one_turn, until

NOW = 1_000_000


class Ledger:
    """Takes last uses, when it may."""

    def __init__(self) -> None:
        self.writes: list[dict[str, int]] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.broken = False

    async def __call__(self, uses: Mapping[str, int]) -> None:
        await self.may_write.wait()
        if self.broken:
            raise OSError("the disk is full")
        self.writes.append(dict(uses))


async def test_uses_are_written_together() -> None:
    ledger = Ledger()
    uses = LastUses(ledger, lambda: NOW, gather=0.01)
    for _ in range(3):
        uses.note("a", None)
        uses.note("b", NOW - PRECISION_MS)
    await until(lambda: ledger.writes, "the uses are written")
    assert ledger.writes == [{"a": NOW, "b": NOW}]
    await uses.close()


async def test_a_use_within_the_minute_is_not_written() -> None:
    ledger = Ledger()
    uses = LastUses(ledger, lambda: NOW, gather=0.0)
    uses.note("a", NOW - PRECISION_MS + 1)
    await uses.close()
    assert ledger.writes == []


async def test_a_use_noted_while_others_are_written_is_written_too() -> None:
    ledger = Ledger()
    ledger.may_write.clear()
    uses = LastUses(ledger, lambda: NOW, gather=0.0)
    uses.note("a", None)
    for _ in range(5):
        await one_turn()
    uses.note("b", None)
    ledger.may_write.set()
    await until(lambda: len(ledger.writes) == 2, "both are written")
    assert ledger.writes == [{"a": NOW}, {"b": NOW}]
    await uses.close()


async def test_closing_writes_what_was_gathered_at_once() -> None:
    ledger = Ledger()
    uses = LastUses(ledger, lambda: NOW, gather=3600)
    uses.note("a", None)
    async with asyncio.timeout(5):
        await uses.close()
    assert ledger.writes == [{"a": NOW}]


async def test_a_database_that_fails_costs_the_uses_alone(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger()
    ledger.broken = True
    uses = LastUses(ledger, lambda: NOW, gather=0.0)
    uses.note("a", None)
    await until(lambda: "could not be stored" in caplog.text, "it is said")
    ledger.broken = False
    uses.note("b", None)
    await uses.close()
    assert ledger.writes == [{"b": NOW}]
