"""Calls of commands to a gateway: the client, with the errors of `server.errors`."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
import wagate.client
from wagate.client import Following

from server.errors import WagateError
from server.remote.failures import error_of, told
from server.remote.place import Place

CALL_SECONDS: Final = 120.0
"""How long a call may take: as long as the edge gives one, so that the gateway's own answer comes first."""
PAGE: Final = 200
"""Items of a page, at most (REST API, Paging)."""

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Item = TypeVar("Item")


if TYPE_CHECKING:
    UnaryMethod = grpc.aio.UnaryUnaryMultiCallable[Request, Answer]


class Gateway:
    """A gateway that is called with one key.

    Attributes:
        sessions, messages, chats, groups, webhooks: its services, to be called by `ask`.
    """

    def __init__(self, client: wagate.client.Gateway, place: Place) -> None:
        """Calls by `client`; see `open_gateway`."""
        self._client = client
        self._place = place
        self.sessions = client.sessions
        self.messages = client.messages
        self.chats = client.chats
        self.groups = client.groups
        self.webhooks = client.webhooks

    async def ask(
        self,
        method: "UnaryMethod[Request, Answer]",
        request: Request,
        *,
        seconds: float = CALL_SECONDS,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """Calls a method that answers once.

        Args:
            method: of one of the services.
            request: what to ask.
            seconds: how long to wait.
            headers: further metadata.

        Raises:
            WagateError: as the gateway told it; UNAVAILABLE where nothing answers.
        """
        with told(self._place):
            return await method(request, timeout=seconds, metadata=headers)

    @asynccontextmanager
    async def follow(
        self,
        *,
        after: str,
        sessions: Sequence[str],
        names: Sequence[str],
        interrupted: Callable[[WagateError], None],
    ) -> AsyncIterator[Following]:
        """Events as they happen, each once, also while the gateway restarts.

        A gateway that cannot be reached at the very beginning is an error, because then the address is
        probably wrong.

        Args:
            after: the id behind which to begin; "" for now.
            sessions: ids of sessions: events of these alone; none of them for all.
            names: names of events: these alone; none of them for all.
            interrupted: told each time that the stream broke off.

        Raises:
            WagateError: the gateway refuses: asking again would not help. Also from within the block.
        """
        with told(self._place):
            async with self._client.follow(
                after=after,
                events=names,
                sessions=sessions,
                interrupted=lambda error: interrupted(error_of(error, self._place)),
            ) as events:
                yield events

    async def every(self, method: "UnaryMethod[Any, Any]", request: Any) -> AsyncGenerator[Any, None]:
        """The items of every page of a list.

        Args:
            method: answers with a page: `data` and `next_cursor`.
            request: has `limit` and `cursor`; changed from page to page.
        """
        request.limit = PAGE
        while True:
            page = await self.ask(method, request)
            for item in page.data:
                yield item
            if not page.next_cursor:
                return
            request.cursor = page.next_cursor


@asynccontextmanager
async def open_gateway(place: Place, key: str) -> AsyncIterator[Gateway]:
    """Calls a gateway with a key as long as the block runs. Nothing is connected before the first call."""
    async with wagate.client.connect(place.url, key, timeout=CALL_SECONDS, retries=False) as client:
        yield Gateway(client, place)


async def collected(items: AsyncGenerator[Item, None], most: int | None = None) -> list[Item]:
    """The items of a generator, `most` of them at most."""
    found: list[Item] = []
    async with aclosing(items):
        async for item in items:
            if most is not None and len(found) >= most:
                break
            found.append(item)
    return found
