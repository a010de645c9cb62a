"""Sends what waits in a session's outbox: in order within a chat, within the rate, each entry once."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.clock import now_ms
from server.errors import WagateError
from server.messages.background import keep
from server.messages.budgets import Budgets
from server.messages.composing import compose
from server.messages.delivery import Delivery
from server.messages.ledger import Ledger
from server.messages.rates import RateWindow
from server.messages.settling import Settling, draft_of
from server.store.outbox import Claim, OutboxRepository
from server.store.records import OutboxEntry, Session
from server.whatsapp.port import Client, OutcomeUnknownError, RefusedError
from server.whatsapp.refusals import Refusal

log = logging.getLogger(__name__)

AHEAD: Final = 16
"""Entries of a session that are claimed or being sent at a time: what a crash leaves indeterminate, at
most, and enough to hide the way to the database."""
PAGE: Final = 64
"""Entries that are read at a time."""

_NOT_NOW: Final = frozenset({Refusal.NOT_CONNECTED, Refusal.BUSY})
"""Refusals that say nothing about the message: it waits."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every round works with.

    Attributes:
        share: the part of a session's rates that async sends may use up.
        limbo: by session, entries that may stand as being sent although they were never handed over,
            because the database was away when that had to be written.
    """

    share: float
    delivery: Delivery
    budgets: Budgets
    ledger: Ledger
    repository: OutboxRepository
    settling: Settling
    limbo: dict[str, set[int]] = field(default_factory=dict)


class Round:
    """One pass over a session's outbox, under one lease and with one incarnation of its client."""

    def __init__(
        self, means: Means, session: Session, client: Client, generation: int, *, holds: Callable[[], bool]
    ) -> None:
        """Sends nothing before `run`.

        Args:
            means: what it works with.
            session: whose outbox.
            client: its connection.
            generation: of the lease.
            holds: whether the lease is still this node's; asked right before each send.
        """
        self._means = means
        self._session = session
        self._client = client
        self._generation = generation
        self._holds = holds
        # Claimed and not answered yet; eased while no more than half of what may be is.
        self._flying = 0
        self._eased = asyncio.Event()
        self._eased.set()
        self._work: set[asyncio.Task[Any]] = set()
        # By recipient: done once the newest entry before was answered.
        self._turns: dict[str, asyncio.Future[None]] = {}
        # Something could not be sent now, and what comes behind it must not overtake it.
        self._halted = False

    async def run(self) -> None:
        """Sends until nothing waits or something must wait. Cancelled, it still ends what it began."""
        try:
            await self._leave_limbo()
            await self._settle_left_behind()
            await self._send_waiting()
        except asyncio.CancelledError:
            self._halted = True
            raise
        finally:
            while self._work:
                await asyncio.wait(set(self._work))

    async def _leave_limbo(self) -> None:
        limbo = self._means.limbo.get(self._session.id, set())
        for number in sorted(limbo):
            await self._means.repository.put_back(number)
            limbo.discard(number)
        self._means.limbo.pop(self._session.id, None)

    async def _put_back(self, entry: OutboxEntry) -> None:
        """Queues an entry again that was not handed over; later, where the database is away."""
        self._halted = True
        try:
            await self._means.repository.put_back(entry.number)
        except Exception:
            log.exception("outbox entry %s is queued again later", entry.id)
            self._means.limbo.setdefault(self._session.id, set()).add(entry.number)

    async def _settle_left_behind(self) -> None:
        left = await self._means.repository.left_behind(self._session.id, self._generation)
        for entry in left:
            log.warning("outbox entry %s was being sent when its node ended: indeterminate", entry.id)
            await self._means.settling.indeterminate(self._session, entry)

    async def _send_waiting(self) -> None:
        window = await self._means.budgets.of(self._session, self._generation)
        behind = 0
        while entries := await self._means.repository.waiting(self._session.id, behind=behind, limit=PAGE):
            behind = entries[-1].number
            left = deque(entries)
            while left:
                # Half at a time: claims share commits, while the other half is being sent.
                await self._eased.wait()
                at = await self._take_rate(window)
                if self._halted:
                    return
                batch = [(left.popleft(), at)]
                room = AHEAD - self._flying
                while left and len(batch) < room and not window.take(at, share=self._means.share):
                    batch.append((left.popleft(), at))
                await self._begin(batch, counted=window.is_limited)

    async def _take_rate(self, window: RateWindow) -> int:
        """Waits for the session's rate; returns when it was taken, epoch milliseconds."""
        while True:
            now = now_ms()
            wait = window.take(now, share=self._means.share)
            if wait == 0 or self._halted:
                return now
            await asyncio.sleep(wait / 1000)  # until the rate has room again; nothing tells before

    async def _begin(self, batch: Sequence[tuple[OutboxEntry, int]], *, counted: bool) -> None:
        """Claims entries and begins to send those that are this node's now, in their order."""
        claims = [
            Claim(entry.number, self._session.id, self._generation, at if counted else None)
            for entry, at in batch
        ]
        try:
            claimed = await self._means.repository.claim(claims)
        except Exception:
            # Claimed or not, none of them was handed over.
            log.exception("the outbox of session %s waits", self._session.id)
            self._halted = True
            self._means.limbo.setdefault(self._session.id, set()).update(e.number for e, _ in batch)
            return
        for (entry, _), is_ours in zip(batch, claimed, strict=True):
            if not is_ours:
                continue
            self._fly(1)
            before = self._turns.get(entry.recipient)
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._turns[entry.recipient] = turn
            keep(self._work, self._process(entry, before, turn))

    def _fly(self, more: int) -> None:
        self._flying += more
        if self._flying <= AHEAD // 2:
            self._eased.set()
        else:
            self._eased.clear()

    async def _process(
        self, entry: OutboxEntry, before: "asyncio.Future[None] | None", turn: "asyncio.Future[None]"
    ) -> None:
        try:
            if before is not None:
                await before
            settle = await self._send(entry)
        except Exception:
            log.exception("outbox entry %s could not be sent", entry.id)
            self._halted = True
            settle = self._means.settling.indeterminate(self._session, entry)
        finally:
            turn.set_result(None)
            if self._turns.get(entry.recipient) is turn:
                del self._turns[entry.recipient]
            self._fly(-1)
        if settle is not None:
            await settle

    async def _send(self, entry: OutboxEntry) -> Coroutine[Any, Any, None] | None:
        """Sends a claimed entry.

        Returns:
            What records how it ended, so that the next entry need not wait for that; None where it was
            put back.
        """
        settling, delivery = self._means.settling, self._means.delivery
        # An entry may have waited for its turn for longer than a lease lasts.
        self._halted = self._halted or not self._holds()
        if self._halted:
            await self._put_back(entry)
            return None
        try:
            composition = compose(draft_of(entry))
            content = await delivery.complete(self._session, composition)
            sent = await delivery.deliver(self._session, self._client, composition.to, content)
        except WagateError as error:
            return settling.failed(self._session, entry, str(error.code))
        except RefusedError as error:
            if error.refusal not in _NOT_NOW:
                return settling.failed(self._session, entry, str(error.refusal))
            await self._put_back(entry)
            return None
        except OutcomeUnknownError as error:
            # This client sends nothing more until it is replaced.
            self._halted = True
            return settling.indeterminate(self._session, entry, error.late)
        return settling.sent(self._session, entry, content, sent)
