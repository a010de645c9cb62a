"""What callers see of sessions: asked of the connection now, and not remembered."""

import asyncio
from collections.abc import Callable, Sequence

from server.sessions.endings import explained
from server.sessions.runner import Runner
from server.sessions.state import Phase, Status, status_of
from server.sessions.view import SessionHealth, SessionView
from server.store.leases import LeaseRepository
from server.store.records import Session
from server.whatsapp.signs import Signs


class Viewing:
    """Looks at sessions, whoever holds them."""

    def __init__(
        self, leases: LeaseRepository, held_here: Callable[[str], Runner | None], node_id: str
    ) -> None:
        """Looks when it is asked to.

        Args:
            leases: tell who holds what this node does not.
            held_here: what runs a session here, None where this node does not hold it.
            node_id: this node.
        """
        self._leases = leases
        self._held_here = held_here
        self._node_id = node_id

    async def views(self, records: Sequence[Session]) -> Sequence[SessionView]:
        """Sessions with where they stand, in their order."""
        unheld = [record.id for record in records if self._held_here(record.id) is None]
        elsewhere = await self._leases.holders(unheld)
        return await asyncio.gather(*(self._view(record, elsewhere.get(record.id)) for record in records))

    async def health(self, record: Session) -> SessionHealth:
        """A session with the signs of life of its connection; none of them are known of another node's."""
        (view,) = await self.views([record])
        runner = self._held_here(record.id)
        signs = runner.signs if runner is not None else Signs()
        reason, message = explained(view.status, view.record.ending)
        return SessionHealth(
            view=view,
            since=runner.since if runner is not None else None,
            reason=reason,
            message=message,
            acked_at=signs.acked_at,
            received_at=signs.received_at,
            kept_alive_at=signs.kept_alive_at,
            reconnects=runner.reconnects if runner is not None else 0,
        )

    async def _view(self, record: Session, elsewhere: str | None) -> SessionView:
        runner = self._held_here(record.id)
        if runner is None:
            # A lease of this node's that it does not hold any more is just being given back.
            if elsewhere is not None and elsewhere != self._node_id:
                # Only its holder knows more; it does run, or else nobody would hold it.
                return SessionView(record, Status.STARTING, elsewhere)
            return SessionView(record, status_of(record, Phase.IDLE), "")
        phase = runner.phase
        if runner.client is not None and not await runner.client.is_live():
            phase = Phase.CONNECTING
        status = status_of(runner.record, phase)
        return SessionView(runner.record, status, "" if phase is Phase.IDLE else self._node_id)
