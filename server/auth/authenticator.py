"""Finds out who calls from the metadata of a call."""

import time
from collections.abc import Callable, Mapping

from server.auth.bearer import bearer_of, refused
from server.auth.keys import PREFIX, ApiKeys, hash_of
from server.auth.last_use import LastUses
from server.auth.login import LoginTokens
from server.auth.principal import ActorKind, Capability, Principal
from server.auth.trust import Trust
from server.auth.user_tokens import is_user_token
from server.clock import now_ms
from server.store.records import ApiKey


class Authenticator:
    """Turns a token into a principal.

    The token stands in `authorization: Bearer <token>`, or, for an api-key, in `x-api-key`. One that
    begins with `wa_` is an api-key, any other a login token (REST API, Conventions).
    """

    def __init__(
        self,
        keys: ApiKeys,
        clock: Callable[[], float] = time.monotonic,
        *,
        uses: LastUses | None = None,
        logins: LoginTokens | None = None,
    ) -> None:
        """Accepts tokens of two kinds.

        Args:
            keys: the api-keys.
            clock: gives seconds that never go back.
            uses: notes that a key was used; None where nobody wants to know.
            logins: verifies login tokens; None where the gateway accepts none.
        """
        self._keys = keys
        self._uses = uses
        self._logins = logins
        self._trust = Trust[Principal](clock)

    @property
    def remembered(self) -> int:
        """How many tokens are trusted without another look."""
        return len(self._trust)

    async def authenticate(self, metadata: Mapping[str, str]) -> Principal:
        """Returns the caller.

        Args:
            metadata: the call's metadata, names in lower case.

        Raises:
            WagateError: UNAUTHORIZED where there is no token, or none that is in force; FORBIDDEN and
                UNAVAILABLE as `LoginTokens.verify` says.
        """
        token = _token(metadata)
        digest = hash_of(token)
        trusted = self._trust.holder(digest)
        if trusted is not None:
            return trusted
        # Taken now: trust counts from before the look at what may change, not from after it.
        since = self._trust.now()
        self._trust.forget(digest)
        verify = self._key if token.startswith(PREFIX) else self._login
        principal, seconds = await verify(token)
        self._trust.remember(digest, principal, since, seconds)
        return principal

    async def confirm(self, principal: Principal) -> None:
        """Looks whether the token that a principal came with is still in force, without having the token.

        Raises:
            WagateError: UNAUTHORIZED where it is not; UNAVAILABLE as `LoginTokens.confirm` says.
        """
        if principal.kind is ActorKind.KEY:
            await self._confirm_key(principal)
        elif principal.kind is ActorKind.JWT and self._logins is not None:
            await self._logins.confirm(principal)
        else:
            raise refused("this gateway no longer accepts tokens of that kind")

    async def _confirm_key(self, principal: Principal) -> None:
        name = f"key {principal.subject}"  # no hash looks like it
        if self._trust.holder(name) is not None:
            return
        since = self._trust.now()
        self._trust.forget(name)
        key = await self._keys.get(principal.subject)
        if key is None:
            raise refused("the api-key is revoked or expired")
        self._trust.remember(name, principal, since, _seconds_left(key))

    async def _key(self, token: str) -> tuple[Principal, float | None]:
        key = await self._keys.find(token)
        if key is None:
            raise refused("the api-key is unknown, revoked or expired")
        if self._uses is not None:
            self._uses.note(key.id, key.last_used_at)
        principal = Principal(
            organization_id=key.organization_id,
            subject=key.id,
            capabilities=frozenset(Capability(word) for word in key.permissions),
        )
        return principal, _seconds_left(key)

    async def _login(self, token: str) -> tuple[Principal, float | None]:
        if is_user_token(token.lower()):
            raise refused("the token is one of the WUTS API, which opens nothing here")
        if self._logins is None:
            raise refused("the token is no api-key (wa_...), and this gateway accepts no login tokens")
        return await self._logins.verify(token)


def _seconds_left(key: ApiKey) -> float | None:
    return None if key.expires_at is None else (key.expires_at - now_ms()) / 1000


def _token(metadata: Mapping[str, str]) -> str:
    token = bearer_of(metadata)
    if token is not None:
        return token
    key = metadata.get("x-api-key")
    if not key:
        raise refused("no token: send 'Authorization: Bearer <token>' or 'x-api-key: wa_...'")
    if not key.startswith(PREFIX):
        raise refused("the header x-api-key holds something else than an api-key (wa_...)")
    return key
