"""Receivers that are down, refuse, or come back: nothing is lost, and nothing overtakes."""

import pytest

from server.store.database import Database
from server.store.delivery_records import DeliveryState
from server.store.event_log import EventLog
from server.store.webhook_deliveries import Outcome, WebhookDeliveryRepository
from server.store.webhooks import RetryPolicy
from tests.support.couriers import Post, Time, posting
from tests.support.events import append, append_many
from tests.support.receiver import (
    Behaviour,
    answering,
    answering_to,
    choosing,
    hanging,
    receiving,
    resetting,
)
from tests.support.stack import free_port
from tests.support.waiting import until, until_async

pytestmark = pytest.mark.usefixtures("organization")

TEN_MINUTES = 600.0
POLICIES = pytest.mark.parametrize(
    ("policy", "delay_seconds", "attempts"),
    [(RetryPolicy.EXPONENTIAL, 2, 15), (RetryPolicy.CONSTANT, 1, 3), (RetryPolicy.LINEAR, 5, 1)],
    ids=["as-documented", "hasty", "once"],
)


def until_then(time: Time, seconds: float, bad: Behaviour) -> Behaviour:
    """Misbehaves for so long, and takes everything afterwards."""
    good = answering(200)
    return choosing(lambda _received: bad if time.passed < seconds else good)


async def is_dead(post: Post, webhook_id: str, count: int) -> None:
    """Waits for so many dead letters."""

    async def there() -> bool:
        page = await post.deliveries.page(webhook_id, state=DeliveryState.DEAD, before="", limit=1000)
        return len(page) >= count

    await until_async(there, f"{count} events are given up")


@POLICIES
@pytest.mark.parametrize("bad", [answering(500), hanging, resetting], ids=["500", "hanging", "resetting"])
async def test_a_receiver_that_is_unwell_for_ten_minutes_gets_everything_in_order(
    database: Database, bad: Behaviour, policy: RetryPolicy, delay_seconds: int, attempts: int
) -> None:
    time = Time()
    async with posting(database, time=time, timeout_seconds=0.1) as post, receiving() as receiver:
        receiver.behaves = until_then(time, TEN_MINUTES, bad)
        webhook = await post.webhook(
            receiver.url, policy=policy, delay_seconds=delay_seconds, attempts=attempts
        )
        ids = await append_many(database, 60)
        await receiver.took(ids, maybe_twice=True)
        assert time.passed >= TEN_MINUTES
        assert len(receiver.received) - len(ids) < 40, "it is not stormed"
        assert await post.listed(webhook, DeliveryState.DEAD) == []
        assert receiver.most == 1


@POLICIES
async def test_a_receiver_that_is_not_there_for_ten_minutes_gets_everything_in_order(
    database: Database, policy: RetryPolicy, delay_seconds: int, attempts: int
) -> None:
    time, port = Time(), free_port()
    time.stop_at(TEN_MINUTES)
    async with posting(database, time=time) as post:
        webhook = await post.webhook(
            f"http://127.0.0.1:{port}/", policy=policy, delay_seconds=delay_seconds, attempts=attempts
        )
        ids = await append_many(database, 60)
        await until(lambda: time.passed == TEN_MINUTES, "ten minutes have passed", within=30)
        (pending,) = await post.listed(webhook)
        assert (pending.event_id, pending.state) == (ids[0], DeliveryState.PENDING)
        assert pending.last_error == "nobody listens at its address"
        async with receiving(port) as receiver:
            time.stop_at(None)
            await receiver.took(ids)
            assert await post.listed(webhook, DeliveryState.DEAD) == []


async def test_a_suspended_endpoint_says_so_and_why(database: Database) -> None:
    time = Time()
    time.stop_at(10)
    async with posting(database, time=time) as post, receiving() as receiver:
        receiver.behaves = answering(503)
        webhook = await post.webhook(receiver.url, attempts=2)
        ids = await append(database, "a")
        await until(lambda: time.passed == 10, "ten seconds have passed")
        health = await post.deliveries.health(webhook)
        (pending,) = await post.listed(webhook, DeliveryState.PENDING)
        assert health.suspended_until == pending.next_attempt_at
        assert (pending.last_status, pending.last_error) == (503, "it answered 503")
        receiver.behaves = answering(200)
        time.stop_at(None)
        await receiver.took(ids)

        async def well() -> bool:
            return (await post.deliveries.health(webhook)).suspended_until is None

        await until_async(well, "it is not suspended any more")


async def test_an_endpoint_that_refuses_everything_gives_up_a_few_events_and_keeps_the_rest(
    database: Database,
) -> None:
    time = Time()
    time.stop_at(6 * 3600)
    async with posting(database, time=time) as post, receiving() as receiver:
        receiver.behaves = answering(401)
        webhook = await post.webhook(receiver.url, attempts=4)
        ids = await append_many(database, 60)
        await until(lambda: time.passed == 6 * 3600, "six hours have passed", within=30)
        dead = await post.listed(webhook, DeliveryState.DEAD)
        assert [delivery.event_id for delivery in dead] == ids[:5]
        assert len(receiver.received) < 150
        receiver.behaves = answering(200)
        time.stop_at(None)
        await receiver.took(ids[5:])
        # Mended: what was given up comes as well, behind what was not.
        assert await post.deliveries.redrive(webhook.id, ()) == 5
        post.courier.changed(webhook.id)
        await receiver.took(ids[5:] + ids[:5])


async def test_one_event_that_makes_a_receiver_fail_does_not_stop_the_rest_for_ever(
    database: Database,
) -> None:
    time = Time()
    async with posting(database, time=time, patience_seconds=3600) as post, receiving() as receiver:
        receiver.behaves = answering_to("poison", 500)
        webhook = await post.webhook(receiver.url, attempts=3)
        good, bad, better = await append(database, "good", "poison", "better")
        await receiver.took([good, better])
        assert 3600 <= time.passed < 3600 + 301
        (dead,) = await post.listed(webhook, DeliveryState.DEAD)
        assert (dead.event_id, dead.last_error) == (bad, "it answered 500")


async def test_a_receiver_may_say_when_to_come_back(database: Database) -> None:
    time = Time()
    async with posting(database, time=time) as post, receiving() as receiver:
        receiver.behaves = until_then(time, 1, answering(429, **{"Retry-After": "120"}))
        await post.webhook(receiver.url)
        await receiver.took(await append(database, "a"))
        assert time.slept == [120]


async def test_a_mended_webhook_is_tried_at_once(database: Database) -> None:
    time = Time()
    time.stop_at(0)
    async with posting(database, time=time) as post, receiving() as receiver:
        webhook = await post.webhook(f"http://127.0.0.1:{free_port()}/", delay_seconds=3600)
        ids = await append(database, "a", "b")
        await until(lambda: time.slept, "the first attempt has failed")
        await post.change(webhook, url=receiver.url)
        await receiver.took(ids)


async def test_a_webhook_that_was_paused_while_its_receiver_was_mended_is_tried_at_once(
    database: Database,
) -> None:
    time = Time()
    time.stop_at(0)
    async with posting(database, time=time) as post, receiving() as receiver:
        receiver.behaves = answering(500)
        webhook = await post.webhook(receiver.url, delay_seconds=3600, attempts=1)
        ids = await append(database, "a", "b")
        await until(lambda: time.slept, "the first attempt has failed")
        await post.change(webhook, active=False)
        await until(lambda: post.courier.working == 0, "nobody works it")
        assert (await post.deliveries.health(webhook)).suspended_until is None
        receiver.behaves = answering(200)
        await post.change(webhook, active=True)
        await receiver.took(ids)


async def test_an_event_that_is_not_wanted_any_more_holds_nothing_up(database: Database) -> None:
    time = Time()
    time.stop_at(0)
    async with posting(database, time=time) as post, receiving() as receiver:
        receiver.behaves = answering_to("a", 503)
        webhook = await post.webhook(receiver.url)
        ids = await append(database, "a", "b", "c", "b")
        await until(lambda: time.slept, "the first attempt has failed")
        await post.change(webhook, events=["b"])
        post.courier.changed(webhook.id)
        await receiver.took([ids[1], ids[3]])
        (left,) = await post.listed(webhook, DeliveryState.DEAD)
        assert (left.event_id, left.last_error) == (ids[0], "it answered 503")


async def test_a_node_that_comes_back_knows_how_far_an_attempt_was(database: Database) -> None:
    first, second = Time(), Time()
    first.stop_at(0)
    async with receiving() as receiver:
        receiver.behaves = answering(400)
        async with posting(database, time=first) as post:
            webhook = await post.webhook(receiver.url, attempts=3, delay_seconds=300)
            ids = await append(database, "a", "b")
            await until(lambda: first.slept, "the first attempt has failed")
        # The event need not be in the log any more: it is kept with what is known of it.
        await EventLog(database).forget("org", until=ids[0], limit=1)
        second.now = first.now
        receiver.behaves = lambda request, received: answering(
            400 if received.event["id"] == ids[0] else 200
        )(request, received)
        async with posting(database, time=second) as post:
            await receiver.took(ids[1:])
            assert second.slept == [300, 300]
            (dead,) = await post.listed(webhook, DeliveryState.DEAD)
            assert (dead.event_id, dead.attempts) == (ids[0], 3)
    assert [received.event["id"] for received in receiver.received] == [ids[0]] * 3 + ids[1:]


async def test_a_dead_letter_is_driven_again_with_its_body_beside_what_goes_on(database: Database) -> None:
    async with posting(database) as post, receiving() as receiver:
        webhook = await post.webhook(receiver.url, attempts=1, secret="s")
        receiver.behaves = answering_to("bad", 422)
        bad, good = await append(database, "bad", "good")
        await receiver.took([good])
        await is_dead(post, webhook.id, 1)
        await EventLog(database).forget("org", until=good, limit=10)
        # Still refused: it is dead again.
        assert await post.deliveries.redrive(webhook.id, [bad]) == 1
        assert await post.deliveries.redrive(webhook.id, [bad]) == 0, "it is under way"
        post.courier.changed(webhook.id)
        await receiver.was_posted(3)
        await is_dead(post, webhook.id, 1)
        receiver.behaves = answering(200)
        assert await post.deliveries.redrive(webhook.id, [bad, good]) == 1
        post.courier.changed(webhook.id)
        await receiver.took([good, bad])
        first, _, _, last = receiver.received
        assert first.body == last.body
        assert first.headers["X-Webhook-Hmac"] == last.headers["X-Webhook-Hmac"]
        assert first.headers["X-Webhook-Request-Id"] == last.headers["X-Webhook-Request-Id"]


async def test_dead_letters_wait_while_their_endpoint_is_down(database: Database) -> None:
    time = Time()
    async with posting(database, time=time) as post, receiving() as receiver:
        receiver.behaves = answering(410)
        webhook = await post.webhook(receiver.url, attempts=1)
        (dead,) = await append(database, "dead")
        await is_dead(post, webhook.id, 1)
        time.stop_at(time.passed + 60)
        receiver.behaves = answering(503)
        (head,) = await append(database, "head")
        await until(lambda: len(receiver.received) > 3, "the head is tried")
        assert await post.deliveries.redrive(webhook.id, ()) == 1
        post.courier.changed(webhook.id)
        receiver.behaves = answering(200)
        time.stop_at(None)
        await receiver.took([head, dead])


async def test_endpoints_that_hang_do_not_delay_others(database: Database) -> None:
    async with (
        posting(database, timeout_seconds=0.2, places=4) as post,
        receiving() as good,
        receiving() as bad,
    ):
        bad.behaves = hanging
        for _ in range(8):
            await post.webhook(bad.url)
        await post.webhook(good.url)
        ids = await append_many(database, 50)
        await good.took(ids, maybe_twice=True)
        assert bad.most <= 4
        assert bad.taken == []


async def test_what_could_not_be_written_is_not_passed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = WebhookDeliveryRepository.settle
    failed: list[Outcome] = []

    async def fail_once(self: WebhookDeliveryRepository, outcome: Outcome) -> bool:
        if outcome.tried is not None and not failed:
            failed.append(outcome)
            raise RuntimeError("a defect")
        return await settle(self, outcome)

    monkeypatch.setattr(WebhookDeliveryRepository, "settle", fail_once)
    async with posting(database) as post, receiving() as receiver:
        receiver.behaves = answering_to("bad", 400)
        webhook = await post.webhook(receiver.url, attempts=1)
        bad, good = await append(database, "bad", "good")
        await receiver.took([good])
        await is_dead(post, webhook.id, 1)
        (dead,) = await post.listed(webhook, DeliveryState.DEAD)
        assert dead.event_id == bad
        assert [received.event_id for received in receiver.received] == [bad, bad, good]
