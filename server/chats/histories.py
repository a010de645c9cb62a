"""History that phones tell: kept as it comes, and made part of the stored copy behind everybody's back."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from server.chats.past import past_of
from server.clock import now_ms
from server.sessions.inbox import Ingest
from server.store.conversations import SessionGoneError
from server.store.failures import DatabaseFailure
from server.store.history import HistoryRepository, packed
from server.store.history_records import KeptPiece, NewChunk
from server.store.records import Session
from server.whatsapp.history import HistoryReceived
from server.whatsapp.history_pieces import header_of, pieces_of
from server.whatsapp.history_reading import kind_of_history, read_piece
from server.whatsapp.incoming import Repeated
from server.whatsapp.port import Incoming

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
"""Between attempts while the database does not answer."""
ROUND_SECONDS: Final = 30.0
"""Between looks for what a node left behind that is gone."""
CALM_SECONDS: Final = 0.1
"""How long no chunk must have come before pieces are worked off. Phones give many chunks behind each other,
and what comes behind them waits until they are kept: that shall not wait for pieces as well."""
ADOPTED_AFTER_MS: Final = 60_000
"""How old a chunk must be for another node to work on it; on the node that kept it, it begins at once."""


class Histories:
    """Keeps chunks of history, and works them off one piece at a time.

    The library acknowledges a chunk to WhatsApp before anybody has it, so it is stored first of all; what is
    made of it then survives the node's end. One piece is one transaction: live messages go in between.
    """

    def __init__(
        self,
        repository: HistoryRepository,
        *,
        every: float = ROUND_SECONDS,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """Works on nothing before `open`.

        Args:
            repository: where it is kept.
            every: seconds between looks for what other nodes left behind.
            clock: gives epoch milliseconds.
        """
        self._repository = repository
        self._every = every
        self._clock = clock
        self._kept: set[str] = set()
        self._bell = asyncio.Event()
        self._keeping = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins with what is left from before."""
        self._task = asyncio.create_task(self._run(), name="histories")

    async def close(self) -> None:
        """Ends after the piece under way; the others wait for the next node."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def before(self, live: Ingest) -> Ingest:
        """What takes everything that sessions receive: history is kept, all else is `live`'s."""

        async def ingest(session: Session, received: Sequence[Incoming]) -> Sequence[Repeated]:
            chunks = [incoming for incoming in received if isinstance(incoming, HistoryReceived)]
            if chunks:
                with self._undisturbed():
                    for chunk in chunks:
                        await self._keep(session, chunk)
            return await live(session, received)

        return ingest

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """No piece is worked off meanwhile, nor for a moment afterwards."""
        self._keeping += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._keeping -= 1
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(CALM_SECONDS, self._calm_down)

    def _calm_down(self) -> None:
        if not self._keeping:
            self._calm.set()

    async def _keep(self, session: Session, received: HistoryReceived) -> None:
        """Returns when a chunk is stored as it came, however long the database is away."""
        while True:
            try:
                await self.keep(session, received)
            except SessionGoneError:
                log.warning("history of session %s came after its end", session.id)
            except DatabaseFailure as error:
                log.warning("history of session %s waits: %s", session.id, error.message)
                await asyncio.sleep(RETRY_SECONDS)  # nothing tells when a database is back
                continue
            return

    async def keep(self, session: Session, received: HistoryReceived) -> None:
        """Returns when a chunk is stored as it came. What is no chunk is set aside, with a line in the log.

        Raises:
            SessionGoneError: the session is not stored any more.
            DatabaseFailure: the database failed; it may be kept again.
        """
        try:
            chunk = await asyncio.to_thread(_cut, session, received, self._clock())
        except ValueError as error:
            log.warning("history of session %s cannot be read; set aside: %s", session.id, error)
            return
        await self._repository.keep(chunk)
        log.info(
            "session %s got history: %s, %d pieces, %d %%",
            session.id,
            chunk.kind,
            len(chunk.pieces),
            chunk.progress,
        )
        self._kept.add(session.id)
        self._bell.set()

    async def _run(self) -> None:
        # What this node left behind when it ended, however young it is.
        await self._work_off(sessions=None, age=0)
        while True:
            try:
                async with asyncio.timeout(self._every):
                    await self._bell.wait()
            except TimeoutError:
                await self._work_off(sessions=None, age=ADOPTED_AFTER_MS)
            else:
                self._bell.clear()
                await self._work_off(sessions=self._kept, age=0)

    async def _work_off(self, *, sessions: set[str] | None, age: int) -> None:
        while True:
            await self._calm.wait()
            try:
                before = self._clock() - age if age else None
                mine = None if sessions is None else sorted(sessions)
                piece = await self._repository.next_piece(sessions=mine, before=before)
                if piece is None:
                    return
                await self._finish(piece)
            except DatabaseFailure as error:
                log.warning("history waits: %s", error.message)
                await asyncio.sleep(RETRY_SECONDS)  # nothing tells when a database is back
            except Exception:
                log.exception("history waits over a defect of the gateway")
                await asyncio.sleep(self._every)  # the same piece at once would fail at once

    async def _finish(self, piece: KeptPiece) -> None:
        past = None
        try:
            past = await asyncio.to_thread(lambda: past_of(piece, read_piece(piece.data)))
            await self._repository.finish(piece, past)
        except DatabaseFailure:
            raise
        except Exception:
            # Kept for ever it would hold back everything behind it.
            log.exception("piece %d of session %s's history is set aside", piece.number, piece.session_id)
            await self._repository.finish(piece, None)


def _cut(session: Session, received: HistoryReceived, now: int) -> NewChunk:
    header = header_of(received.content)
    return NewChunk(
        id=received.id,
        session_id=session.id,
        kind=str(kind_of_history(header.kind)),
        progress=min(header.progress, 100),
        own_jid=session.wa_jid or "",
        own_lid=session.wa_lid,
        received_at=now,
        pieces=_packed(pieces_of(received.content)),
    )


def _packed(pieces: Iterable[bytes]) -> Sequence[bytes]:
    return [packed(piece) for piece in pieces]
