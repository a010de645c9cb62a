"""A connection to a gateway."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import grpc
from wagate.client.address import Address
from wagate.client.calling import IDEMPOTENCY_KEY, Calls
from wagate.client.errors import GatewayError
from wagate.client.following import Following
from wagate.v1 import (
    chats_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    groups_pb2_grpc,
    messages_pb2,
    messages_pb2_grpc,
    realtime_pb2_grpc,
    sessions_pb2_grpc,
    webhooks_pb2_grpc,
)

TIMEOUT: Final = 30.0
"""Seconds for a call, with everything that is tried again; a send waits for WhatsApp up to 20."""

_OPTIONS: Final = (
    # By itself gRPC waits up to two minutes before it tries to connect again.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # A connection that a firewall forgot is noticed while a call waits on it.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # 200 messages of 65,536 characters are a page.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
)


class Gateway:
    """A gateway that one is connected to: its services, as `wagate.v1` describes them.

    Every call of a service carries the key and a deadline, is made again where that is safe, and fails with a
    `GatewayError`. It is safe for what only reads, for sends (under an idempotency key that all attempts
    share: `metadata=(("idempotency-key", ...),)`, or one that is made up), and for everything where the
    gateway said that nothing was done.

    Attributes:
        sessions: create, pair, start and stop sessions.
        messages: send, edit, revoke, forward, react, vote.
        chats: the stored copy of conversations.
        groups: join groups.
        realtime: tickets for streams of browsers.
        webhooks: endpoints that events are posted to, with their delivery log.
    """

    def __init__(
        self, channel: grpc.aio.Channel, address: str, key: str, timeout: float, *, retries: bool
    ) -> None:
        """Is made by `connect`."""
        self.sessions = sessions_pb2_grpc.SessionsStub(channel)
        self.messages = messages_pb2_grpc.MessagesStub(channel)
        self.chats = chats_pb2_grpc.ChatsStub(channel)
        self.groups = groups_pb2_grpc.GroupsStub(channel)
        self.realtime = realtime_pb2_grpc.RealtimeStub(channel)
        self.webhooks = webhooks_pb2_grpc.WebhooksStub(channel)
        self._events = events_pb2_grpc.EventsStub(channel)
        self._address = address
        self._metadata = (("authorization", f"Bearer {key}"),)
        self._timeout = timeout
        self._retries = retries

    async def send_text(
        self,
        session: str,
        to: str,
        text: str,
        *,
        idempotency_key: str = "",
        run_async: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - a call's deadline, which the gateway is told
    ) -> messages_pb2.SendResult:
        """Sends a text.

        Args:
            session: the id of the session that sends.
            to: the JID of a person (`628...@s.whatsapp.net`, `...@lid`) or a group (`...@g.us`).
            text: 1 to 65,536 characters.
            idempotency_key: names this message, so that whoever sends it again after a crash gets the result
                of the first time and sends nothing: 1 to 255 printable ASCII characters. "" makes one up,
                which protects from this call's own repetitions alone.
            run_async: answer as soon as the gateway has the message in its outbox; how it ended is told by an
                event `message.status` with the result's `outbox_id`.
            timeout: seconds for all attempts; None is the connection's.

        Raises:
            GatewayError: see its kinds; `outcome` tells whether the message may have been sent.
        """
        message = messages_pb2.OutgoingMessage(to=to, type=messages_pb2.MESSAGE_TYPE_TEXT, text=text)
        request = messages_pb2.SendMessageRequest(session=session, run_async=run_async, message=message)
        metadata = ((IDEMPOTENCY_KEY, idempotency_key),) if idempotency_key else ()
        return await self.messages.SendMessage(request, timeout=timeout, metadata=metadata)

    @asynccontextmanager
    async def follow(
        self,
        *,
        after: str = "",
        events: Sequence[str] = (),
        sessions: Sequence[str] = (),
        interrupted: Callable[[GatewayError], None] | None = None,
    ) -> AsyncGenerator[Following, None]:
        """Follows the organization's events; what happens from the block's beginning on is among them.

        Args:
            after: the id of the last event that is dealt with: begins behind it. "" begins now, `OLDEST` with
                everything that is kept.
            events: names (docs/events.md); none for all of them. `gap` comes in any case: it says that events
                behind `after` are not kept any more.
            sessions: ids; none for all sessions.
            interrupted: told why, once each time that the events broke off and will come back; None: each
                attempt to come back is a warning in the log.

        Yields:
            The events.

        Raises:
            GatewayError: the gateway refuses, or cannot be reached.
        """
        request = events_pb2.SubscribeRequest(after=after, events=events, sessions=sessions)
        following = Following(
            lambda asked: self._events.Subscribe(asked, metadata=self._metadata),
            request,
            self._address,
            interrupted=interrupted,
        )
        try:
            await following.begin(self._timeout, retries=self._retries)
            yield following
        finally:
            following.close()


@asynccontextmanager
async def connect(
    address: str,
    key: str,
    *,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - of the calls, not of this function
    credentials: grpc.ChannelCredentials | None = None,
    retries: bool = True,
) -> AsyncGenerator[Gateway, None]:
    """Connects to a gateway for as long as the block runs.

    Nothing is sent before the first call: a gateway that does not run yet is no error here.

    Args:
        address: `https://gateway.example`, `http://127.0.0.1:8080` or `127.0.0.1:8080`. Without https anybody
            on the way reads the key and the messages: for loopback and networks of one's own.
        key: an api-key or a login token.
        timeout: seconds that a call may take, with everything that is tried again.
        credentials: for https, where the system's authorities are not to be asked.
        retries: False makes each call once, so that what cannot be done now fails at once; events that are
            followed come back all the same, once they have begun.

    Yields:
        The gateway.

    Raises:
        ValueError: the address is none, or there is no key.
    """
    if not key.strip():
        raise ValueError("there is no key: make one with `wagate keys create`")
    where = Address.parse(address)
    # The stubs have no type for interceptors that one can have.
    calls = cast("Sequence[Any]", [Calls(where.target, key.strip(), timeout, retries=retries)])
    if where.is_encrypted:
        secret = credentials or grpc.ssl_channel_credentials()
        channel = grpc.aio.secure_channel(where.target, secret, _OPTIONS, interceptors=calls)
    else:
        channel = grpc.aio.insecure_channel(where.target, _OPTIONS, interceptors=calls)
    async with channel:
        yield Gateway(channel, where.target, key.strip(), timeout, retries=retries)
