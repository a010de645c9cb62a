"""Whether a connection that seems to stand is dead: WhatsApp is asked, and does not answer."""

import asyncio
import random
from typing import Final

from server.clock import elapsed_seconds
from server.whatsapp.port import Client, ConnectError

PROBE_SECONDS: Final = 10.0
"""How long WhatsApp may take to answer a probe, unless it is asked more often than that."""
LOOK_SECONDS: Final = 1.0
"""How often a probe under way is looked at."""


class Liveness:
    """Follows one incarnation's connection, and asks for a sign of life where there has been none.

    An answer of WhatsApp to anything is such a sign; what it sends by itself is not, since it goes on where
    only the way to WhatsApp is broken. One probe is under way at a time.
    """

    def __init__(self, client: Client, *, idle: float) -> None:
        """Nothing is asked yet.

        Args:
            client: the connection.
            idle: seconds without an answer after which it is asked for one, more or less: sessions that
                connected together do not ask together.
        """
        self._client = client
        self._idle = idle
        self._within = min(PROBE_SECONDS, idle)
        self._due = self._after(elapsed_seconds())
        self._doubted = False
        self._probe: asyncio.Task[None] | None = None

    @property
    def look_after(self) -> float:
        """Seconds after which `check` wants to be asked again."""
        if self._probe is not None:
            return LOOK_SECONDS
        return max(0.0, self._due - elapsed_seconds())

    def doubt(self) -> None:
        """Something did not get its answer: the connection is asked at once."""
        self._doubted = True
        self._due = elapsed_seconds()

    async def check(self, *, is_live: bool) -> None:
        """Probes where it is time to.

        Args:
            is_live: whether the connection stands; one that does not is not asked.

        Raises:
            ConnectError: it stands and does not answer.
        """
        now = elapsed_seconds()
        if not is_live:
            self._due = self._after(now)
            await self.close()
        elif self._probe is not None:
            await self._look(self._probe)
        elif now >= self._due:
            # Whatever was answered meanwhile puts it off.
            self._due = self._after(self._client.signs.proved)
            if self._doubted or now >= self._due:
                self._doubted = False
                self._probe = asyncio.create_task(self._client.probe(within=self._within), name="probing")

    async def close(self) -> None:
        """Gives a probe under way up."""
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.cancel()
            await asyncio.gather(probe, return_exceptions=True)

    async def _look(self, probe: "asyncio.Task[None]") -> None:
        await asyncio.wait({probe}, timeout=0)
        if not probe.done():
            return
        self._probe = None
        self._due = self._after(elapsed_seconds())
        try:
            probe.result()
        except ConnectError as error:
            raise ConnectError(f"the connection is dead: {error}") from error

    def _after(self, moment: float) -> float:
        return moment + self._idle * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
