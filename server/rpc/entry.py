"""Who opens a stream: the holder of a token, or of a ticket that stands for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from server.auth.authenticator import Authenticator
from server.auth.principal import Principal
from server.auth.tickets import Grant, Tickets
from server.rpc.streaming import Look


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody came in with.

    Attributes:
        principal: who it is.
        look: looks whether that is still so.
        grant: what their ticket opens; None for a token.
    """

    principal: Principal
    look: Look
    grant: Grant | None


class Entrance:
    """Lets the readers of streams in."""

    def __init__(self, authenticator: Authenticator, tickets: Tickets) -> None:
        """Takes what these two know."""
        self._authenticator = authenticator
        self._tickets = tickets

    async def enter(self, metadata: Mapping[str, str], ticket: str) -> Entry:
        """Lets somebody in; a ticket is spent with that.

        Args:
            metadata: the call's; not looked at where there is a ticket.
            ticket: as the request has it; "" for none.

        Raises:
            WagateError: as `Tickets.redeem` or `Authenticator.authenticate`.
        """
        if not ticket:
            principal = await self._authenticator.authenticate(metadata)
            return Entry(principal, partial(self._authenticator.authenticate, metadata), None)
        grant = await self._tickets.redeem(ticket)
        return Entry(grant.principal, partial(self._tickets.confirm, grant.principal), grant)
