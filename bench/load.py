"""Ways to send a text through the gateway, and how fast each goes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import aiohttp
import grpc
from wagate.v1 import messages_pb2, messages_pb2_grpc

Send = Callable[[str, str], Awaitable[None]]
"""Sends one text: session, text."""


async def grpc_sender(stack: AsyncExitStack, address: str, key: str, to: str) -> Send:
    """Sends over native gRPC."""
    channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
    stub = messages_pb2_grpc.MessagesStub(channel)
    metadata = (("authorization", f"Bearer {key}"),)

    async def send(session: str, text: str) -> None:
        message = messages_pb2.OutgoingMessage(to=to, type=messages_pb2.MESSAGE_TYPE_TEXT, text=text)
        await stub.SendMessage(
            messages_pb2.SendMessageRequest(session=session, message=message), metadata=metadata
        )

    return send


async def rest_sender(stack: AsyncExitStack, url: str, key: str, to: str) -> Send:
    """Sends over REST."""
    client = await stack.enter_async_context(
        aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"})
    )

    async def send(session: str, text: str) -> None:
        body = {"to": to, "type": "text", "text": text}
        async with client.post(f"{url}/api/v1/sessions/{session}/messages", json=body) as answer:
            if answer.status != 200:
                raise RuntimeError(await answer.text())
            await answer.read()

    return send


async def rate(send: Send, sessions: Sequence[str], in_flight: int, count: int) -> float:
    """Sends per second over all sessions, with `in_flight` sends at a time in all."""
    left = iter(range(count))

    async def worker(session: str) -> None:
        for number in left:
            await send(session, f"bench {number}")

    began = time.perf_counter()
    await asyncio.gather(*(worker(sessions[n % len(sessions)]) for n in range(in_flight)))
    return count / (time.perf_counter() - began)
