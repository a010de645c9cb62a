"""Events as they happen, also while the gateway restarts."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Self

import grpc
from wagate.client.calling import pause_before
from wagate.client.errors import (
    ForbiddenError,
    GatewayError,
    NotFoundError,
    NotSupportedError,
    UnauthorizedError,
    UnreachableError,
    ValidationError,
    error_of,
)
from wagate.v1 import events_pb2

log = logging.getLogger(__name__)

OLDEST: Final = "evt_" + "0" * 26
"""`after` this stands everything that is kept."""
SILENCE: Final = 40.0
"""Seconds after which a stream is dead in which nothing came: there is a heartbeat every 15."""
HEARTBEAT: Final = "heartbeat"
_FINAL: Final = (ForbiddenError, NotFoundError, NotSupportedError, UnauthorizedError, ValidationError)
"""Whoever asks again is told the same."""

Stream = grpc.aio.UnaryStreamCall[events_pb2.SubscribeRequest, events_pb2.Event]


class Following:
    """Events, each once it has happened, in the log's order: to be iterated over, by one reader.

    An event is asked for when the one before has been dealt with: what is not read yet waits in the gateway's
    log, so a slow reader loses nothing. When the connection breaks or the gateway restarts it comes back by
    itself, behind the last event that it gave out.
    """

    def __init__(
        self,
        subscribe: Callable[[events_pb2.SubscribeRequest], Stream],
        request: events_pb2.SubscribeRequest,
        address: str,
        silence: float = SILENCE,
        interrupted: Callable[[GatewayError], None] | None = None,
    ) -> None:
        """Is opened by `Gateway.follow`.

        Args:
            subscribe: opens a stream.
            request: where to begin, and the filters.
            address: the gateway's, for messages.
            silence: seconds without anything after which a stream is given up.
            interrupted: told why, once each time that the stream broke off; None: it is logged.
        """
        self._subscribe = subscribe
        self._request = request
        self._address = address
        self._silence = silence
        self._interrupted = interrupted
        self._stream: Stream | None = None
        self._failures = 0

    @property
    def position(self) -> str:
        """The id of the last event that was given out, or of a later one that the filters left out.

        Follow `after` it to go on from here: keep it once the last event is dealt with.
        """
        return self._request.after

    async def begin(self, within: float, *, retries: bool = True) -> None:
        """Returns once what happens from now on will be given out.

        Args:
            within: seconds.
            retries: whether a gateway that cannot be reached is asked again in this time.

        Raises:
            GatewayError: why not.
        """
        try:
            async with asyncio.timeout(within):
                # The first event of every stream is a heartbeat.
                await (self._next() if retries else self._read())
        except TimeoutError:
            self.close()
            raise UnreachableError(
                f"no events from {self._address} within {within:g} s: is that the gateway, and does it run?"
            ) from None

    def close(self) -> None:
        """Ends the stream; whoever reads on opens another one."""
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> events_pb2.Event:
        """The next event, when there is one.

        Raises:
            GatewayError: the stream ended, and asking again would end the same way.
        """
        while True:
            event = await self._next()
            if event.event != HEARTBEAT:
                return event

    async def _next(self) -> events_pb2.Event:
        """The next event, a heartbeat too, of whichever stream."""
        while True:
            try:
                event = await self._read()
            except _FINAL:
                raise
            except GatewayError as error:
                self._failures += 1
                pause = max(pause_before(self._failures), error.retry_after or 0.0)
                if self._interrupted is None:
                    log.warning(
                        "following again in %.1f s, after %s: %s", pause, self.position or "now", error
                    )
                elif self._failures == 1:
                    self._interrupted(error)
                await asyncio.sleep(pause)  # the gateway restarts; nothing that happens meanwhile is lost
            else:
                self._failures = 0
                return event

    async def _read(self) -> events_pb2.Event:
        stream = self._stream = self._stream or self._subscribe(self._request)
        try:
            async with asyncio.timeout(self._silence):
                event = await stream.read()
        except grpc.aio.AioRpcError as failure:
            self.close()
            raise error_of(failure, self._address) from failure
        except TimeoutError:
            self.close()
            raise UnreachableError(f"nothing came from {self._address} in {self._silence:g} s") from None
        except BaseException:  # cancelled: gRPC gives up a stream of which a read was cancelled
            self.close()
            raise
        if not isinstance(event, events_pb2.Event):  # gRPC's mark for an end without an error
            self.close()
            raise UnreachableError(f"{self._address} ended the stream")
        self._request.after = event.id
        return event
