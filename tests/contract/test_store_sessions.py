"""Stored sessions."""

from dataclasses import asdict, replace

from server.store.api_keys import ApiKeyRepository
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.records import Organization, Session
from server.store.sessions import SessionRepository
from tests.support.leases import a_lease_repository
from tests.support.records import a_message, a_session


async def test_a_session_comes_back_as_it_was_stored(
    sessions: SessionRepository, organization: Organization
) -> None:
    full = replace(
        a_session(organization.id),
        label="לקוחות 😀",
        auto_read=True,
        last_connected_at=1_790_000_000_000,
        wanted=True,
        phone_number="62811",
        wa_jid="62811@s.whatsapp.net",
        wa_lid="1@lid",
        ending="banned",
    )
    await sessions.add(full)
    assert await sessions.find(full.id) == full
    assert await sessions.find("nobody") is None


async def test_pages_follow_each_other_by_id_and_stay_within_the_organization(
    sessions: SessionRepository, api_keys: ApiKeyRepository, organization: Organization
) -> None:
    other = await api_keys.organization(Organization("other", "other", 1))
    for number in (5, 1, 4, 2, 3):
        await sessions.add(a_session(organization.id, f"s{number}"))
        await sessions.add(a_session(other.id, f"o{number}"))
    found: list[str] = []
    while page := await sessions.page(organization.id, after=found[-1] if found else "", limit=2):
        found.extend(session.id for session in page)
    assert found == ["s1", "s2", "s3", "s4", "s5"]


async def test_a_session_created_while_somebody_pages_comes_last(
    sessions: SessionRepository, organization: Organization
) -> None:
    for number in (1, 2, 3):
        await sessions.add(a_session(organization.id, f"s{number}"))
    first = await sessions.page(organization.id, after="", limit=2)
    await sessions.add(a_session(organization.id, "s4"))
    second = await sessions.page(organization.id, after=first[-1].id, limit=2)
    assert [session.id for session in (*first, *second)] == ["s1", "s2", "s3", "s4"]


async def test_an_update_changes_what_it_names(sessions: SessionRepository, session: Session) -> None:
    assert await sessions.update(session.id, {"label": "new", "ending": "banned"})
    assert await sessions.find(session.id) == replace(session, label="new", ending="banned")


async def test_an_update_under_an_older_lease_changes_nothing(
    sessions: SessionRepository, session: Session, database: Database
) -> None:
    leases = a_lease_repository(database)
    old = await leases.acquire(session.id)
    assert await sessions.update(session.id, {"label": "old"}, generation=old)
    new = await leases.acquire(session.id)
    assert not await sessions.update(session.id, {"label": "too late"}, generation=old)
    assert await sessions.update(session.id, {"label": "new"}, generation=new)
    assert await sessions.find(session.id) == replace(session, label="new")


async def test_an_update_of_what_is_gone_says_so(sessions: SessionRepository, session: Session) -> None:
    assert not await sessions.update("nobody", {"label": "new"})
    assert await sessions.find(session.id) == session


async def test_every_field_of_the_record_is_stored(sessions: SessionRepository, session: Session) -> None:
    found = await sessions.find(session.id)
    assert found is not None
    assert asdict(found) == asdict(session)


async def test_deleting_a_session_deletes_all_that_belongs_to_it_and_nothing_else(
    sessions: SessionRepository,
    conversations: ConversationRepository,
    session: Session,
    organization: Organization,
) -> None:
    # given two sessions with messages and addresses
    other = a_session(organization.id)
    await sessions.add(other)
    jid = "628120000001@s.whatsapp.net"
    for owner in (session, other):
        await conversations.store([a_message(owner.id, "M1", address=("7@lid", jid))])
    gone = await conversations.find_chat(session.id, jid)
    assert gone is not None
    # when one is deleted
    await sessions.delete(session.id)
    # then what belonged to it is gone
    assert await sessions.find(session.id) is None
    assert await conversations.find_chat(session.id, jid) is None
    assert await conversations.page_messages(gone.id, before=None, limit=10) == []
    assert await conversations.phone_jid(session.id, "7@lid") is None
    # and the other's is not
    kept = await conversations.find_chat(other.id, jid)
    assert kept is not None
    assert len(await conversations.page_messages(kept.id, before=None, limit=10)) == 1
    assert await conversations.phone_jid(other.id, "7@lid") == jid


async def test_deleting_what_is_gone_does_nothing(sessions: SessionRepository, session: Session) -> None:
    await sessions.delete("nobody")
    assert await sessions.find(session.id) == session
