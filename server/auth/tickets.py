"""Tickets: what stands for a token, once, where no header can be sent (REST API, Events)."""

import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol

from server.auth.bearer import refused
from server.auth.keys import hash_of
from server.auth.principal import ActorKind, Capability, Principal
from server.clock import now_ms
from server.store.records import Ticket

PREFIX: Final = "tk_"
"""How every ticket begins."""
LIFE_MS: Final = 60_000
"""How long a ticket can be redeemed (REST API, Events)."""
LENGTH: Final = 256
"""Characters that are looked at: no ticket is longer."""

Confirm = Callable[[Principal], Awaitable[None]]
"""Raises UNAUTHORIZED where the token behind a principal is no longer in force; `Authenticator.confirm`."""


class TicketStore(Protocol):
    """Where tickets are kept; `server.store.tickets.TicketRepository` is one."""

    async def add(self, ticket: Ticket, secret_hash: str, now: int) -> None:
        """Stores a ticket under its secret's hash; `now`, epoch milliseconds, tells which ones to forget."""
        ...

    async def take(self, secret_hash: str) -> Ticket | None:
        """Returns the ticket with that hash, expired or not, to one caller alone."""
        ...


@dataclass(frozen=True, slots=True)
class Grant:
    """What a ticket has opened.

    Attributes:
        principal: whoever asked for the ticket, who may read and nothing else.
        sessions: ids of those whose events alone to show; none of them for all.
        events: names of those to show alone; none of them for all.
    """

    principal: Principal
    sessions: tuple[str, ...]
    events: tuple[str, ...]


class Tickets:
    """Makes and redeems tickets."""

    def __init__(self, store: TicketStore, confirm: Confirm, now: Callable[[], int] = now_ms) -> None:
        """Keeps tickets in `store`.

        Args:
            store: shared by all nodes, so that any of them redeems what another has made.
            confirm: looks whether a token is still in force.
            now: gives epoch milliseconds.
        """
        self._store = store
        self._confirm = confirm
        self._now = now

    async def issue(
        self, principal: Principal, sessions: Collection[str], events: Collection[str]
    ) -> tuple[str, int]:
        """Makes a ticket.

        Args:
            principal: for whom; they have the capability `read`.
            sessions: as `Grant` says; known to be the organization's.
            events: as `Grant` says.

        Returns:
            The ticket, and until when it can be redeemed (epoch milliseconds).
        """
        secret = PREFIX + secrets.token_urlsafe(32)
        now = self._now()
        ticket = Ticket(
            organization_id=principal.organization_id,
            subject=principal.subject,
            kind=principal.kind,
            signed_by=principal.signed_by,
            token_expires_at=principal.expires_at,
            sessions=sorted(set(sessions)),
            events=sorted(set(events)),
            expires_at=now + LIFE_MS,
        )
        await self._store.add(ticket, hash_of(secret), now)
        return secret, ticket.expires_at

    async def redeem(self, ticket: str) -> Grant:
        """Spends a ticket.

        Raises:
            WagateError: UNAUTHORIZED for what is no ticket, or one that is spent or expired, or whose token
                is no longer in force; UNAVAILABLE as `Authenticator.confirm` says.
        """
        found = None
        if ticket.startswith(PREFIX) and len(ticket) <= LENGTH:
            found = await self._store.take(hash_of(ticket))
        if found is None or found.expires_at <= self._now():
            raise refused("the ticket is unknown, spent or expired: ask for a new one, each opens one stream")
        principal = Principal(
            organization_id=found.organization_id,
            subject=found.subject,
            capabilities=frozenset({Capability.READ}),
            kind=ActorKind(found.kind),
            signed_by=found.signed_by,
            expires_at=found.token_expires_at,
        )
        await self.confirm(principal)
        return Grant(principal, tuple(found.sessions), tuple(found.events))

    async def confirm(self, principal: Principal) -> None:
        """Looks whether the token behind a redeemed ticket is still in force.

        Raises:
            WagateError: as `redeem`.
        """
        await self._confirm(principal)
