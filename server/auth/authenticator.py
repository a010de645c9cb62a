"""Finds out who calls from the metadata of a call."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from server.auth.keys import PREFIX, ApiKeys, hash_of
from server.auth.principal import Capability, Principal
from server.errors import Code, WagateError

CACHE_SECONDS = 1.0
"""How long a verified key is trusted without a look at the database: a revocation works within it."""
CACHE_SIZE = 10_000
"""Keys remembered; the one unused for longest goes first."""


class Authenticator:
    """Turns a token into a principal.

    The token stands in `authorization: Bearer <token>`, or, for an api-key, in `x-api-key`.
    """

    def __init__(self, keys: ApiKeys, clock: Callable[[], float] = time.monotonic) -> None:
        """Accepts the api-keys in `keys`; `clock` gives seconds that never go back."""
        self._keys = keys
        self._clock = clock
        # By hash, so that no secret stays in memory longer than its call.
        self._cache: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    @property
    def remembered(self) -> int:
        """How many keys are trusted without a look at the database."""
        return len(self._cache)

    async def authenticate(self, metadata: Mapping[str, str]) -> Principal:
        """Returns the caller.

        Args:
            metadata: the call's metadata, names in lower case.

        Raises:
            WagateError: UNAUTHORIZED where there is no token, or none that is in force.
        """
        token = _token(metadata)
        if not token.startswith(PREFIX):
            raise _refused("the token is neither an api-key (wa_...) nor a known kind of login token")
        digest = hash_of(token)
        now = self._clock()
        cached = self._cache.get(digest)
        if cached is not None and now - cached[0] < CACHE_SECONDS:
            return cached[1]
        key = await self._keys.find(token)
        if key is None:
            self._cache.pop(digest, None)
            raise _refused("the api-key is unknown or revoked")
        principal = Principal(
            organization_id=key.organization_id,
            subject=key.id,
            capabilities=frozenset(Capability(word) for word in key.permissions),
        )
        self._cache[digest] = (now, principal)
        self._cache.move_to_end(digest)
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return principal


def _token(metadata: Mapping[str, str]) -> str:
    header = metadata.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refused("the authorization header is not of the form 'Bearer <token>'")
        return token.strip()
    key = metadata.get("x-api-key")
    if not key:
        raise _refused("no token: send 'Authorization: Bearer <token>' or 'x-api-key: wa_...'")
    return key


def _refused(message: str) -> WagateError:
    return WagateError(Code.UNAUTHORIZED, message)
