"""What is written down before a message goes out, and asked before it is written down."""

from typing import NoReturn

from server.clock import now_ms
from server.errors import Code, WagateError
from server.messages.budgets import Budgets
from server.messages.keys import replay
from server.messages.results import SendResult
from server.sessions.service import Sessions
from server.store.idempotency import IdempotencyRepository
from server.store.records import IdempotencyKey, KeptResult, Session
from server.store.reservations import LeaseLostError, Reservation, ReservationRepository


class Ledger:
    """Keeps idempotency keys and send rates, under the lease of each session."""

    def __init__(
        self,
        sessions: Sessions,
        budgets: Budgets,
        reservations: ReservationRepository,
        idempotency: IdempotencyRepository,
    ) -> None:
        """Writes to `reservations` and `idempotency`; `sessions` knows which leases are this node's."""
        self._sessions = sessions
        self._budgets = budgets
        self.reservations = reservations
        self._idempotency = idempotency

    async def earlier(self, key: IdempotencyKey) -> SendResult | None:
        """The result that is kept under a key, or None for a key not seen yet.

        Raises:
            WagateError: CONFLICT where the first send is under way, or nobody knows what became of it.
        """
        kept = await self._idempotency.find(key)
        return None if kept is None else await self.answer(kept)

    async def answer(self, kept: KeptResult) -> SendResult:
        """The result that is kept under a key.

        Raises:
            WagateError: CONFLICT where the first send is under way, or nobody knows what became of it.
        """
        if kept.status is not None:
            return replay(kept, ended=True)
        # Twins of a send that runs here wait for it and do not come this way: so where this node holds
        # the session and nothing is settled, the send ended with an earlier life of a node.
        ended = self._sessions.generation(kept.session_id) is not None
        return replay(kept, ended=ended or not await self.reservations.may_be_under_way(kept))

    async def reserve(self, session: Session, key: IdempotencyKey | None) -> SendResult | None:
        """Takes a send from the session's rate and writes it down, with its key.

        Returns:
            None where the message may be sent now; the kept result where another node was faster.

        Raises:
            WagateError: RATE_LIMITED over the rate; CONFLICT where the session is not held here.
        """
        generation = self._sessions.generation(session.id)
        if generation is None:
            _not_held()
        window = await self._budgets.of(session, generation)
        now = now_ms()
        wait = window.take(now)
        if wait:
            raise WagateError(
                Code.RATE_LIMITED,
                f"the session's send rate is used up ({session.rate_per_min} per minute, "
                f"{session.rate_per_hour} per hour): wait, or send with async=true",
                {"ratePerHour": session.rate_per_hour, "ratePerMin": session.rate_per_min},
                retry_after=-(-wait // 1000),
            )
        at = now if window.is_limited else None
        if key is None and at is None:
            return None
        try:
            kept = await self.reservations.reserve(Reservation(session.id, generation, now, at, key))
        except LeaseLostError:
            _not_held()
        if kept is None:
            return None
        window.give_back(now)
        return await self.answer(kept)

    async def release(self, key: IdempotencyKey | None) -> None:
        """Lets a key be used again, because its message certainly was not sent."""
        if key is not None:
            await self._idempotency.release(key)


def _not_held() -> NoReturn:
    raise WagateError(
        Code.CONFLICT, "the session is not connected here any more", {"status": "starting"}, retry_after=1
    )
