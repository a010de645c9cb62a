"""Databases of both engines for everything in this folder."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlmodel import SQLModel

from server.store.api_keys import ApiKeyRepository
from server.store.conversations import ConversationRepository
from server.store.database import Database, open_database
from server.store.records import Organization, Session
from server.store.sessions import SessionRepository
from tests.support.databases import Postgres, postgres, upgraded
from tests.support.records import a_session


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Which of the two databases this test runs on."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def shared_postgres(postgres_server: Postgres) -> str:
    """The URL of a database that the tests use one after the other: making one takes its time."""
    return postgres_server.create("shared")


@pytest.fixture
def empty_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database without a single table."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.create(f"test_{uuid.uuid4().hex}")


@pytest.fixture
def url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database without a single row, once `database` has prepared it."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    shared: str = request.getfixturevalue("shared_postgres")
    return shared


@pytest_asyncio.fixture
async def database(url: str, engine: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with this release's schema and nothing in it."""
    database = open_database(url)
    await upgraded(database, tmp_path / "store.db" if engine == "sqlite" else None)
    if engine == "postgresql":
        truncate = text(f"TRUNCATE {', '.join(SQLModel.metadata.tables)}")
        await database.write(lambda connection: connection.execute(truncate))
    yield database
    await database.close()


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
