"""Makes a device ask senders for messages again that it has decrypted and lost.

A message can be decrypted once. When it is delivered again and the keys that its sender had with this device
are gone, the library asks the sender for it, and new keys are agreed upon on the way: as for any message that
cannot be decrypted.

The keys are deleted by a process of its own: this one has the library's SQLite, and must not bring another
one to the same file (`server.whatsapp.device_store`).
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from server.whatsapp.device_store import device_file
from server.whatsapp.incoming import Repeated
from server.whatsapp.port import ClientError

BUSY_SECONDS: Final = 10.0
"""How long the library may keep the store locked."""


async def forget_senders(device: Path, lost: Iterable[Repeated]) -> None:
    """Deletes the keys that the senders of messages have with a device. Its client must be stopped.

    Args:
        device: the folder with the device's keys.
        lost: the messages.

    Raises:
        ClientError: the store could not be changed.
    """
    senders = sorted({(address(message.sender), message.chat) for message in lost})
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "server.whatsapp.asking_again",
            str(device_file(device)),
            json.dumps(senders),
        ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise ClientError(f"a device's keys could not be deleted: {said.decode(errors='replace')[-200:]}")


def address(sender: str) -> str:
    """A device's name in the store's tables.

    Args:
        sender: its JID, as the library writes it.
    """
    name, _, server = sender.partition("@")
    user, _, device = name.partition(":")
    # The tables tell LIDs from phone numbers by a suffix.
    return f"{user}_1:{device or 0}" if server == "lid" else f"{user}:{device or 0}"


def main() -> None:
    """Deletes keys: the store's file and the pairs of address and chat are the arguments."""
    file, senders = sys.argv[1], json.loads(sys.argv[2])
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as store, store:
        for sender, chat in senders:
            store.execute("DELETE FROM whatsmeow_sessions WHERE their_id = ?", (sender,))
            store.execute(
                "DELETE FROM whatsmeow_sender_keys WHERE sender_id = ? AND chat_id = ?", (sender, chat)
            )


if __name__ == "__main__":
    main()
