"""What the event log tells of sessions: each change of a status once, and each code."""

from dataclasses import replace
from itertools import product

import pytest

from server.sessions.state import Phase, status_of
from server.store.database import Database
from server.store.event_log import EventLog, StoredEvent
from server.store.events import BEFORE_ALL
from server.store.records import Organization, Session, ShownCode, Standing
from server.store.sessions import SessionRepository
from server.whatsapp.port import Ending
from tests.support.leases import a_lease_repository
from tests.support.records import a_session


def standing(status: str, at: int = 5) -> Standing:
    return Standing(status, None, None, "1@s.whatsapp.net", "2@lid", "node-1", at)


async def events(database: Database, organization: Organization) -> list[StoredEvent]:
    return list((await EventLog(database).page(organization.id, after=BEFORE_ALL, limit=100)).events)


async def told(database: Database, organization: Organization) -> list[tuple[object, object]]:
    """Each change that was told: from where to where."""
    return [
        (event.payload["previous"], event.payload["status"])
        for event in await events(database, organization)
        if event.name == "session.status"
    ]


async def test_a_change_is_told_whole(
    sessions: SessionRepository, session: Session, database: Database, organization: Organization
) -> None:
    ended = Standing("failed", "banned", "its owner waits", None, None, "", 7)
    assert await sessions.update(session.id, {"ending": "banned"}, news=[ended])
    (event,) = await events(database, organization)
    assert (event.session_id, event.name, event.timestamp) == (session.id, "session.status", 7)
    assert event.payload == {
        "status": "failed",
        "previous": "stopped",
        "reason": "banned",
        "message": "its owner waits",
        "waJid": None,
        "waLid": None,
        "gatewayId": "",
    }
    assert await sessions.find(session.id) == replace(session, ending="banned")


async def test_a_code_is_told_beside_the_change(
    sessions: SessionRepository, session: Session, database: Database, organization: Organization
) -> None:
    await sessions.update(session.id, {}, news=[standing("scan_qr_code"), ShownCode("2@abc", 90, 8)])
    change, code = await events(database, organization)
    assert change.name == "session.status"
    assert (code.session_id, code.name, code.timestamp) == (session.id, "auth.qr", 8)
    assert code.payload == {"code": "2@abc", "expiresAt": 90}


async def test_what_was_told_before_is_not_told_again(
    sessions: SessionRepository, session: Session, database: Database, organization: Organization
) -> None:
    for status in ("stopped", "starting", "starting", "working"):
        assert await sessions.update(session.id, {}, news=[standing(status)])
    assert await sessions.update(session.id, {}, news=[standing("starting"), standing("working")])
    expected = [("stopped", "starting"), ("starting", "working"), ("working", "starting")]
    assert await told(database, organization) == [*expected, ("starting", "working")]


async def test_nothing_is_told_under_an_older_lease_or_of_what_is_gone(
    sessions: SessionRepository, session: Session, database: Database, organization: Organization
) -> None:
    leases = a_lease_repository(database)
    old = await leases.acquire(session.id)
    await leases.acquire(session.id)
    assert not await sessions.update(session.id, {}, generation=old, news=[standing("working")])
    assert not await sessions.update(session.id, {"label": "x"}, generation=old, news=[standing("working")])
    assert not await sessions.update("nobody", {}, news=[standing("working")])
    assert await events(database, organization) == []


async def test_a_change_that_is_refused_is_not_told(
    sessions: SessionRepository, session: Session, database: Database, organization: Organization
) -> None:
    with pytest.raises(Exception, match=r"NOT NULL|not-null"):
        await sessions.update(session.id, {"label": None}, news=[standing("working")])
    assert await events(database, organization) == []
    assert await sessions.update(session.id, {}, news=[standing("working")])
    assert await told(database, organization) == [("stopped", "working")]


async def test_the_database_knows_where_each_session_stands_that_nobody_holds(
    sessions: SessionRepository, organization: Organization, database: Database
) -> None:
    """The same rule twice, in Python and in SQL: they agree about every session."""
    made: list[Session] = []
    for wanted, jid, ending in product((False, True), (None, "1@s.whatsapp.net"), (None, *Ending, "passkey")):
        record = replace(
            a_session(organization.id, f"s{len(made):02}"), wanted=wanted, wa_jid=jid, ending=ending
        )
        await sessions.add(record)
        made.append(record)
    leases = a_lease_repository(database)
    for status in sorted({str(status_of(record, Phase.IDLE)) for record in made}):
        for record in made:
            await sessions.update(record.id, {}, news=[standing(status)])
        mistold = [found.id for found in await leases.mistold(behind="", limit=100)]
        assert mistold == [record.id for record in made if status_of(record, Phase.IDLE) != status]


async def test_only_of_sessions_that_nobody_holds_it_can_be_wrong(
    sessions: SessionRepository, session: Session, database: Database
) -> None:
    leases, others = a_lease_repository(database, "node-1"), a_lease_repository(database, "node-2")
    await sessions.update(session.id, {}, news=[standing("working")])
    generation = await leases.acquire(session.id)
    assert await leases.mistold(behind="", limit=5) == []
    await leases.release(session.id, generation)
    assert [found.id for found in await others.mistold(behind="", limit=5)] == [session.id]
    assert await others.mistold(behind=session.id, limit=5) == []
