"""The tokens of the WUTS API: a UUID that stands for one user and one session (WUTS, Auth)."""

import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ulid import ULID

from server.auth.bearer import refused
from server.auth.command_line import change_by_operator
from server.auth.keys import hash_of
from server.auth.last_use import LastUses
from server.auth.principal import ActorKind, Capability, Principal
from server.auth.trust import Trust
from server.clock import now_ms
from server.errors import invalid, not_found
from server.store.records import AuditLine, Session, UserToken

USER_LENGTH: Final = 128
"""Characters in a user's name, at most."""
_UUID_4: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class TokenStore(Protocol):
    """Where tokens are kept; `server.store.user_tokens.UserTokenRepository` is one."""

    async def add(self, token: UserToken, secret_hash: str, change: AuditLine) -> None:
        """Stores a token under its secret's hash, and the change in the audit."""
        ...

    async def find(self, secret_hash: str) -> UserToken | None:
        """Returns the token with that hash, revoked or not."""
        ...

    async def list(self) -> Sequence[UserToken]:
        """Returns every token."""
        ...

    async def revoke(self, token_id: str, change: AuditLine) -> bool:
        """Revokes a token and stores the change in the audit; returns whether there was one."""
        ...


class UserTokens:
    """Makes, lists and revokes users' tokens, on behalf of the operator."""

    def __init__(self, store: TokenStore) -> None:
        """Keeps tokens in `store`."""
        self._store = store

    async def create(self, session: Session, user: str) -> tuple[UserToken, str]:
        """Makes a token for a user of a session.

        Args:
            session: the only one that it opens; deleting the session deletes the token.
            user: whom it stands for, as the audit will name them.

        Returns:
            The token and its secret, which cannot be had a second time.

        Raises:
            WagateError: VALIDATION_ERROR where nobody can be named so.
        """
        if not 0 < len(user) <= USER_LENGTH or not user.isprintable():
            raise invalid("user", f"1 to {USER_LENGTH} printable characters")
        # 122 bits of the system's randomness: enough to be a secret by itself.
        secret = str(uuid.uuid4())
        token = UserToken(
            id=str(ULID()),
            organization_id=session.organization_id,
            session_id=session.id,
            user_name=user,
            created_at=now_ms(),
        )
        change = change_by_operator("createToken", f"{session.id}/{token.id}", session.organization_id)
        await self._store.add(token, hash_of(secret), change)
        return token, secret

    async def find(self, secret: str) -> UserToken | None:
        """Returns the token of that secret, a UUID in lower case, unless it is revoked."""
        token = await self._store.find(hash_of(secret))
        return token if token is not None and token.revoked_at is None else None

    async def list(self) -> Sequence[UserToken]:
        """Returns every token, revoked ones too, oldest first."""
        return await self._store.list()

    async def revoke(self, token_id: str) -> None:
        """Revokes a token; calls with it are refused from then on (at the latest after a second).

        Raises:
            WagateError: NOT_FOUND where there is no such token, or it is revoked.
        """
        if not await self._store.revoke(token_id, change_by_operator("revokeToken", token_id)):
            raise not_found(f"a token {token_id} that is not revoked was")


@dataclass(frozen=True, slots=True)
class WutsPrincipal:
    """An authenticated caller of the WUTS API.

    Attributes:
        organization_id: the session's organization.
        user: whom the token stands for.
        session_id: the only session that exists for this caller.
    """

    organization_id: str
    user: str
    session_id: str

    def as_principal(self) -> Principal:
        """The same caller as the domain and the audit know callers: one who may send."""
        return Principal(self.organization_id, self.user, frozenset({Capability.SEND}), ActorKind.TOKEN)


class WutsAuthenticator:
    """Turns a token of the WUTS API into a principal."""

    def __init__(
        self, tokens: UserTokens, uses: LastUses, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Accepts `tokens`.

        Args:
            tokens: those in force.
            uses: notes that one was used.
            clock: gives seconds that never go back.
        """
        self._tokens = tokens
        self._uses = uses
        self._trust = Trust[WutsPrincipal](clock)

    async def authenticate(self, token: str) -> WutsPrincipal:
        """Returns the caller.

        Args:
            token: what `authorization: Bearer` holds; see `server.auth.bearer.bearer_of`.

        Raises:
            WagateError: UNAUTHORIZED for anything but a token in force.
        """
        token = token.lower()
        if not is_user_token(token):
            raise refused("the token is no UUID of version 4")
        digest = hash_of(token)
        trusted = self._trust.holder(digest)
        if trusted is not None:
            return trusted
        since = self._trust.now()
        found = await self._tokens.find(token)
        if found is None:
            self._trust.forget(digest)
            raise refused("the token is unknown or revoked")
        self._uses.note(found.id, found.last_used_at)
        principal = WutsPrincipal(found.organization_id, found.user_name, found.session_id)
        self._trust.remember(digest, principal, since)
        return principal


def is_user_token(token: str) -> bool:
    """Whether a token has the form of the WUTS API's: a UUID of version 4, in lower case."""
    return _UUID_4.fullmatch(token) is not None
