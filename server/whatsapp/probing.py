"""Asking WhatsApp for something small, to see whether a connection still works."""

from typing import Final

from neonize.exc import GetBlocklistError

from server.whatsapp.library import LibraryClient
from server.whatsapp.port import ConnectError
from server.whatsapp.signs import Signs
from server.whatsapp.threads import ClientGoneError
from server.whatsapp.turns import TurnMissedError, Turns, UnansweredError

_ANSWERED: Final = "returned status"
"""What the library's error says where WhatsApp answered, and be it with a refusal."""


class Probing:
    """Probes one connection, once at a time. See docs/decisions/0340 for what is asked, and why."""

    def __init__(self, library: LibraryClient, signs: Signs) -> None:
        """Probes the connection of `library`; answers are noted in `signs`."""
        self._library = library
        self._signs = signs
        self._turns = Turns(1)

    async def probe(self, within: float) -> None:
        """See `server.whatsapp.port.Client`."""
        try:
            await self._turns.run(self._ask(), within=within, name="probe")
        except (TurnMissedError, UnansweredError):
            raise ConnectError(f"WhatsApp did not answer within {within:g} s") from None
        except ClientGoneError:
            raise ConnectError("the session was stopped") from None

    async def _ask(self) -> None:
        try:
            await self._library.get_blocklist()
        except GetBlocklistError as error:
            if _ANSWERED not in str(error):
                raise ConnectError(f"WhatsApp did not answer: {error}") from error
        self._signs.keep_alive()
