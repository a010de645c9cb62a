"""Webhooks, while the node ends again and again: every event at least once, in order."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import httpx
import psutil
import pytest
from aiohttp import web

from examples.python.follow_with_grpc import follow
from tests.faults.test_following_through_kills import OLDEST, accepted, replaced
from tests.support.databases import NewDatabase
from tests.support.receiver import Behaviour, Received, Receiver, answering, receiving_aside
from tests.support.stack import Stack, eventually, running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Stack]:
    settings = {"WAGATE_SEND_TIMEOUT": "3", "WAGATE_WEBHOOK_ALLOW_PRIVATE": "1", **new_database()}
    with running(tmp_path_factory.mktemp("webhooks") / "data", **settings) as product:
        yield product


def slowly(behaviour: Behaviour) -> Behaviour:
    """Takes its time, so that a kill falls into the middle of a POST."""

    async def answer(request: web.Request, received: Received) -> web.StreamResponse:
        await asyncio.sleep(0.02)  # what is slow about it
        return await behaviour(request, received)

    return answer


def a_webhook(stack: Stack, receiver: Receiver, **fields: object) -> str:
    """Makes a webhook by REST; returns its id."""
    answer = stack.rest.post("/webhooks", json={"url": receiver.url, **fields})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["id"])


def in_the_log(stack: Stack, last: str) -> list[tuple[str, str]]:
    """Id and name of all events up to one, as an undisturbed reader of the stream sees them."""
    seen: list[tuple[str, str]] = []
    saved = [OLDEST]
    with closing(
        follow(stack.ready["grpc"], stack.ready["apiKey"], lambda: saved[-1], saved.append)
    ) as events:
        for event in events:
            seen.append((event.id, event.event))
            if event.id == last:
                return seen
    raise AssertionError("a stream without end has ended")


def end_of(receiver: Receiver, outbox_id: str) -> str | None:
    """The id of the event that tells how an async send ended, once the receiver has taken it."""
    for received in list(receiver.received):
        if received.event_id in receiver.taken and received.event["payload"].get("outboxId") == outbox_id:
            return received.event_id
    return None


@pytest.mark.both_engines
def test_every_endpoint_gets_every_event_in_order_through_kills_and_restarts(stack: Stack) -> None:
    with receiving_aside() as well, receiving_aside() as unwell, receiving_aside() as picky:
        well.behaves = picky.behaves = slowly(answering(200))
        unwell.behaves = answering(500)
        a_webhook(stack, well, secret="s")
        patient = {"policy": "constant", "delaySeconds": 1, "attempts": 100}
        a_webhook(stack, unwell, retryPolicy=patient)
        session = stack.paired("628130000041")
        ada = stack.person("628140000041", "Ada")
        a_webhook(stack, picky, events=["message.status"], sessionId=session)
        for number, end in enumerate((psutil.Process.kill, psutil.Process.terminate, psutil.Process.kill)):
            for n in range(4):
                accepted(stack, session, ada, f"{number} {n}")
            eventually(lambda: well.at_once, "a POST is under way")
            replaced(stack, end)
            if number == 1:
                unwell.behaves = slowly(answering(200))
        outbox_id = accepted(stack, session, ada, "the end")
        last = eventually(lambda: end_of(well, outbox_id), "one endpoint is told of the end")
        logged = in_the_log(stack, last)
        for receiver, expected in (
            (well, [event_id for event_id, _ in logged]),
            (unwell, [event_id for event_id, _ in logged]),
            (picky, [event_id for event_id, name in logged if name == "message.status"]),
        ):
            eventually(lambda: last in receiver.taken, "each endpoint is told of the end")  # noqa: B023 - asked at once
            told = receiver.taken[: receiver.taken.index(last) + 1]
            assert list(dict.fromkeys(told)) == expected
            assert len(told) - len(expected) <= 3, "an end of the node repeats one event at most"
