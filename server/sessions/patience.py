"""How long a session's connection may be away before it is made anew."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from server.sessions.backoff import Backoff
from server.whatsapp.port import ConnectError

LOGIN_SECONDS: Final = 30.0
"""How long a made connection may take to log in before it is replaced."""
RECOVERY_SECONDS: Final = 3.0
"""How long the library may take to get a lost connection back while WhatsApp is reachable."""
LOOK_SECONDS: Final = 1.0
"""How often a session without a connection looks whether WhatsApp is reachable."""


class Patience:
    """Follows one incarnation's connection, from its login on."""

    def __init__(self, backoff: Backoff, reachable: Callable[[], Awaitable[bool]]) -> None:
        """Begins to wait for the login.

        Args:
            backoff: is reset whenever the connection stands.
            reachable: whether WhatsApp answers now.
        """
        self._backoff = backoff
        self._reachable = reachable
        self._limit = LOGIN_SECONDS
        self._away_since: float | None = time.monotonic()

    @property
    def look_after(self) -> float | None:
        """Seconds after which `check` wants to be asked again; None while the connection stands."""
        return None if self._away_since is None else LOOK_SECONDS

    async def check(self, *, is_live: bool) -> None:
        """Takes note of whether the connection stands.

        Raises:
            ConnectError: it has been away for too long.
        """
        if is_live:
            if self._away_since is not None:
                self._backoff.reset()
            self._away_since = None
        elif self._away_since is None or not await self._reachable():
            # Just lost; or the network is down, and neither the library nor a new client could do better now.
            self._away_since, self._limit = time.monotonic(), RECOVERY_SECONDS
        elif time.monotonic() - self._away_since > self._limit:
            raise ConnectError("the connection did not come back by itself")
