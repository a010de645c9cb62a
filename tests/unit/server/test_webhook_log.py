"""The delivery log, an endpoint's status and redriving, by both ways of calling, with a real receiver."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from server.clock import now_ms
from server.store.events import BEFORE_ALL
from server.whatsapp.memory import MemoryNetwork
from tests.support.events import append
from tests.support.receiver import Receiver, answering, answering_to, receiving
from tests.support.waiting import until_async
from tests.unit.server.office import NOBODY, Office, open_office, refused

GONE = f"wh_{NOBODY}"


@pytest_asyncio.fixture
async def office(tmp_path: Path, network: MemoryNetwork) -> AsyncIterator[Office]:
    """One whose webhooks may lead to loopback."""
    async with open_office(tmp_path, network, webhook_allow_private=True) as serving:
        yield serving


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


async def made(office: Office, receiver: Receiver, **body: object) -> str:
    """A new webhook to `receiver`, which gives up after one attempt; returns its id."""
    once = {"attempts": 1, "delaySeconds": 1, "policy": "constant"}
    answer = await office.owner.rest("CreateWebhook", {"url": receiver.url, "retryPolicy": once, **body})
    assert answer.status == 201, answer.json
    webhook: str = answer.json["id"]
    return webhook


async def listed(office: Office, webhook: str, **fields: object) -> list[dict[str, Any]]:
    """The delivery log."""
    page = await office.owner.rest("ListWebhookDeliveries", id=webhook, **fields)
    assert page.status == 200, page.json
    data: list[dict[str, Any]] = page.json["data"]
    return data


async def are(office: Office, webhook: str, *states: str) -> None:
    """Waits until the deliveries, newest first, are in these states."""

    async def they_are() -> bool:
        return [delivery["state"] for delivery in await listed(office, webhook)] == list(states)

    await until_async(they_are, f"the deliveries are {states}")


async def status(office: Office, webhook: str) -> dict[str, Any]:
    """How an endpoint does."""
    answer = await office.owner.rest("GetWebhookStatus", id=webhook)
    assert answer.status == 200, answer.json
    told: dict[str, Any] = answer.json
    return told


async def test_a_new_webhook_has_no_deliveries_and_does_well(office: Office, receiver: Receiver) -> None:
    webhook = await made(office, receiver)
    assert (await office.owner.rest("ListWebhookDeliveries", id=webhook)).json == {
        "data": [],
        "nextCursor": "",
    }
    assert await status(office, webhook) == {
        "state": "active",
        "nextAttemptAt": None,
        "failures": 0,
        "dead": 0,
        "position": BEFORE_ALL,
    }


async def test_what_was_delivered_is_told(office: Office, receiver: Receiver) -> None:
    webhook = await made(office, receiver)
    before = now_ms()
    (event,) = await append(office.node.database, "message")
    await receiver.took([event])
    await are(office, webhook, "delivered")
    (delivery,) = await listed(office, webhook)
    assert before <= delivery["createdAt"] <= delivery["deliveredAt"] <= now_ms()
    assert delivery == {
        "id": event,
        "eventId": event,
        "event": "message",
        "state": "delivered",
        "attempts": 1,
        "lastStatus": 200,
        "lastError": None,
        "nextAttemptAt": None,
        "deliveredAt": delivery["deliveredAt"],
        "createdAt": delivery["createdAt"],
    }
    assert (await status(office, webhook))["position"] == event


async def test_what_is_dead_is_told_and_sent_again(office: Office, receiver: Receiver) -> None:
    receiver.behaves = answering_to("presence", 410)
    webhook = await made(office, receiver)
    first, dead, last = await append(office.node.database, "message", "presence", "message")
    await receiver.took([first, last])
    await are(office, webhook, "delivered", "dead", "delivered")
    (told,) = await listed(office, webhook, state="dead")
    assert (told["id"], told["attempts"], told["lastStatus"]) == (dead, 1, 410)
    assert told["lastError"]
    assert told["nextAttemptAt"] is told["deliveredAt"] is None
    assert (await status(office, webhook))["dead"] == 1
    # when the receiver is mended and the dead are redriven
    receiver.behaves = answering(200)
    answer = await office.owner.rest("RedriveWebhook", {}, id=webhook)
    assert (answer.status, answer.json) == (200, {"redriven": 1})
    # then it comes, behind what has overtaken it
    await receiver.took([first, last, dead])
    await are(office, webhook, "delivered", "delivered", "delivered")
    assert (await office.owner.rest("RedriveWebhook", {}, id=webhook)).json == {"redriven": 0}


async def test_the_dead_are_redriven_by_name(office: Office, receiver: Receiver) -> None:
    receiver.behaves = answering_to("presence", 410)
    webhook = await made(office, receiver)
    one, two, good = await append(office.node.database, "presence", "presence", "message")
    await are(office, webhook, "delivered", "dead", "dead")
    receiver.behaves = answering(200)
    asked = {"deliveryIds": [two, good, f"evt_{NOBODY}"]}
    assert (await office.owner.rest("RedriveWebhook", asked, id=webhook)).json == {"redriven": 1}
    await receiver.took([good, two])
    await are(office, webhook, "delivered", "delivered", "dead")
    native = await office.owner.native("RedriveWebhook", id=webhook, delivery_ids=[one])
    assert native.redriven == 1
    await receiver.took([good, two, one])


async def test_an_endpoint_that_is_away_is_suspended_and_its_events_wait(
    office: Office, receiver: Receiver
) -> None:
    receiver.behaves = answering(503)
    webhook = await made(office, receiver)
    events = await append(office.node.database, "message", "message")

    async def is_suspended() -> bool:
        return bool((await status(office, webhook))["state"] == "suspended")

    await until_async(is_suspended, "the webhook is suspended")
    told = await status(office, webhook)
    assert told["nextAttemptAt"] > now_ms() - 60_000
    assert told["failures"] >= 1
    assert told["position"] < events[0]
    (pending,) = await listed(office, webhook, state="pending")
    assert (pending["id"], pending["lastStatus"]) == (events[0], 503)
    assert pending["nextAttemptAt"] == told["nextAttemptAt"]
    # when its owner changes it, it is tried at once
    receiver.behaves = answering(200)
    assert (await office.owner.rest("UpdateWebhook", {"secret": "new"}, id=webhook)).status == 200
    await receiver.took(events)
    assert "X-Webhook-Hmac" in receiver.received[-1].headers
    await are(office, webhook, "delivered", "delivered")
    assert (await status(office, webhook))["state"] == "active"


async def test_a_paused_webhook_gets_later_what_it_missed(office: Office, receiver: Receiver) -> None:
    webhook = await made(office, receiver, active=False)
    events = await append(office.node.database, "message", "message")
    assert (await status(office, webhook))["state"] == "paused"
    assert (await office.owner.rest("UpdateWebhook", {"active": True}, id=webhook)).status == 200
    await receiver.took(events)


async def test_pages_are_newest_first(office: Office, receiver: Receiver) -> None:
    webhook = await made(office, receiver)
    events = await append(office.node.database, *["message"] * 5)
    await receiver.took(events)
    await are(office, webhook, *["delivered"] * 5)
    found, cursor = [], ""
    for expected in (2, 2, 1):
        page = (
            await office.owner.rest(
                "ListWebhookDeliveries", id=webhook, limit=2, cursor=cursor, state="delivered"
            )
        ).json
        assert len(page["data"]) == expected
        found += [delivery["id"] for delivery in page["data"]]
        cursor = page["nextCursor"]
    assert cursor == ""
    assert found == events[::-1]
    first = (await office.owner.rest("ListWebhookDeliveries", id=webhook, limit=2)).json["nextCursor"]
    other = await made(office, receiver)
    for fields in ({"id": other}, {"id": webhook, "state": "dead"}):
        answer = await office.owner.rest("ListWebhookDeliveries", cursor=first, **fields)
        assert (answer.status, set(answer.json["error"]["details"])) == (400, {"cursor"})


async def test_what_cannot_be_is_named(office: Office, receiver: Receiver) -> None:
    webhook = await made(office, receiver)
    for word in ("DEAD", "lost", "dead\0"):
        answer = await office.owner.rest("ListWebhookDeliveries", id=webhook, state=word)
        assert (answer.status, set(answer.json["error"]["details"])) == (400, {"state"})
    for ids in (["x"], [f"evt_{NOBODY}\0"], [""], [f"evt_{NOBODY}"] * 1001):
        answer = await office.owner.rest("RedriveWebhook", {"deliveryIds": ids}, id=webhook)
        assert (answer.status, set(answer.json["error"]["details"])) == (400, {"deliveryIds"})
        code, _, _ = await refused(office.owner.native("RedriveWebhook", id=webhook, delivery_ids=ids))
        assert code is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", ["GetWebhookStatus", "ListWebhookDeliveries", "RedriveWebhook"])
async def test_somebody_elses_webhook_does_not_exist(office: Office, receiver: Receiver, method: str) -> None:
    receiver.behaves = answering(410)
    webhook = await made(office, receiver)
    await append(office.node.database, "message")
    await are(office, webhook, "dead")
    body: object = {} if method == "RedriveWebhook" else None
    there = await office.stranger.rest(method, body, id=webhook)
    nowhere = await office.stranger.rest(method, body, id=GONE)
    assert there.status == nowhere.status == 404
    assert there.json == nowhere.json
    await are(office, webhook, "dead")


async def test_deliveries_go_with_their_webhook(office: Office, receiver: Receiver) -> None:
    receiver.behaves = answering(410)
    webhook = await made(office, receiver)
    await append(office.node.database, "message")
    await are(office, webhook, "dead")
    assert (await office.owner.rest("DeleteWebhook", id=webhook)).status == 204
    assert (await office.owner.rest("ListWebhookDeliveries", id=webhook)).status == 404


async def test_nothing_is_posted_to_a_deleted_webhook(office: Office, receiver: Receiver) -> None:
    webhook = await made(office, receiver)
    (first,) = await append(office.node.database, "message")
    await receiver.took([first])
    assert (await office.owner.rest("DeleteWebhook", id=webhook)).status == 204
    (second,) = await append(office.node.database, "message")
    # another webhook, made behind it, hears of what happens behind that: the deleted one would have too
    await made(office, receiver)
    (third,) = await append(office.node.database, "message")
    await receiver.took([first, third])
    assert second not in [received.event_id for received in receiver.received]
