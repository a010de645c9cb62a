"""What the sandbox network can take, without the client library: ``python -m bench.network``.

Clients of the tests' own send messages in a pipeline. What counts is the processor time that the sandbox's
process needs for each, because a client shares the machine with it.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

import psutil

from sandbox.binary_xml import Codec
from sandbox.jid import JID
from sandbox.stanza import Node, Value
from tests.unit.sandbox.dictionary import installed_dictionary
from tests.wire.sandbox_process import SandboxProcess
from tests.wire.wire_client import Identity, Online, WireClient, linked

COUNT = 10_000
WINDOW = 200
CIPHERTEXT = 180  # bytes, as of a short text

codec = Codec(installed_dictionary())


def _message(sender: Identity, to: list[JID], number: int) -> bytes:
    # As the client library sends it: the recipient's devices, and the sender's own phone.
    enc = Node("enc", {"v": "2", "type": "msg"}, bytes(CIPHERTEXT))
    fan_out = [Node("to", {"jid": jid}, [enc]) for jid in (*to, sender.lid.account)]
    attrs: dict[str, Value] = {"to": to[0].account, "id": f"3EB0{number:018X}", "type": "text"}
    return codec.encode(Node("message", attrs, [Node("participants", {}, fan_out)]))


async def _send_all(client: WireClient, messages: list[bytes]) -> None:
    window = asyncio.Semaphore(WINDOW)

    async def read() -> None:
        left = len(messages)
        while left:
            if (await client.receive()).tag == "ack":
                left -= 1
                window.release()

    reading = asyncio.create_task(read())
    for message in messages:
        await window.acquire()
        await client.send_raw(message)
    await reading


async def _receive_all(client: WireClient, count: int) -> None:
    while count:
        node = await client.receive()
        if node.tag == "message":
            count -= 1
            await client.send(Node("receipt", {"to": node.attrs["from"], "id": node.attrs["id"]}))


async def _measured(sandbox: SandboxProcess, work: Awaitable[object], count: int) -> str:
    process = psutil.Process(sandbox.pid)
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    await work
    seconds, spent = time.perf_counter() - began, sum(process.cpu_times()[:2]) - before
    return f"{count / seconds:.0f} | {1000 * spent / count:.3f} | {count / spent:.0f}"


async def _run(folder: Path) -> None:
    sandbox = SandboxProcess(folder / "data")
    await sandbox.start()
    print("| messages | per second here | sandbox CPU ms each | per second of sandbox CPU |")
    print("|---|---|---|---|")
    try:
        ann, bob = await linked(sandbox, "491760001"), await linked(sandbox, "491760002")
        sink = await sandbox.ok("PUT", "/contacts/491760003", {"kind": "sink"})
        async with Online(sandbox, ann) as sender:
            messages = [_message(ann, [JID.parse(sink["lid"])], number) for number in range(COUNT)]
            sending = _send_all(sender, messages)
            print("| to a sink |", await _measured(sandbox, sending, COUNT), "|")
            async with Online(sandbox, bob) as receiver:
                to = [bob.lid.account, bob.lid]
                messages = [_message(ann, to, COUNT + number) for number in range(COUNT)]
                both = asyncio.gather(_send_all(sender, messages), _receive_all(receiver, COUNT))
                print("| to a device, with receipts |", await _measured(sandbox, both, COUNT), "|")
    finally:
        await sandbox.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(_run(Path(place)))
