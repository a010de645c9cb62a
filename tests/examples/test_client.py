"""The client at the running product, while the node ends again and again."""

import asyncio
import itertools
from collections import Counter
from functools import partial

from wagate.client import OLDEST, GatewayError, connect
from wagate.v1 import chats_pb2, sessions_pb2

from tests.support.stack import Stack, eventually
from tests.support.waiting import until, until_async

KILLS = 3
DEADLINE = 120


def restart(stack: Stack) -> None:
    """Kills the node and waits for the next one."""
    old = stack.node
    old.kill()
    eventually(lambda: stack.node.pid != old.pid, "the node is replaced")


def has(found: list[str], count: int) -> bool:
    """Whether there are so many by now."""
    return len(found) >= count


async def test_nothing_is_sent_twice_and_no_event_is_missed(stack: Stack) -> None:
    session = await asyncio.to_thread(stack.paired, "628110000005")
    dora = await asyncio.to_thread(stack.person, "628120000005", "Dora")
    certain: list[str] = []
    failed: list[GatewayError] = []
    told: list[str] = []
    ids: list[str] = []
    over = asyncio.Event()

    async with connect(stack.ready["http"], stack.ready["apiKey"], timeout=60) as gateway:

        async def follow() -> None:
            async with gateway.follow(after=OLDEST, events=["message"], sessions=[session]) as events:
                async for event in events:
                    ids.append(event.id)
                    told.append(str(event.payload["body"]))

        async def send() -> None:
            for number in itertools.count():
                if over.is_set():
                    return
                text = f"text {number}"
                try:
                    result = await gateway.send_text(session, dora, text)
                except GatewayError as error:
                    failed.append(error)
                else:
                    assert result.wa_message_id
                    certain.append(text)

        following, sending = asyncio.create_task(follow()), asyncio.create_task(send())
        for _ in range(KILLS):
            await until(partial(has, told, len(told) + 5), "it goes on", DEADLINE)
            await asyncio.to_thread(restart, stack)
        await until(partial(has, told, len(told) + 5), "it goes on", DEADLINE)
        over.set()
        async with asyncio.timeout(DEADLINE):
            await sending
        heard: Counter[str] = Counter()

        async def hears_all() -> bool:
            # What WhatsApp has acknowledged is with the person a moment later.
            heard.clear()
            heard.update(message["text"] for message in await asyncio.to_thread(stack.heard, "628120000005"))
            return set(certain) <= set(heard)

        await until_async(hears_all, "every message is heard", DEADLINE)
        await until(lambda: set(told) >= set(certain), "every message is told", DEADLINE)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

        assert ids == sorted(set(ids))
        assert max(heard.values()) == 1
        # One message at most was under way at each kill, and of such a one nobody knows.
        assert [error.outcome for error in failed] == ["indeterminate"] * len(failed)
        assert len(failed) <= KILLS
        found = await gateway.sessions.ListSessions(sessions_pb2.ListSessionsRequest())
        assert session in [one.id for one in found.data]
        chats = await gateway.chats.ListChats(chats_pb2.ListChatsRequest(session=session))
        assert [chat.jid for chat in chats.data] == [dora]
