"""Stored api-keys, organizations and shared secrets."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from server.store.api_keys import ApiKeyRepository
from server.store.database import Database, open_database
from server.store.records import ApiKey, AuditLine, Organization
from server.store.secrets import shared_secret


def key(organization: Organization, key_id: str = "k1") -> ApiKey:
    return ApiKey(key_id, organization.id, "label", ["read", "send"], 1, None)


def change(at: int = 1) -> AuditLine:
    return AuditLine(at, "", "root", "cli", "createKey", "k1", "ok", "")


async def test_an_organization_is_made_once_per_name(api_keys: ApiKeyRepository) -> None:
    offers = [Organization(f"id{n}", "acme", n) for n in range(5)]
    given = await asyncio.gather(*(api_keys.organization(offer) for offer in offers))
    assert len(set(given)) == 1
    assert given[0] in offers


async def test_a_key_is_found_by_its_hash_alone(
    api_keys: ApiKeyRepository, organization: Organization
) -> None:
    await api_keys.add(key(organization), "hash1", change())
    assert await api_keys.find("hash1") == key(organization)
    assert await api_keys.find("hash2") is None
    assert await api_keys.find("") is None


async def test_an_organization_is_found_by_its_name_alone(
    api_keys: ApiKeyRepository, organization: Organization
) -> None:
    assert await api_keys.find_organization("acme") == organization
    assert await api_keys.find_organization("org") is None


async def test_a_key_has_an_end_and_a_last_use(
    api_keys: ApiKeyRepository, organization: Organization
) -> None:
    await api_keys.add(replace(key(organization), expires_at=99), "hash1", change())
    await api_keys.add(key(organization, "k2"), "hash2", change())
    await api_keys.touch({"k1": 50, "nobody": 50})
    await api_keys.touch({"k1": 40, "k2": 40})
    assert [(k.id, k.expires_at, k.last_used_at) for k in await api_keys.list()] == [
        ("k1", 99, 50),
        ("k2", None, 40),
    ]


async def test_two_keys_never_share_a_hash(api_keys: ApiKeyRepository, organization: Organization) -> None:
    await api_keys.add(key(organization), "hash1", change())
    with pytest.raises(IntegrityError):
        await api_keys.add(key(organization, "k2"), "hash1", change())
    assert [found.id for found in await api_keys.list()] == ["k1"]


async def test_a_key_is_revoked_once_and_still_found(
    api_keys: ApiKeyRepository, organization: Organization
) -> None:
    await api_keys.add(key(organization), "hash1", change())
    assert await api_keys.revoke("k1", change(77))
    assert not await api_keys.revoke("k1", change(88))
    assert not await api_keys.revoke("nobody", change(88))
    assert await api_keys.find("hash1") == replace(key(organization), revoked_at=77)


async def test_keys_are_listed_oldest_first(api_keys: ApiKeyRepository, organization: Organization) -> None:
    for number in (3, 1, 2):
        await api_keys.add(key(organization, f"k{number}"), f"hash{number}", change())
    assert [found.id for found in await api_keys.list()] == ["k1", "k2", "k3"]


async def test_a_shared_secret_is_the_same_for_all_who_ask(database: Database, url: str) -> None:
    other_node = open_database(url)
    try:
        asked = [shared_secret(node, "cursors") for node in (database, other_node, database, other_node)]
        given = set(await asyncio.gather(*asked))
        assert len(given) == 1
        assert len(given.pop()) == 32
        assert await shared_secret(database, "other") != await shared_secret(database, "cursors")
    finally:
        await other_node.close()
