"""The stored audit."""

import asyncio
from dataclasses import replace

import pytest

from server.store.api_keys import ApiKeyRepository
from server.store.audit import AuditRepository
from server.store.database import Database
from server.store.records import ApiKey, AuditLine, Organization


def line(target: str, at: int = 1, organization_id: str = "org") -> AuditLine:
    return AuditLine(at, organization_id, "user_1", "jwt", "createSession", target, "ok", "r1")


@pytest.fixture
def audit(database: Database) -> AuditRepository:
    return AuditRepository(database)


async def targets(
    audit: AuditRepository,
    *,
    after: int = 0,
    since: int = 0,
    organization_id: str | None = None,
    limit: int = 100,
) -> list[str]:
    page = await audit.page(after=after, since=since, organization_id=organization_id, limit=limit)
    return [line.target for line in page]


async def test_lines_come_back_as_they_were_kept(audit: AuditRepository) -> None:
    kept = [line("a"), replace(line("שלום 😀 '\"; --"), actor="x" * 255, outcome="not_found", request_id="")]
    await audit.append(kept)
    found = await audit.page(after=0, since=0, organization_id=None, limit=10)
    assert [replace(one, id=None) for one in found] == kept


async def test_lines_of_an_organization_that_is_nobodys_are_kept(audit: AuditRepository) -> None:
    await audit.append([line("a", organization_id="")])
    assert await targets(audit) == ["a"]


async def test_lines_are_paged_in_their_order(audit: AuditRepository) -> None:
    for n in range(7):
        await audit.append([line(str(n), at=100 - n)])
    seen: list[str] = []
    after = 0
    while page := await audit.page(after=after, since=0, organization_id=None, limit=3):
        seen += [one.target for one in page]
        after = page[-1].id or 0
    assert seen == [str(n) for n in range(7)]


async def test_lines_are_found_by_organization_and_time(audit: AuditRepository) -> None:
    await audit.append([line("a", 10), line("b", 20, "other"), line("c", 30)])
    assert await targets(audit, organization_id="org") == ["a", "c"]
    assert await targets(audit, since=20) == ["b", "c"]
    assert await targets(audit, organization_id="org", since=11) == ["c"]
    assert await targets(audit, organization_id="nobody") == []


async def test_many_at_once_are_all_kept(audit: AuditRepository) -> None:
    await asyncio.gather(*(audit.append([line(f"{n}.{m}") for m in range(5)]) for n in range(100)))
    found = await targets(audit, limit=1000)
    assert len(found) == len(set(found)) == 500


async def test_old_lines_go_oldest_first_and_so_many_at_a_time(audit: AuditRepository) -> None:
    await audit.append([line("new", 40), line("old", 20), line("older", 10), line("edge", 30)])
    assert await audit.delete_before(30, 1) == 1
    assert await targets(audit) == ["new", "old", "edge"]
    assert await audit.delete_before(30, 10) == 1
    assert await audit.delete_before(30, 10) == 0
    assert await targets(audit) == ["new", "edge"]


async def test_a_key_and_its_line_stand_or_fall_together(
    audit: AuditRepository, api_keys: ApiKeyRepository, organization: Organization
) -> None:
    key = ApiKey("k1", organization.id, "", ["read"], 1, None)
    await api_keys.add(key, "hash1", line("k1"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await api_keys.add(replace(key, id="k2"), "hash1", line("k2"))
    assert await targets(audit) == ["k1"]
    # a revocation knows by itself whose key it was, and what revokes nothing says nothing
    assert await api_keys.revoke("k1", line("revoked", organization_id=""))
    assert not await api_keys.revoke("k1", line("again"))
    assert await targets(audit, organization_id=organization.id) == ["k1", "revoked"]
    assert await targets(audit) == ["k1", "revoked"]
