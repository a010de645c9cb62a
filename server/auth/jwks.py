"""The frontend's public keys, fetched from its JWKS URL and kept."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

from jwt import PyJWK, PyJWKClient

from server.auth.bearer import refused
from server.errors import Code, WagateError

log = logging.getLogger(__name__)

ALGORITHMS: Final = frozenset({"RS256", "ES256", "EdDSA"})
"""What a key may be for: one of these, by its own type or its `alg`. No token can change that."""
REFRESH_SECONDS: Final = 300.0
"""How old the keys grow: a key that the frontend takes away is refused after this at the latest."""
RETRY_SECONDS: Final = 15.0
"""How long after a failure the next look is."""
COOLDOWN_SECONDS: Final = 5.0
"""An unknown key id makes us look at most this often: what a flood of them costs the frontend."""
STALE_SECONDS: Final = 24 * 3600.0
"""How long keys are good while the frontend cannot be asked. Nobody could take one away meanwhile."""
FETCH_SECONDS: Final = 5.0
"""How long the frontend may be silent during a fetch."""


class SigningKeys:
    """The keys of a JWKS URL, by key id.

    A known key never waits for anything. The keys are fetched when `open` is called and every
    REFRESH_SECONDS, and once more when a token names an unknown one, but never twice at the same time,
    and never for an unknown key within COOLDOWN_SECONDS of the fetch before. What a fetch brings replaces
    what was known; a fetch that fails changes nothing (docs/decisions/0211).
    """

    def __init__(
        self, url: str, clock: Callable[[], float] = time.monotonic, refresh: float = REFRESH_SECONDS
    ) -> None:
        """Fetches nothing before `open`.

        Args:
            url: http or https.
            clock: gives seconds that never go back.
            refresh: seconds between two fetches.

        Raises:
            PyJWKClientError: it is neither.
        """
        self._client = PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_SECONDS)
        self._host = urlsplit(url).hostname
        self._clock = clock
        self._refresh = refresh
        self._keys: dict[str, PyJWK] = {}
        self._began = -math.inf
        self._succeeded = -math.inf
        self._failed = True
        self._fetching: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        # PyJWT's client blocks. One thread: there is never more than one fetch.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jwks")

    def open(self) -> None:
        """Begins to keep the keys fresh; waits for nothing, because the frontend may start later."""
        self._refreshing = asyncio.get_running_loop().create_task(self._keep_fresh(), name="jwks-refresh")

    async def close(self) -> None:
        """Stops."""
        tasks = [task for task in (self._refreshing, self._fetching) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def find(self, key_id: str) -> PyJWK:
        """Returns the key of that id.

        Raises:
            WagateError: UNAUTHORIZED where the frontend has no such key, UNAVAILABLE where it cannot
                be asked.
        """
        if (key := self._keys.get(key_id)) is not None:
            return key
        if self._fetching is not None or self._clock() - self._began >= COOLDOWN_SECONDS:
            await self._fetch()
            if (key := self._keys.get(key_id)) is not None:
                return key
        if self._failed:
            raise WagateError(
                Code.UNAVAILABLE,
                "the login token cannot be checked: the keys that sign login tokens cannot be fetched. "
                "Try again; the operator finds the reason in the node's log",
                retry_after=math.ceil(COOLDOWN_SECONDS),
            )
        raise refused("the login token is signed by a key that the frontend does not have")

    async def _keep_fresh(self) -> None:
        while True:
            await self._fetch()
            pause = min(RETRY_SECONDS, self._refresh) if self._failed else self._refresh
            await asyncio.sleep(pause)  # the frontend does not tell when its keys change

    async def _fetch(self) -> None:
        """Fetches the keys, or waits for the fetch that is under way. Raises nothing."""
        if self._fetching is None:
            self._began = self._clock()
            self._fetching = asyncio.get_running_loop().create_task(self._replace(), name="jwks-fetch")
        # A caller who goes away must not take the fetch from the others who wait for it.
        await asyncio.shield(self._fetching)

    async def _replace(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(2 * FETCH_SECONDS):
                found = await loop.run_in_executor(self._thread, self._client.get_signing_keys)
        except Exception as error:  # noqa: BLE001 - whatever the frontend answers, known keys go on
            self._failed = True
            self._complain(error)
        else:
            self._failed = False
            self._succeeded = self._clock()
            # Reversed: of two keys with one id the first counts, as it does for the library.
            self._keys = {str(key.key_id): key for key in reversed(found) if key.algorithm_name in ALGORITHMS}
            log.debug("%d keys of login tokens from %s", len(self._keys), self._host)
        finally:
            self._fetching = None

    def _complain(self, error: Exception) -> None:
        if self._keys and self._clock() - self._succeeded >= STALE_SECONDS:
            self._keys = {}
            log.error("no login token is accepted any more: their keys are older than a day")
        # The host alone: a URL may hold a credential.
        log.warning(
            "the keys of login tokens cannot be fetched from %s (%s: %s); %d known ones go on",
            self._host,
            type(error).__name__,
            error,
            len(self._keys),
        )
