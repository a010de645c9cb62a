"""Tells one endpoint what happens: in the log's order, one POST at a time, each event until it is settled."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from server.clock import now_ms
from server.events.bells import Bell, Bells
from server.events.envelope import envelope
from server.events.reading import PAGE, SharedReading
from server.events.subscription import GAP
from server.events.webhooks.answers import Answer, Verdict
from server.events.webhooks.lanes import Lanes
from server.events.webhooks.looks import SharedLooks
from server.events.webhooks.posting import Poster
from server.events.webhooks.schedule import LONGEST_SECONDS, Schedule, Trial
from server.events.webhooks.signing import headers
from server.store.event_log import EventPage, StoredEvent
from server.store.failures import DatabaseFailure
from server.store.webhook_cursors import HeldEndpoint, Streak, WebhookCursorRepository
from server.store.webhook_deliveries import Outcome, Progress, Stored, Tried, WebhookDeliveryRepository
from server.store.webhooks import Webhook

log = logging.getLogger(__name__)

SAVE_SECONDS: Final = 30.0
"""After which it is written down how far an endpoint has come along events that are none of its business."""
DATABASE_SECONDS: Final = 1.0
"""Between attempts at a database that does not answer."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Means:
    """What every endpoint of this node works with.

    Attributes:
        clock: gives epoch milliseconds.
        sleep: waits for seconds between attempts.
    """

    poster: Poster
    cursors: WebhookCursorRepository
    webhooks: SharedLooks
    deliveries: WebhookDeliveryRepository
    reading: SharedReading
    bells: Bells
    schedule: Schedule
    lanes: Lanes
    clock: Callable[[], int] = now_ms
    sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep


class EndedError(Exception):
    """Somebody else works the endpoint, or nobody shall: it was paused or deleted, or this node stops."""


class Endpoint:
    """One endpoint, for as long as this node holds it.

    It holds a page of the log while it gets through it at once. From the first attempt that fails it holds
    that one event, and everything behind it waits in the log.
    """

    def __init__(self, means: Means, held: HeldEndpoint) -> None:
        """Posts nothing before `run`."""
        self._means = means
        self._held = held
        self._position = self._saved = held.position
        self._saved_at = asyncio.get_running_loop().time()
        self._streak = held.streak
        self._known: Webhook | None = None
        # The oldest event that it has not taken, once an attempt at it has failed.
        self._head: Tried | None = None
        # Of the webhook when something was last posted.
        self._revision: int | None = None
        # One POST at a time, those of dead letters included.
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Timeout | None = None
        self._nudged = False
        self._stopping = False

    @property
    def generation(self) -> int:
        """Of the lease."""
        return self._held.generation

    @property
    def is_blocked(self) -> bool:
        """Whether its head alone is tried at the moment: nothing else would be taken either."""
        return self._head is not None and self._streak.suspended

    def nudge(self, revision: int | None = None) -> None:
        """Ends whatever it waits for, so that it looks at its webhook again.

        Args:
            revision: of the webhook as it is now: nothing happens where that is known already. None for one
                that is paused, deleted, or worked by another node.
        """
        if revision is None or revision != self._revision:
            self._nudged = True
            if self._waiting is not None and not self._waiting.expired():
                self._waiting.reschedule(0)

    def stop(self) -> None:
        """Ends it, after the attempt that is under way."""
        self._stopping = True
        self.nudge()

    async def run(self) -> None:
        """Works until the lease, the webhook or the node ends it; gives the lease back."""
        try:
            self._head = await self._patiently(lambda: self._means.deliveries.pending(self._held.webhook_id))
            self._revision = (await self._webhook()).revision
            with self._means.bells.listening(self._held.organization_id) as bell:
                while True:
                    await self._step(bell)
        except (EndedError, DatabaseFailure):
            pass
        except Exception:
            log.exception("webhook %s: its worker ended; another one takes over", self._held.webhook_id)
        with contextlib.suppress(DatabaseFailure, EndedError):
            await self._save()
            if not self._stopping:  # a node that stops gives all of them back together
                await self._means.cursors.release(self._held.webhook_id, self._held.generation)

    async def redrive(self, letter: Tried) -> None:
        """Tries a dead letter once more.

        Raises:
            EndedError: it was not tried.
        """
        async with self._turn, self._means.lanes.of(self._streak):
            webhook = await self._webhook()
            answer = await self._post(webhook, letter)
        after = self._tried(letter, answer)
        if answer.verdict is not Verdict.TAKEN:
            wait = self._means.schedule.after_failed_redrive(webhook, answer, attempts=after.attempts)
            after = _dead(after) if wait is None else _due(after, Stored.REDRIVEN, wait)
        await self._settle(None, after)

    async def _step(self, bell: Bell) -> None:
        if self._nudged:
            self._nudged = False
            webhook = await self._webhook()
            if webhook.revision != self._revision:
                self._begin_anew(webhook)
        if self._head is not None:
            seconds = ((self._head.next_at or 0) - self._means.clock()) / 1000
            if seconds > 0:
                pause = min(seconds, LONGEST_SECONDS)  # the clock may have been set back since
                await self._wait(self._means.sleep(pause))  # until the attempt is due
            if not self._nudged:
                await self._try(self._head)
            return
        rung = bell.rung
        if await self._read_on(rung):
            if (
                self._position != self._saved
                and asyncio.get_running_loop().time() >= self._saved_at + SAVE_SECONDS
            ):
                await self._save()
            await self._wait(bell.wait(rung), within=SAVE_SECONDS if self._position != self._saved else None)

    def _begin_anew(self, webhook: Webhook) -> None:
        """What is known of the endpoint was known of another URL, secret or policy."""
        self._revision = webhook.revision
        self._streak = Streak()
        if self._head is not None:
            self._head = _anew(self._head, self._means.clock())

    async def _read_on(self, rung: int) -> bool:
        """Goes along the next page; returns whether the log ends there."""
        page = await self._patiently(
            lambda: self._means.reading.page(self._held.organization_id, after=self._position, rung=rung)
        )
        if page.forgotten_id > self._position:
            await self._try(self._new(self._gap(page)))
        if page.events:
            webhook = await self._webhook()
            for event in page.events:
                if self._head is not None or self._nudged:
                    return False
                if webhook.hears(event.session_id, event.name):
                    await self._try(self._new(event))
                else:
                    self._position = event.id
        return self._head is None and len(page.events) < PAGE

    def _gap(self, page: EventPage) -> StoredEvent:
        lost = {"after": self._position, "until": page.forgotten_id}
        organization = self._held.organization_id
        return StoredEvent(organization, page.forgotten_id, None, GAP, self._means.clock(), lost)

    def _new(self, event: StoredEvent) -> Tried:
        return Tried(
            webhook_id=self._held.webhook_id,
            event_id=event.id,
            event=event.name,
            session_id=event.session_id,
            state=Stored.PENDING,
            attempts=0,
            status=None,
            error=None,
            began_at=0,
            last_at=0,
            next_at=None,
            body=envelope(event),
        )

    async def _try(self, head: Tried) -> None:
        """Makes one attempt; afterwards the event is settled, or it is the head."""
        async with self._turn, self._means.lanes.of(self._streak):
            webhook = await self._webhook()
            if webhook.revision != self._revision:
                self._begin_anew(webhook)
                head = _anew(head, self._means.clock())
            wanted = head.event == GAP or webhook.hears(head.session_id, head.event)
            answer = await self._post(webhook, head) if wanted else None
        if answer is None:
            await self._forgo(head)
            return
        was_suspended = self._streak.suspended
        after = self._tried(head, answer)
        if answer.verdict is Verdict.TAKEN:
            self._streak = Streak()
            await self._done(after)
            if was_suspended:
                log.info("webhook %s takes events again", webhook.id)
            return
        follows = self._means.schedule.after_failure(
            webhook,
            answer,
            before=self._streak,
            trial=Trial(after.attempts, after.began_at),
            now=after.last_at,
        )
        self._streak = follows.streak
        if follows.dead:
            log.warning(
                "webhook %s: event %s is given up after %d attempts: %s",
                webhook.id,
                after.event_id,
                after.attempts,
                after.error,
            )
            await self._done(_dead(after))
            return
        if follows.streak.suspended and not was_suspended:
            log.warning("webhook %s is suspended, its events wait in the log: %s", webhook.id, after.error)
        self._head = _due(after, Stored.PENDING, follows.wait_seconds)
        await self._settle(Progress(self._position, self._streak), self._head)

    async def _forgo(self, head: Tried) -> None:
        """Passes an event that the webhook does not want any more; what was tried already stays as dead."""
        if self._head is not None:
            await self._done(_dead(head))
        else:
            self._position = head.event_id

    async def _post(self, webhook: Webhook, tried: Tried) -> Answer:
        body = tried.body or b""
        return await self._means.poster.post(
            webhook.url,
            body,
            headers(
                body,
                secret=webhook.secret,
                custom=webhook.custom_headers,
                request_id=f"{tried.webhook_id}.{tried.event_id}",
                timestamp=self._means.clock(),
            ),
        )

    def _tried(self, tried: Tried, answer: Answer) -> Tried:
        """An event after an attempt that was taken, or of which nothing more is known yet."""
        now = self._means.clock()
        return replace(
            tried,
            state=Stored.DELIVERED,
            attempts=tried.attempts + 1,
            status=answer.status,
            error=answer.error,
            began_at=tried.began_at or now,
            last_at=now,
            next_at=None,
            body=None if answer.verdict is Verdict.TAKEN else tried.body,
        )

    async def _done(self, tried: Tried) -> None:
        await self._settle(Progress(tried.event_id, self._streak), tried)
        # Not before: the position is also written by itself, and must never pass what is not.
        self._head = None
        self._position = tried.event_id

    async def _save(self) -> None:
        if self._position != self._saved:
            await self._settle(Progress(self._position, self._streak), None)

    async def _settle(self, progress: Progress | None, tried: Tried | None) -> None:
        outcome = Outcome(self._held.webhook_id, self._held.generation, progress, tried)
        # Writing it twice changes nothing more, so that it does not matter whether the first time counted.
        if not await self._patiently(lambda: self._means.deliveries.settle(outcome)):
            raise EndedError
        if progress is not None:
            self._saved = progress.position
            self._saved_at = asyncio.get_running_loop().time()

    async def _webhook(self) -> Webhook:
        """The webhook as it is now.

        Raises:
            EndedError: it is nothing for this node, or this node stops.
        """
        webhook = await self._patiently(
            lambda: self._means.webhooks.now(self._held.webhook_id, self._held.generation, self._known)
        )
        self._known = webhook
        if webhook is not None and not webhook.active:
            # Whoever pauses it mends something meanwhile.
            self._begin_anew(webhook)
            await self._settle(Progress(self._position, self._streak), self._head)
        if webhook is None or not webhook.active or self._stopping:
            raise EndedError
        return webhook

    async def _patiently(self, ask: Callable[[], Awaitable[Result]]) -> Result:
        """Asks the database until it answers.

        Raises:
            DatabaseFailure: it does not, and this node stops.
        """
        while True:
            try:
                return await ask()
            except DatabaseFailure:
                if self._stopping:
                    raise
            await asyncio.sleep(DATABASE_SECONDS)  # nothing tells when it is back

    async def _wait(self, what: Coroutine[Any, Any, None], *, within: float | None = None) -> None:
        """Waits until something is over, or it is nudged, or for so many seconds."""
        if self._nudged:
            what.close()
            return
        try:
            async with asyncio.timeout(within) as self._waiting:
                await what
        except TimeoutError:
            pass
        finally:
            self._waiting = None


def _anew(tried: Tried, now: int) -> Tried:
    return replace(tried, attempts=0, began_at=now, next_at=now)


def _dead(tried: Tried) -> Tried:
    return replace(tried, state=Stored.DEAD, next_at=None)


def _due(tried: Tried, state: Stored, wait: float) -> Tried:
    return replace(tried, state=state, next_at=tried.last_at + round(wait * 1000))
