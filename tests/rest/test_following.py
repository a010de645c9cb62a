"""Following events natively through Envoy, as docs/following.md shows it."""

from contextlib import closing

import httpx
import pytest
from wagate.v1 import events_pb2

from examples.python.follow_with_grpc import follow
from tests.support.stack import Stack

OLDEST = "evt_" + "0" * 26


def send_async(stack: Stack, session: str, to: str, text: str) -> str:
    """Has a text sent later; returns its outbox id."""
    answer = stack.rest.post(
        f"/sessions/{session}/messages",
        params={"async": "true"},
        json={"to": to, "type": "text", "text": text},
    )
    assert answer.status_code == httpx.codes.ACCEPTED
    outbox_id: str = answer.json()["outboxId"]
    return outbox_id


def told(stack: Stack, saved: list[str], outbox_id: str) -> events_pb2.Event:
    """Follows from where it was left until an outbox entry's end is told."""
    key = stack.ready["apiKey"]
    with closing(
        follow(stack.ready["grpc"], key, lambda: saved[-1], saved.append, ["message.status"])
    ) as events:
        return next(event for event in events if event.payload["outboxId"] == outbox_id)


@pytest.mark.both_engines
def test_the_end_of_an_async_send_is_told(stack: Stack, session: str, ada: str) -> None:
    saved = [OLDEST]
    first = send_async(stack, session, ada, "later")
    event = told(stack, saved, first)
    assert (event.schema, event.event, event.session) == ("v1", "message.status", session)
    assert event.organization == stack.rest.get(f"/sessions/{session}").json()["organizationId"]
    assert (event.payload["status"], event.payload["chatJid"]) == ("sent", ada)
    assert event.payload["waMessageId"]
    assert event.timestamp > 1_600_000_000_000

    saved.append(event.id)
    second = send_async(stack, session, ada, "later still")
    after = told(stack, saved, second)
    assert after.id > event.id
    assert all(event.id <= seen <= after.id for seen in saved[saved.index(event.id) :])
