"""Replies to every text that somebody writes: once, also when this program or the gateway restarts.

pip install 'wagate[client]'
WAGATE_URL=http://127.0.0.1:8080 WAGATE_API_KEY=wa_... python reply.py
"""

import asyncio
import os
import sys
from pathlib import Path

from wagate.client import Gateway, GatewayError, NotFoundError, connect
from wagate.v1.events_pb2 import Event

POSITION = Path("reply.position")
"""Holds the id of the last event that is dealt with."""


async def main(after: str) -> None:
    names = ["message", "message.status"]
    async with (
        connect(os.environ["WAGATE_URL"], os.environ["WAGATE_API_KEY"]) as gateway,
        gateway.follow(after=after, events=names) as events,
    ):
        print("following after", events.position, flush=True)
        async for event in events:
            await deal_with(event, gateway)
            remember(events.position)


async def deal_with(event: Event, gateway: Gateway) -> None:
    told = event.payload
    match event.event:
        case "message" if told["direction"] == "in" and told["type"] == "text":
            await reply(gateway, event.session, str(told["chatJid"]), str(told["body"]), event.id)
        case "message.status":
            print(told["status"], told["waMessageId"], told["error"] or "", flush=True)
        case "gap":
            print("away for too long: what came before", told["until"], "is lost", flush=True)


async def reply(gateway: Gateway, session: str, chat: str, text: str, event_id: str) -> None:
    try:
        # After a crash the same event comes again: its id makes sure that the reply does not. The outbox
        # waits for a session that is away, and keeps to the rate.
        await gateway.send_text(session, chat, f"You said: {text}", idempotency_key=event_id, run_async=True)
    except NotFoundError:
        print("session", session, "is gone", flush=True)


def remember(position: str) -> None:
    new = POSITION.with_suffix(".new")
    new.write_text(position)
    new.replace(POSITION)  # a crash leaves the old one or the new one, never half of it


if __name__ == "__main__":
    try:
        asyncio.run(main(POSITION.read_text() if POSITION.exists() else ""))
    except GatewayError as error:
        sys.exit(f"{error.code}: {error}")  # whoever starts it again goes on where it was
