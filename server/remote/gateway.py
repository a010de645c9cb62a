"""Calls to a gateway, over the generated stubs."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
from wagate.v1 import (
    chats_pb2_grpc,
    events_pb2_grpc,
    groups_pb2_grpc,
    messages_pb2_grpc,
    sessions_pb2_grpc,
    webhooks_pb2_grpc,
)

from server.remote.failures import error_of
from server.remote.place import Place

if TYPE_CHECKING:
    from wagate.v1.chats_pb2_grpc import ChatsAsyncStub
    from wagate.v1.events_pb2_grpc import EventsAsyncStub
    from wagate.v1.groups_pb2_grpc import GroupsAsyncStub
    from wagate.v1.messages_pb2_grpc import MessagesAsyncStub
    from wagate.v1.sessions_pb2_grpc import SessionsAsyncStub
    from wagate.v1.webhooks_pb2_grpc import WebhooksAsyncStub

CALL_SECONDS: Final = 120.0
"""How long a call may take: as long as the edge gives one, so that the gateway's own answer comes first."""
PAGE: Final = 200
"""Items of a page, at most (REST API, Paging)."""
_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 20_000),  # a gateway that vanished without a word is noticed
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),  # as much as the edge lets through
)

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Item = TypeVar("Item")
Metadata = Sequence[tuple[str, str]]


if TYPE_CHECKING:
    UnaryMethod = grpc.aio.UnaryUnaryMultiCallable[Request, Answer]
    StreamMethod = grpc.aio.UnaryStreamMultiCallable[Request, Answer]


class Gateway:
    """A gateway that is called with one key.

    Attributes:
        place: where it is.
        sessions, messages, chats, groups, events, webhooks: its services, to be called by `ask` and `follow`.
    """

    def __init__(self, channel: grpc.aio.Channel, place: Place, key: str) -> None:
        """Calls over `channel`; see `open_gateway`."""
        self.place = place
        self._metadata: Metadata = (("authorization", f"Bearer {key}"),)
        self.sessions: SessionsAsyncStub = sessions_pb2_grpc.SessionsStub(channel)
        self.messages: MessagesAsyncStub = messages_pb2_grpc.MessagesStub(channel)
        self.chats: ChatsAsyncStub = chats_pb2_grpc.ChatsStub(channel)
        self.groups: GroupsAsyncStub = groups_pb2_grpc.GroupsStub(channel)
        self.events: EventsAsyncStub = events_pb2_grpc.EventsStub(channel)
        self.webhooks: WebhooksAsyncStub = webhooks_pb2_grpc.WebhooksStub(channel)

    async def ask(
        self,
        method: "UnaryMethod[Request, Answer]",
        request: Request,
        *,
        seconds: float = CALL_SECONDS,
        headers: Metadata = (),
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
        try:
            return await method(request, timeout=seconds, metadata=(*self._metadata, *headers))
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self.place) from error

    async def follow(
        self, method: "StreamMethod[Request, Answer]", request: Request
    ) -> AsyncGenerator[Answer, None]:
        """Calls a method that answers with a stream; to be closed by whoever iterates.

        Raises:
            WagateError: as for `ask`; also when a stream under way ends.
        """
        call = method(request, metadata=self._metadata)
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self.place) from error
        finally:
            call.cancel()

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
    if place.is_tls:
        channel = grpc.aio.secure_channel(place.target, grpc.ssl_channel_credentials(), options=_OPTIONS)
    else:
        channel = grpc.aio.insecure_channel(place.target, options=_OPTIONS)
    async with channel:
        yield Gateway(channel, place, key)


async def collected(items: AsyncGenerator[Item, None], most: int | None = None) -> list[Item]:
    """The items of a generator, `most` of them at most."""
    found: list[Item] = []
    async with aclosing(items):
        async for item in items:
            if most is not None and len(found) >= most:
                break
            found.append(item)
    return found
