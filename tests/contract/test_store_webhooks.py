"""Stored webhooks."""

import asyncio
from dataclasses import replace

import pytest

from server.store.api_keys import ApiKeyRepository
from server.store.conversations import SessionGoneError
from server.store.database import Database
from server.store.events import BEFORE_ALL, append_events
from server.store.records import NewEvent, Organization, Session
from server.store.sessions import SessionRepository
from server.store.webhooks import RetryPolicy, Webhook, WebhookRepository
from tests.support.records import a_webhook

MANY = 100


@pytest.fixture
def webhooks(database: Database) -> WebhookRepository:
    return WebhookRepository(database)


async def stored(webhooks: WebhookRepository, webhook: Webhook) -> Webhook:
    added = await webhooks.add(webhook, limit=MANY)
    assert added is not None
    return added


async def test_a_webhook_is_found_as_it_was_stored(webhooks: WebhookRepository, session: Session) -> None:
    given = Webhook(
        id="wh_1",
        organization_id=session.organization_id,
        url="https://receiver.example:8443/events?from=wagate",
        events=("message", "message.status"),
        session_id=session.id,
        active=False,
        secret="s3cret ☂",
        custom_headers={"X-Tenant": "ätna", "Authorization": "Bearer t"},
        policy=RetryPolicy.LINEAR,
        delay_seconds=3600,
        attempts=100,
        created_at=1,
        updated_at=2,
    )
    assert await webhooks.add(given, limit=MANY) == given
    assert await webhooks.find("wh_1") == given
    assert await webhooks.find("wh_2") is None


async def test_nothing_that_is_printed_holds_the_secret(organization: Organization) -> None:
    webhook = replace(
        a_webhook(organization.id, secret="s3cret"), custom_headers={"authorization": "Bearer hush"}
    )
    assert "s3cret" not in repr(webhook)
    assert "hush" not in repr(webhook)


async def test_it_begins_behind_the_newest_event_of_its_organization(
    webhooks: WebhookRepository, organization: Organization, database: Database
) -> None:
    first = await stored(webhooks, a_webhook(organization.id))
    happened = NewEvent(organization.id, None, "message", 1, {})
    await database.write(lambda connection: append_events(connection, [happened, happened]))
    second = await stored(webhooks, a_webhook(organization.id))
    assert first.starts_after == BEFORE_ALL
    assert second.starts_after > BEFORE_ALL
    assert await webhooks.find(second.id) == second


async def test_only_an_organizations_own_are_listed_oldest_first(
    webhooks: WebhookRepository, organization: Organization, api_keys: ApiKeyRepository
) -> None:
    others = await api_keys.organization(Organization("other", "others", 1))
    own = [await stored(webhooks, a_webhook(organization.id, webhook_id=f"wh_{n}")) for n in (3, 1, 2)]
    await stored(webhooks, a_webhook(others.id))
    oldest_first = [own[1], own[2], own[0]]
    assert await webhooks.page(organization.id, after="", limit=MANY) == oldest_first
    assert await webhooks.page(organization.id, after="", limit=2) == oldest_first[:2]
    assert await webhooks.page(organization.id, after="wh_2", limit=MANY) == oldest_first[2:]


async def test_an_organization_has_no_more_than_it_may_also_when_all_come_at_once(
    webhooks: WebhookRepository, organization: Organization, api_keys: ApiKeyRepository
) -> None:
    others = await api_keys.organization(Organization("other", "others", 1))
    asked = [webhooks.add(a_webhook(organization.id), limit=3) for _ in range(8)]
    given = [webhook for webhook in await asyncio.gather(*asked) if webhook is not None]
    assert len(given) == 3
    assert await webhooks.add(a_webhook(others.id), limit=3) is not None
    # and one that goes makes place
    assert await webhooks.delete(given[0].id)
    assert await webhooks.add(a_webhook(organization.id), limit=3) is not None


async def test_a_change_raises_the_revision_and_leaves_the_rest(
    webhooks: WebhookRepository, organization: Organization
) -> None:
    before = await stored(webhooks, a_webhook(organization.id, secret="old"))
    bystander = await stored(webhooks, a_webhook(organization.id))
    changes = {"secret": "new", "events": ["message"], "policy": RetryPolicy.CONSTANT, "updated_at": 9}
    after = await webhooks.update(before.id, changes)
    assert after == replace(
        before, secret="new", events=("message",), policy=RetryPolicy.CONSTANT, updated_at=9, revision=2
    )
    assert await webhooks.find(before.id) == after
    assert await webhooks.find(bystander.id) == bystander
    assert await webhooks.update("wh_gone", changes) is None


async def test_changes_at_the_same_time_all_count(
    webhooks: WebhookRepository, organization: Organization
) -> None:
    webhook = await stored(webhooks, a_webhook(organization.id))
    told = await asyncio.gather(*(webhooks.update(webhook.id, {"updated_at": n}) for n in range(5)))
    assert sorted(one.revision for one in told if one is not None) == [2, 3, 4, 5, 6]


async def test_webhooks_go_with_the_session_that_they_are_bound_to(
    webhooks: WebhookRepository, session: Session, sessions: SessionRepository
) -> None:
    bound = await stored(webhooks, a_webhook(session.organization_id, session_id=session.id))
    free = await stored(webhooks, a_webhook(session.organization_id))
    await sessions.delete(session.id)
    assert await webhooks.find(bound.id) is None
    assert await webhooks.find(free.id) == free
    # and none can be bound to what is gone
    with pytest.raises(SessionGoneError):
        await webhooks.add(a_webhook(session.organization_id, session_id=session.id), limit=MANY)
    with pytest.raises(SessionGoneError):
        await webhooks.update(free.id, {"session_id": session.id, "updated_at": 2})
    assert await webhooks.find(free.id) == free


async def test_a_webhook_is_deleted_once(webhooks: WebhookRepository, organization: Organization) -> None:
    webhook = await stored(webhooks, a_webhook(organization.id))
    assert await webhooks.delete(webhook.id)
    assert not await webhooks.delete(webhook.id)
    assert await webhooks.find(webhook.id) is None


def test_it_hears_of_its_events_and_its_session_alone() -> None:
    every = a_webhook()
    some = a_webhook(events=("message", "message.status"))
    one = a_webhook(session_id="s")
    assert every.hears(None, "message")
    assert every.hears("s", "presence")
    assert some.hears(None, "message.status")
    assert not some.hears(None, "message.edited")
    assert one.hears("s", "message")
    assert not one.hears("another", "message")
    assert not one.hears(None, "message")
