"""Api-keys: made once, shown once, stored as a hash."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ulid import ULID

from server.auth.command_line import change_by_operator
from server.auth.organizations import NAME_LENGTH, is_organization_name, new_organization
from server.auth.principal import Capability
from server.clock import now_ms
from server.errors import invalid, not_found
from server.store.records import ApiKey, AuditLine, Organization

PREFIX = "wa_"
"""How every api-key begins (REST API, Conventions)."""


class KeyStore(Protocol):
    """Where keys are kept; `server.store.api_keys.ApiKeyRepository` is one."""

    async def organization(self, organization: Organization) -> Organization:
        """Returns the organization of that name, storing the given one where there is none."""
        ...

    async def add(self, key: ApiKey, secret_hash: str, change: AuditLine) -> None:
        """Stores a key under its secret's hash, and the change in the audit."""
        ...

    async def find(self, secret_hash: str) -> ApiKey | None:
        """Returns the key with that hash, revoked and expired or not."""
        ...

    async def get(self, key_id: str) -> ApiKey | None:
        """Returns the key of that id, revoked and expired or not."""
        ...

    async def list(self) -> Sequence[ApiKey]:
        """Returns every key."""
        ...

    async def revoke(self, key_id: str, change: AuditLine) -> bool:
        """Revokes a key and stores the change in the audit; returns whether there was one to revoke."""
        ...


class ApiKeys:
    """Makes, lists and revokes api-keys, on behalf of the operator."""

    def __init__(self, store: KeyStore, now: Callable[[], int] = now_ms) -> None:
        """Keeps keys in `store`; `now` gives epoch milliseconds."""
        self._store = store
        self._now = now

    async def create(
        self,
        *,
        organization: str,
        permissions: Iterable[Capability],
        label: str,
        expires_at: int | None = None,
    ) -> tuple[ApiKey, str]:
        """Makes a key, and its organization where there is none of that name.

        Args:
            organization: the organization's name.
            permissions: what the key may do.
            label: a name for people.
            expires_at: epoch milliseconds from which on it is refused, or None for never.

        Returns:
            The key and its secret, which cannot be had a second time.

        Raises:
            WagateError: VALIDATION_ERROR where no organization can have that name.
        """
        if not is_organization_name(organization):
            raise invalid("organization", f"1 to {NAME_LENGTH} printable characters, no space around them")
        owner = await self._store.organization(new_organization(organization))
        secret = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(
            id=str(ULID()),
            organization_id=owner.id,
            label=label,
            permissions=sorted(permissions),
            created_at=self._now(),
            revoked_at=None,
            expires_at=expires_at,
        )
        await self._store.add(key, hash_of(secret), change_by_operator("createKey", key.id, owner.id))
        return key, secret

    async def find(self, secret: str) -> ApiKey | None:
        """Returns the key of that secret, unless it is revoked or has expired."""
        key = await self._store.find(hash_of(secret))
        return key if key is not None and is_in_force(key, self._now()) else None

    async def get(self, key_id: str) -> ApiKey | None:
        """Returns the key of that id, unless it is revoked or has expired."""
        key = await self._store.get(key_id)
        return key if key is not None and is_in_force(key, self._now()) else None

    async def list(self) -> Sequence[ApiKey]:
        """Returns every key, revoked and expired ones too, oldest first."""
        return await self._store.list()

    async def revoke(self, key_id: str) -> None:
        """Revokes a key; calls with it are refused from then on (at the latest after a second).

        Raises:
            WagateError: NOT_FOUND where there is no such key, or it is revoked.
        """
        if not await self._store.revoke(key_id, change_by_operator("revokeKey", key_id)):
            raise not_found(f"an api-key {key_id} that is not revoked was")


def is_in_force(key: ApiKey, now: int) -> bool:
    """Whether a key opens anything at `now` (epoch milliseconds)."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def hash_of(secret: str) -> str:
    """The stored form of a secret: it is random and long, so one SHA-256 is enough.

    Secrets are looked up by it, never compared: how long a look-up takes tells about the hash alone,
    and whoever could choose a hash's first digits could still not choose the secret's.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
