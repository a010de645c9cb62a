"""What is done again and again goes on, whatever fails."""

import logging

import pytest

from server.rounds import Rounds
from tests.support.waiting import until


async def test_what_fails_keeps_nothing_else_from_being_done(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    async def fail() -> None:
        done.append("failed")
        raise RuntimeError

    async def work() -> None:
        done.append("worked")

    rounds = Rounds({"fail at something": fail, "work": work}, every=0.001)
    rounds.open()
    try:
        await until(lambda: done.count("worked") > 1, "two rounds are done")
    finally:
        await rounds.close()
    assert done[:4] == ["failed", "worked"] * 2
    assert ("server.rounds", logging.ERROR, "could not fail at something; it is tried again") in (
        caplog.record_tuples
    )
    before = len(done)
    await rounds.close()
    assert len(done) == before
