"""Following the log with a ticket in a token's place."""

from collections.abc import Collection

from server.auth.principal import Principal
from server.auth.tickets import Grant, Tickets
from server.events.service import Events
from server.events.subscription import Subscription


class Realtime:
    """Makes tickets for streams, and opens streams with them."""

    def __init__(self, events: Events, tickets: Tickets) -> None:
        """Opens streams of `events` with `tickets`."""
        self._events = events
        self._tickets = tickets

    async def issue(
        self, principal: Principal, *, sessions: Collection[str], names: Collection[str]
    ) -> tuple[str, int]:
        """Makes a ticket for a stream.

        Args:
            principal: who will follow.
            sessions: ids of sessions to see alone; none of them for all.
            names: of events to see alone; none of them for all.

        Returns:
            The ticket, and until when it can be used (epoch milliseconds).

        Raises:
            WagateError: as `Events.check`.
        """
        await self._events.check(principal, sessions=sessions, names=names)
        return await self._tickets.issue(principal, sessions, names)

    async def open(self, ticket: str, *, after: str) -> tuple[Grant, Subscription]:
        """Spends a ticket for a stream.

        Args:
            ticket: what `issue` has made, here or on another node.
            after: as for `Events.subscribe`.

        Raises:
            WagateError: as `Tickets.redeem` and `Events.subscribe`.
        """
        grant = await self._tickets.redeem(ticket)
        subscription = await self._events.subscribe(
            grant.principal, after=after, sessions=grant.sessions, names=grant.events
        )
        return grant, subscription

    async def confirm(self, grant: Grant) -> None:
        """Looks whether a stream that a ticket opened may go on.

        Raises:
            WagateError: as `Tickets.redeem`.
        """
        await self._tickets.confirm(grant.principal)
