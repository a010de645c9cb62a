"""Databases of both engines for everything in this folder."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.engine import make_url

from server.store import schema
from server.store.api_keys import ApiKeyRepository
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.records import Organization, Session
from server.store.sessions import SessionRepository
from tests.support.databases import Postgres, postgres
from tests.support.records import a_session


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a single table."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.url(await server.create())


@pytest_asyncio.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    """A database with this release's schema."""
    database = Database(empty_url)
    await schema.upgrade(database)
    yield database
    await database.close()


@pytest.fixture
def engine_name(empty_url: str) -> str:
    """"sqlite" or "postgresql"."""
    return make_url(empty_url).get_backend_name()


@pytest.fixture
def sessions(database: Database) -> SessionRepository:
    return SessionRepository(database)


@pytest.fixture
def conversations(database: Database) -> ConversationRepository:
    return ConversationRepository(database)


@pytest.fixture
def api_keys(database: Database) -> ApiKeyRepository:
    return ApiKeyRepository(database)


@pytest_asyncio.fixture
async def organization(api_keys: ApiKeyRepository) -> Organization:
    return await api_keys.organization(Organization("org", "acme", 1))


@pytest_asyncio.fixture
async def session(organization: Organization, sessions: SessionRepository) -> Session:
    """A stored session."""
    record = a_session(organization.id)
    await sessions.add(record)
    return record
