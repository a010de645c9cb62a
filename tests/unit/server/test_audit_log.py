"""The audit's two ways of keeping a line, and its end."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from server.auth import audit as module
from server.auth.audit import BACKLOG, BATCH, AuditLog
from server.store.records import AuditLine
from tests.support.waiting import one_turn, until

DAY_MS = 24 * 3600 * 1000


def line(target: str = "", actor: str = "user_1") -> AuditLine:
    return AuditLine(1, "acme", actor, "jwt", "createSession", target, "ok", "r1")


class Ledger:
    """A `server.auth.audit.AuditStore` that takes lines when it may."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.broken = False
        self.deleted: list[tuple[int, int]] = []
        self.old = 0

    @property
    def targets(self) -> list[str]:
        return [target for batch in self.batches for target in batch]

    async def append(self, lines: Sequence[AuditLine]) -> None:
        await self.may_write.wait()
        if self.broken:
            raise OSError("the disk is full")
        self.batches.append([line.target for line in lines])

    async def delete_before(self, at: int, limit: int) -> int:
        self.deleted.append((at, limit))
        found = min(limit, self.old)
        self.old -= found
        return found


async def test_a_recorded_line_is_durable_when_the_call_goes_on() -> None:
    ledger = Ledger()
    ledger.may_write.clear()
    audit = AuditLog(ledger, 1)
    recording = asyncio.create_task(audit.record(line("a")))
    for _ in range(5):
        await one_turn()
    assert not recording.done()
    ledger.may_write.set()
    await recording
    assert ledger.targets == ["a"]
    await audit.close()


async def test_noted_lines_are_written_together_and_in_order() -> None:
    ledger = Ledger()
    audit = AuditLog(ledger, 1)
    wanted = [str(n) for n in range(BATCH + 50)]
    for target in wanted:
        audit.note(line(target))
    await until(lambda: len(ledger.targets) == len(wanted), "all are written")
    assert ledger.targets == wanted
    assert [len(batch) for batch in ledger.batches] == [BATCH, 50]
    await audit.close()


async def test_closing_writes_what_waits_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 3600)
    ledger = Ledger()
    audit = AuditLog(ledger, 1)
    audit.open()
    audit.note(line("a"))
    async with asyncio.timeout(5):
        await audit.close()
    assert ledger.targets == ["a"]


async def test_what_waits_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "server")
    ledger = Ledger()
    ledger.may_write.clear()
    audit = AuditLog(ledger, 1)
    for n in range(BACKLOG + 1):
        audit.note(line(str(n)))
    assert "will not be" in caplog.text
    assert f'"target": "{BACKLOG}"' in caplog.text
    ledger.may_write.set()
    await audit.close()
    assert len(ledger.targets) == BACKLOG


async def test_a_database_that_fails_fails_no_caller(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger()
    ledger.broken = True
    audit = AuditLog(ledger, 1)
    await audit.record(line("a"))
    audit.note(line("b"))
    await until(lambda: "1 changes could not be audited" in caplog.text, "it is said")
    ledger.broken = False
    audit.note(line("c"))
    await audit.close()
    assert ledger.targets == ["c"]


async def test_every_line_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "server")
    audit = AuditLog(Ledger(), 1)
    await audit.record(line("s1", actor='eve"}\nERROR forged'))
    await audit.close()
    (record,) = caplog.records
    text = record.getMessage()
    assert "\n" not in text
    assert json.loads(text.removeprefix("change ")) == {
        "operation": "createSession",
        "outcome": "ok",
        "organization": "acme",
        "actor": 'eve"}\nERROR forged',
        "kind": "jwt",
        "target": "s1",
        "request": "r1",
    }


async def test_lines_that_are_too_old_are_deleted_in_bounded_steps() -> None:
    ledger = Ledger()
    ledger.old = 2 * module.SWEEP_BATCH + 7
    audit = AuditLog(ledger, 30, now=lambda: 100 * DAY_MS)
    audit.open()
    await until(lambda: ledger.old == 0, "all are deleted")
    await audit.close()
    assert ledger.deleted == [(70 * DAY_MS, module.SWEEP_BATCH)] * 3
