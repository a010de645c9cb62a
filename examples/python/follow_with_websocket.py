"""Follows an organization's events over a WebSocket, also while the gateway restarts.

pip install aiohttp
WAGATE_URL=http://127.0.0.1:8080 WAGATE_API_KEY=wa_... python follow_with_websocket.py
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

POSITION = Path("position")
MEND_FIRST = {4400, 4404}
"""Close codes after which the same request would end the same way."""


async def follow(
    gateway: str, key: str, load: Callable[[], str], save: Callable[[str], None], names: Sequence[str] = ()
) -> AsyncGenerator[dict[str, Any], None]:
    """Gives out every event once it has happened.

    Args:
        gateway: its address, `http://host:port`.
        key: an api-key with the capability `read`.
        load: gives the last id that was saved, "" for none.
        save: keeps an id, in the same transaction as what was done with its event or right after it.
        names: of events; none of them for all.
    """
    url = f"{gateway}/api/v1/realtime"
    token = {"authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                # Each ticket opens one socket: there is a new one for each attempt.
                async with http.post(f"{url}/ticket", json={"events": names}, headers=token) as answer:
                    answer.raise_for_status()
                    ticket = (await answer.json())["ticket"]
                query = {"ticket": ticket, "after": load()}
                async with http.ws_connect(url, params=query) as socket:
                    async for message in socket:
                        event = message.json()
                        if event["event"] != "heartbeat":
                            yield event
                        save(event["id"])
                if socket.close_code in MEND_FIRST:
                    raise RuntimeError(f"the gateway closed with {socket.close_code}")
            except aiohttp.ClientResponseError as error:
                if error.status < 500:
                    raise
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(1)  # the gateway restarts; nothing that happens meanwhile is lost


def load() -> str:
    return POSITION.read_text() if POSITION.exists() else ""


def save(event_id: str) -> None:
    new = POSITION.with_suffix(".new")
    new.write_text(event_id)
    new.replace(POSITION)  # a crash leaves the old one or the new one, never half of it


async def main() -> None:
    url, key = os.environ["WAGATE_URL"], os.environ["WAGATE_API_KEY"]
    async for event in follow(url, key, load, save):
        print(event["timestamp"], event["event"], event["id"], flush=True)


if __name__ == "__main__":
    asyncio.run(main())
