"""Texts that only one of the two databases could take are treated alike on both."""

from pathlib import Path
from typing import NoReturn

import pytest

from server.auth.principal import Capability, Principal
from server.config import Settings
from server.errors import Code, WagateError
from server.sessions.service import Sessions
from server.store.database import Database
from server.store.records import Organization, Session
from server.store.sessions import SessionRepository
from server.whatsapp.memory import MemoryClients, MemoryNetwork, MemoryPairing
from tests.support.leases import a_lease_repository


async def never(_session: Session, _received: object) -> NoReturn:
    raise AssertionError


@pytest.fixture
def service(sessions: SessionRepository, database: Database, tmp_path: Path) -> Sessions:
    network = MemoryNetwork()
    settings = Settings(data_dir=tmp_path)
    return Sessions(
        settings,
        sessions,
        a_lease_repository(database),
        clients=MemoryClients(network),
        pairing=MemoryPairing(network, 1),
        ingest=never,
    )


@pytest.fixture
def principal(organization: Organization) -> Principal:
    return Principal(organization.id, "tester", frozenset(Capability))


@pytest.mark.parametrize("text", ["\0", "01ARZ3NDEKTSV4RRFFQ69G5FA\0", "", "x" * 100_000, "😀" * 26, "../x"])
async def test_what_is_no_id_names_no_session(service: Sessions, principal: Principal, text: str) -> None:
    with pytest.raises(WagateError) as caught:
        await service.find(principal, text)
    assert caught.value.code is Code.NOT_FOUND


async def test_a_label_holds_any_character_but_the_one_that_cannot_be_stored(
    service: Sessions, principal: Principal
) -> None:
    label = "\x01\x7f\u202e😀'\\"
    view = await service.create(principal, label=label, auto_read=False, presence_typing=False, start=False)
    assert (await service.find(principal, view.record.id)).label == label
    with pytest.raises(WagateError) as caught:
        await service.create(principal, label="a\0b", auto_read=False, presence_typing=False, start=False)
    assert set(caught.value.details) == {"label"}
