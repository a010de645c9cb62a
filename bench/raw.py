"""Raw neonize, in a process of its own: what the gateway is compared with.

Pairs a number of devices, then sends on command. Speaks JSON lines: settings on standard input, results
on the file descriptor named there (standard output belongs to the library, which prints).
"""

import asyncio
import json
import logging
import os
import sys
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ["NEONIZE_BOT_TAG"] = "off"

from sandbox.libmagic import preload
from sandbox.wire_hook import trust_root

preload()

from neonize._binder import ProxySettings  # noqa: E402 - after libmagic
from neonize.aioze.client import NewAClient  # noqa: E402
from neonize.proto.Neonize_pb2 import JID, Connected  # noqa: E402
from neonize.proto.Neonize_pb2 import Message as MessageEvent  # noqa: E402
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message  # noqa: E402


class Received:
    """Counts what comes in."""

    def __init__(self) -> None:
        """Nothing has come in."""
        self.count = 0
        self._enough = asyncio.Event()
        self._wanted = 0

    async def take(self, _client: NewAClient, _event: MessageEvent) -> None:
        """One more."""
        self.count += 1
        if self.count == self._wanted:
            self._enough.set()

    async def more(self, count: int) -> float:
        """Waits for so many more; returns when the last of them came (`time.time()`)."""
        self._enough.clear()
        self._wanted = self.count + count
        await self._enough.wait()
        return time.time()


async def paired(order: dict[str, Any], number: str, received: Received) -> NewAClient:
    """A client whose device the sandbox's phone has linked."""
    path = urllib.parse.quote(str(Path(order["dir"]) / f"{number}.db"))
    store = f"{path}?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&_foreign_keys=on&x="
    client = NewAClient(store, uuid=number)
    connected = asyncio.Event()

    async def on_code(_client: NewAClient, code: bytes) -> None:
        request = urllib.request.Request(
            f"{order['sandbox']}/phones/{number}/scan",
            data=json.dumps({"qr": code.decode()}).encode(),
            headers={"content-type": "application/json"},
        )
        await asyncio.to_thread(lambda: urllib.request.urlopen(request).close())

    async def on_connected(_client: NewAClient, _event: Connected) -> None:
        connected.set()

    client.event.qr(on_code)
    client.event(Connected)(on_connected)
    client.event(MessageEvent)(received.take)
    await client.connect(ProxySettings(proxy_address=order["proxy"]))
    await asyncio.wait_for(connected.wait(), 60)
    return client


async def rate(clients: list[NewAClient], to: str, in_flight: int, count: int) -> float:
    """Sends per second over all clients, with `in_flight` sends at a time in all."""
    jid = JID(User=to, Server="s.whatsapp.net", RawAgent=0, Device=0, Integrator=0, IsEmpty=False)
    left = iter(range(count))

    async def worker(client: NewAClient) -> None:
        for number in left:
            await client.send_message(jid, Message(conversation=f"raw {number}"))

    began = time.perf_counter()
    await asyncio.gather(*(worker(clients[n % len(clients)]) for n in range(in_flight)))
    return count / (time.perf_counter() - began)


async def main() -> None:
    """Serves orders until standard input ends."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(128))
    order = json.loads(await asyncio.to_thread(sys.stdin.readline))
    results = os.fdopen(order["results"], "w", buffering=1)
    if order["quiet"]:
        logging.getLogger("neonize.utils.log").setLevel(logging.WARNING)
    trust_root(bytes.fromhex(order["rootKey"]))
    received = Received()
    clients = [await paired(order, number, received) for number in order["numbers"]]
    for client in clients:
        await rate([client], order["to"], 1, 5)  # the first sends look up devices and keys
    results.write(json.dumps({"ready": True}) + "\n")
    while line := await asyncio.to_thread(sys.stdin.readline):
        ask = json.loads(line)
        if "receive" in ask:
            results.write(json.dumps({"at": await received.more(ask["receive"])}) + "\n")
            continue
        measured = await rate(clients[: ask["sessions"]], order["to"], ask["inFlight"], ask["count"])
        results.write(json.dumps({"rate": measured}) + "\n")
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
