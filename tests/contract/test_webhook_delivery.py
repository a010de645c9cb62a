"""Events come to webhooks: all of them, in order, signed, and once where nothing goes wrong."""

import hashlib
import hmac
import json

import pytest

from server.events.envelope import SCHEMA
from server.store.database import Database
from server.store.delivery_records import DeliveryState
from server.store.event_log import EventLog
from server.store.records import Organization
from tests.support.couriers import posting
from tests.support.events import append, append_many
from tests.support.receiver import answering_to, receiving
from tests.support.waiting import until, until_async

pytestmark = pytest.mark.usefixtures("organization")


async def test_a_webhook_gets_what_happens_from_then_on(
    database: Database, organization: Organization
) -> None:
    await append(database, "before")
    async with posting(database) as post, receiving() as receiver:
        webhook = await post.webhook(receiver.url)
        ids = await append(database, "message", session="s", payload={"body": "é", "timestamp": 2**53})
        await receiver.took(ids)
        (received,) = receiver.received
        assert received.event == {
            "schema": SCHEMA,
            "id": ids[0],
            "event": "message",
            "session": "s",
            "organization": organization.id,
            "timestamp": 1,
            "payload": {"body": "é", "timestamp": 2**53},
        }
        assert b"9007199254740992" in received.body
        assert received.headers["Content-Type"] == "application/json"
        assert received.headers["X-Webhook-Request-Id"] == f"{webhook.id}.{ids[0]}"
        assert abs(int(received.headers["X-Webhook-Timestamp"]) - post.time.now) < 60_000
        assert "X-Webhook-Hmac" not in received.headers

        async def logged() -> bool:
            return len(await post.listed(webhook, DeliveryState.DELIVERED)) == 1

        await until_async(logged, "the delivery is logged")
        (delivery,) = await post.listed(webhook)
        assert (delivery.event_id, delivery.attempts, delivery.last_status) == (ids[0], 1, 200)
        assert delivery.delivered_at is not None
        health = await post.deliveries.health(webhook)
        assert (health.position, health.failures, health.suspended_until) == (ids[0], 0, None)


async def test_the_signature_is_that_of_the_raw_body_and_follows_a_new_secret(database: Database) -> None:
    async with posting(database) as post, receiving() as receiver:
        webhook = await post.webhook(
            receiver.url, secret="schlüssel", custom_headers={"x-team": "blue", "user-agent": "mine"}
        )
        await append(database, "message", payload={"body": "😀"})
        await receiver.was_posted(1)
        await post.change(webhook, secret="another")
        await append(database, "message")
        await receiver.was_posted(2)
        for received, secret in zip(receiver.received, ("schlüssel", "another"), strict=True):
            expected = hmac.new(secret.encode(), received.body, hashlib.sha512).hexdigest()
            assert received.headers["X-Webhook-Hmac"] == expected
            assert received.headers["X-Webhook-Hmac-Algorithm"] == "sha512"
            assert (received.headers["x-team"], received.headers["User-Agent"]) == ("blue", "mine")


async def test_all_events_come_in_order_one_at_a_time(database: Database) -> None:
    async with posting(database) as post, receiving() as receiver:
        await post.webhook(receiver.url)
        ids = await append_many(database, 250)
        await receiver.took(ids)
        assert receiver.most == 1


async def test_filters_leave_out_events_and_sessions(database: Database) -> None:
    async with posting(database) as post, receiving() as some, receiving() as all_of_them:
        await post.webhook(some.url, events=("message", "message.status"), session_id=None)
        await post.webhook(all_of_them.url)
        ids = await append(database, "message", "chat.updated", "message.status", "presence")
        await all_of_them.took(ids)
        await some.took([ids[0], ids[2]])


async def test_a_node_that_comes_back_goes_on_where_it_was(database: Database) -> None:
    async with receiving() as receiver:
        async with posting(database) as post:
            await post.webhook(receiver.url)
            ids = await append(database, "a", "b")
            await receiver.took(ids)
        ids += await append(database, "c", "d")
        async with posting(database):
            await receiver.took(ids)


async def test_what_an_endpoint_has_passed_by_is_written_down(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.events.webhooks.endpoint.SAVE_SECONDS", 0.01)
    async with posting(database) as post, receiving() as receiver:
        webhook = await post.webhook(receiver.url, events=("wanted",))
        ids = await append(database, "x", "y")

        async def written() -> bool:
            return (await post.deliveries.health(webhook)).position == ids[-1]

        await until_async(written, "the position is written")
        assert receiver.received == []


async def test_a_paused_webhook_gets_later_what_happened_meanwhile(database: Database) -> None:
    async with posting(database) as post, receiving() as receiver:
        webhook = await post.webhook(receiver.url)
        ids = await append(database, "a")
        await receiver.took(ids)
        await post.change(webhook, active=False)
        await until(lambda: post.courier.working == 0, "nobody works it")
        ids += await append(database, "b", "c")
        await post.change(webhook, active=True)
        await receiver.took(ids)


async def test_a_deleted_webhook_gets_nothing_more(database: Database) -> None:
    async with posting(database) as post, receiving() as receiver:
        webhook = await post.webhook(receiver.url)
        ids = await append(database, "a")
        await receiver.took(ids)
        await post.webhooks.delete(webhook.id)
        post.courier.changed(webhook.id)
        await until(lambda: post.courier.working == 0, "nobody works it")
        await append(database, "b")
        assert await post.listed(webhook) == []
        assert receiver.taken == ids


async def test_a_gap_is_told_before_what_is_behind_it(database: Database, organization: Organization) -> None:
    async with receiving() as receiver:
        async with posting(database) as post:
            await post.webhook(receiver.url, events=("tick",))
            first = await append_many(database, 1)
            await receiver.took(first)
        ids = await append_many(database, 5)
        await EventLog(database).forget(organization.id, until=ids[2], limit=100)
        async with posting(database):
            await receiver.was_posted(4)
    gap = json.loads(receiver.received[1].body)
    assert (gap["id"], gap["event"], gap["session"]) == (ids[2], "gap", None)
    assert gap["payload"] == {"after": first[0], "until": ids[2]}
    assert receiver.taken == [*first, ids[2], ids[3], ids[4]]


async def test_an_endpoint_that_refuses_one_event_goes_on_with_the_next(database: Database) -> None:
    async with posting(database) as post, receiving() as receiver:
        webhook = await post.webhook(receiver.url, attempts=3)
        receiver.behaves = answering_to("poison", 422)
        good, bad, better = await append(database, "good", "poison", "better")
        await receiver.took([good, better])
        (dead,) = await post.listed(webhook, DeliveryState.DEAD)
        assert (dead.event_id, dead.attempts, dead.last_status) == (bad, 3, 422)
        assert dead.last_error == "it answered 422"
        assert post.time.slept == [1, 1]
        assert (await post.deliveries.health(webhook)).dead == 1
