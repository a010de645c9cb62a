"""Api-keys: made once, shown once, stored as a hash."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from typing import Protocol

from ulid import ULID

from server.auth.principal import Capability
from server.clock import now_ms
from server.errors import not_found
from server.store.records import ApiKey, Organization

PREFIX = "wa_"
"""How every api-key begins (REST API, Conventions)."""


class KeyStore(Protocol):
    """Where keys are kept; `server.store.api_keys.ApiKeyRepository` is one."""

    async def organization(self, organization: Organization) -> Organization:
        """Returns the organization of that name, storing the given one where there is none."""
        ...

    async def add(self, key: ApiKey, secret_hash: str) -> None:
        """Stores a key under its secret's hash."""
        ...

    async def find(self, secret_hash: str) -> ApiKey | None:
        """Returns the key with that hash, revoked or not."""
        ...

    async def list(self) -> Sequence[ApiKey]:
        """Returns every key."""
        ...

    async def revoke(self, key_id: str, at: int) -> bool:
        """Revokes a key; returns whether there was one to revoke."""
        ...


class ApiKeys:
    """Makes, lists and revokes api-keys."""

    def __init__(self, store: KeyStore) -> None:
        """Keeps keys in `store`."""
        self._store = store

    async def create(
        self, *, organization: str, permissions: Iterable[Capability], label: str
    ) -> tuple[ApiKey, str]:
        """Makes a key, and its organization where there is none of that name.

        Args:
            organization: the organization's name.
            permissions: what the key may do.
            label: a name for people.

        Returns:
            The key and its secret, which cannot be had a second time.
        """
        now = now_ms()
        owner = await self._store.organization(Organization(str(ULID()), organization, now))
        secret = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(
            id=str(ULID()),
            organization_id=owner.id,
            label=label,
            permissions=sorted(permissions),
            created_at=now,
            revoked_at=None,
        )
        await self._store.add(key, hash_of(secret))
        return key, secret

    async def find(self, secret: str) -> ApiKey | None:
        """Returns the key of that secret, unless it is revoked."""
        key = await self._store.find(hash_of(secret))
        return key if key is not None and key.revoked_at is None else None

    async def list(self) -> Sequence[ApiKey]:
        """Returns every key, revoked ones too, oldest first."""
        return await self._store.list()

    async def revoke(self, key_id: str) -> None:
        """Revokes a key; calls with it are refused from then on (at the latest after a second).

        Raises:
            WagateError: NOT_FOUND where there is no such key in force.
        """
        if not await self._store.revoke(key_id, now_ms()):
            raise not_found(f"api-key {key_id}")


def hash_of(secret: str) -> str:
    """The stored form of a secret: it is random and long, so one SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
