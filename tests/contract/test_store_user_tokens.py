"""Stored tokens of the WUTS API."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from server.store.audit import AuditRepository
from server.store.database import Database
from server.store.records import AuditLine, Session, UserToken
from server.store.sessions import SessionRepository
from server.store.user_tokens import UserTokenRepository


@pytest.fixture
def tokens(database: Database) -> UserTokenRepository:
    return UserTokenRepository(database)


def token(session: Session, token_id: str = "t1") -> UserToken:
    return UserToken(token_id, session.organization_id, session.id, "ada", 1)


def change(at: int = 1) -> AuditLine:
    return AuditLine(at, "org", "root", "cli", "createToken", "t1", "ok", "")


async def test_a_token_is_found_by_its_hash_alone(tokens: UserTokenRepository, session: Session) -> None:
    await tokens.add(token(session), "hash1", change())
    assert await tokens.find("hash1") == token(session)
    assert await tokens.find("hash2") is None


async def test_a_token_is_revoked_once(
    tokens: UserTokenRepository, session: Session, database: Database
) -> None:
    await tokens.add(token(session), "hash1", change())
    assert await tokens.revoke("t1", change(77))
    assert not await tokens.revoke("t1", change(88))
    assert not await tokens.revoke("nobody", change(88))
    assert await tokens.find("hash1") == replace(token(session), revoked_at=77)
    lines = await AuditRepository(database).page(after=0, since=0, organization_id="org", limit=10)
    assert [line.at for line in lines] == [1, 77]


async def test_last_uses_are_noted_and_never_go_back(tokens: UserTokenRepository, session: Session) -> None:
    await tokens.add(token(session), "hash1", change())
    await tokens.touch({"t1": 50, "gone": 50})
    await tokens.touch({"t1": 40})
    assert [one.last_used_at for one in await tokens.list()] == [50]


async def test_tokens_go_with_their_session(
    tokens: UserTokenRepository, session: Session, sessions: SessionRepository
) -> None:
    await tokens.add(token(session), "hash1", change())
    await sessions.delete(session.id)
    assert await tokens.find("hash1") is None
    # and none can be made for a session that is gone
    with pytest.raises(IntegrityError):
        await tokens.add(token(session), "hash1", change())


async def test_tokens_are_listed_oldest_first(tokens: UserTokenRepository, session: Session) -> None:
    for number in (3, 1, 2):
        await tokens.add(token(session, f"t{number}"), f"hash{number}", change())
    assert [one.id for one in await tokens.list()] == ["t1", "t2", "t3"]
