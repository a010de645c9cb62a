"""What is true of one session on this node: stored before anybody acts on it, and told to the event log."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from server.clock import now_ms
from server.errors import not_found
from server.sessions.endings import explained
from server.sessions.ownership import held_elsewhere
from server.sessions.state import Phase, Status, status_of
from server.store.failures import DatabaseFailure
from server.store.records import News, Session, ShownCode, Standing
from server.store.sessions import SessionRepository
from server.whatsapp.pairing_port import QRCode
from server.whatsapp.threads import uninterrupted

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 1.0
"""How long to wait before what could not be told is told again."""


class TrackedSession:
    """A session's record, and what this node is doing for it.

    Every change of the status that callers see is told once, in order. What comes with a change of the record
    is told in its transaction; the rest soon after, in the background, so that nobody waits for a database
    that is away. Once that is back, what has passed meanwhile is told no more: only where the session stands
    then, and the code that it shows.

    Attributes:
        record: as stored. It changes only by `change`, which stores first.
        phase: what the node does now.
        code: the code that it shows, None while it shows none.
        generation: of the lease under which this node held it last, None where it never did.
        since: when it came to stand where it stands, epoch milliseconds.
        retired: whether it is being deleted: nothing is told of it any more.
    """

    def __init__(self, record: Session, repository: SessionRepository, node_id: str) -> None:
        """Nothing runs yet.

        Args:
            record: the session.
            repository: where it is stored.
            node_id: this node.
        """
        self.record = record
        self.phase = Phase.IDLE
        self.code: QRCode | None = None
        self.generation: int | None = None
        self.since = now_ms()
        self.retired = False
        self._repository = repository
        self._node_id = node_id
        self._news: list[News] = []
        self._noted: Status | None = None
        self._writing = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None

    @property
    def status(self) -> Status:
        """The status that callers see, unless the connection itself knows better."""
        return status_of(self.record, self.phase)

    def hold(self, generation: int, record: Session) -> None:
        """This node holds the session anew. What was to be told under an older lease is out of date."""
        self.generation = generation
        self.record = record
        self.since = now_ms()
        self._news.clear()
        self._noted = None

    def enter(self, phase: Phase) -> None:
        """The node does something else now; told in the background."""
        self.be(phase)
        self.tell()

    def be(self, phase: Phase) -> None:
        """The node does something else now, as a part of a larger change: the caller sees to its telling."""
        self.phase = phase
        if phase is not Phase.SHOWING_CODE:
            self.code = None

    def show(self, code: QRCode) -> None:
        """Another code is shown."""
        self.code = code
        self.phase = Phase.SHOWING_CODE
        self._note()
        self._news.append(ShownCode(code.code, code.expires_at, now_ms()))
        self._begin_telling()

    def tell(self) -> None:
        """Tells in the background where the session stands, where that is new."""
        self._note()
        self._begin_telling()

    async def change(self, *, entering: Phase | None = None, **changes: object) -> None:
        """Stores changed fields of the record, even when its caller is cancelled meanwhile.

        Args:
            entering: what the node does from then on; who sees that sees the changes too.
            changes: by field of the record.

        Raises:
            WagateError: NOT_FOUND where the session was deleted, UNAVAILABLE where another node has taken it.
        """
        await uninterrupted(self._change(changes, entering))

    async def _change(self, changes: dict[str, object], entering: Phase | None) -> None:
        changes["updated_at"] = now_ms()
        async with self._writing:
            record = replace(self.record, **changes)  # type: ignore[arg-type] # names are the record's own
            status = status_of(record, entering or self.phase)
            news = list(self._news)
            if status is not self._noted:
                news.append(self._standing(record, status))
            if not await self._repository.update(
                self.record.id, changes, generation=self.generation, news=() if self.retired else news
            ):
                if await self._repository.find(self.record.id) is None:
                    raise not_found("session")
                raise held_elsewhere("")
            self._drop(news)
            if status is not self._noted:
                self._noted, self.since = status, now_ms()
            self.record = record
            if entering is not None:
                self.be(entering)

    async def settle(self, within: float) -> None:
        """Waits until everything is told, or leaves it to whoever holds the session next.

        Args:
            within: seconds.
        """
        task = self._telling
        if task is None:
            return
        await asyncio.wait({task}, timeout=within)
        if not task.done():
            log.warning("what is new of session %s could not be told", self.record.id)
            task.cancel()
            await asyncio.wait({task})

    def _note(self) -> None:
        if self.status is not self._noted:
            self._noted, self.since = self.status, now_ms()
            self._news.append(self._standing(self.record, self.status))

    def _standing(self, record: Session, status: Status) -> Standing:
        reason, message = explained(status, record.ending)
        return Standing(
            status=str(status),
            reason=reason,
            message=message,
            wa_jid=record.wa_jid,
            wa_lid=record.wa_lid,
            gateway_id="" if self.phase is Phase.IDLE else self._node_id,
            at=now_ms(),
        )

    def _begin_telling(self) -> None:
        # A node that never held it has nothing to tell of it.
        if self._telling is None and self._news and self.generation is not None and not self.retired:
            self._telling = asyncio.create_task(self._keep_telling(), name=f"telling-{self.record.id}")

    async def _keep_telling(self) -> None:
        try:
            while self._news and not self.retired:
                try:
                    await self._tell()
                except DatabaseFailure as error:
                    log.info("what is new of session %s is told later: %s", self.record.id, error)
                    await asyncio.sleep(AGAIN_SECONDS)  # nothing tells when a database is back
        except Exception:
            log.exception("what is new of session %s could not be told", self.record.id)
            self._news.clear()
        finally:
            self._telling = None

    async def _tell(self) -> None:
        async with self._writing:
            news = tuple(self._news)
            try:
                # Where a newer lease exists, its holder tells.
                await self._repository.update(self.record.id, {}, generation=self.generation, news=news)
            except DatabaseFailure:
                newest = {type(item): item for item in self._news}
                self._drop([item for item in self._news if item is not newest[type(item)]])
                raise
            self._drop(news)

    def _drop(self, told: Sequence[News]) -> None:
        # By what they are: the list may have changed while they were written.
        dropped = {id(item) for item in told}
        self._news = [item for item in self._news if id(item) not in dropped]
