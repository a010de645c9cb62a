"""One real client in a process of its own.

``python -m tests.wire.real_client_child FD STORE PROXY ROOT_KEY``

Driven over a socket pair: one JSON object per line, requests with an ``id`` one way, answers and events the
other way. neonize is used as it comes; see ``real_client.py`` for what can be asked.
"""

import asyncio
import ctypes
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox import libmagic
from sandbox.wire_hook import trust_root

libmagic.preload()

from neonize._binder import ProxySettings  # noqa: E402 - libmagic must be there first
from neonize.aioze.client import NewAClient  # noqa: E402
from neonize.aioze.events import (  # noqa: E402
    ChatPresenceEv,
    ConnectedEv,
    HistorySyncEv,
    LoggedOutEv,
    MessageEv,
    PairStatusEv,
    PresenceEv,
    ReceiptEv,
)
from neonize.proto import Neonize_pb2 as wire  # noqa: E402
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message  # noqa: E402
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import HistorySync  # noqa: E402
from neonize.proto.waSyncAction.WAWebProtobufSyncAction_pb2 import SyncActionValue  # noqa: E402
from neonize.utils.enum import (  # noqa: E402
    ChatPresence,
    ChatPresenceMedia,
    ClientName,
    ClientType,
    Presence,
    ReceiptType,
)

# As the node opens its stores: without, every new key waits for the disk.
_STORE_OPTIONS = "?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&_foreign_keys=on&x="

Emit = Callable[[dict[str, Any]], None]


class Client(NewAClient):
    """The client, with the one thing that it keeps to itself: the QR channel's last word."""

    def __init__(self, store: str, emit: Emit) -> None:
        super().__init__(store + _STORE_OPTIONS)
        self.emit = emit

    def _NewAClient__onLoginStatus(self, _uuid: int, word: int) -> None:  # noqa: N802 - the library's name
        self.emit({"event": "login", "word": ctypes.string_at(word).decode()})


class Session:
    """What can be asked of the client."""

    def __init__(self, store: str, proxy: str, emit: Emit) -> None:
        self._client = Client(store, emit)
        self._proxy = ProxySettings(proxy_address=proxy)
        _listen(self._client, emit)

    async def connect(self) -> None:
        self._parked = await self._client.connect(self._proxy)

    async def pairing_code(self, phone: str) -> str:
        return await self._client.PairPhone(phone, True, ClientName.LINUX, ClientType.CHROME)

    async def write(self, to: str, text: str) -> str:
        return (await self._client.send_message(_jid(to), Message(conversation=text))).ID

    async def read(self, chat: str, ids: list[str]) -> None:
        jid = _jid(chat)
        await self._client.mark_read(*ids, chat=jid, sender=jid, receipt=ReceiptType.READ)

    async def chat_state(self, to: str, state: str) -> None:
        composing, paused = ChatPresence.CHAT_PRESENCE_COMPOSING, ChatPresence.CHAT_PRESENCE_PAUSED
        text, audio = ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT, ChatPresenceMedia.CHAT_PRESENCE_MEDIA_AUDIO
        await self._client.send_chat_presence(
            _jid(to), paused if state == "paused" else composing, audio if state == "recording" else text
        )

    async def presence(self, available: bool) -> None:
        await self._client.send_presence(Presence.AVAILABLE if available else Presence.UNAVAILABLE)

    async def subscribe(self, to: str) -> None:
        await self._client.subscribe_presence(_jid(to))

    async def rename(self, name: str) -> None:
        await self._client.set_profile_name(name)

    async def archive(self, chat: str, collection: str) -> None:
        value = SyncActionValue()
        value.archiveChatAction.archived = True
        mutation = wire.MutationInfo(Index=["archive", chat], Version=3, Value=value)
        kind = wire.PatchInfo.WAPatchName.Value(collection)
        await self._client.send_app_state(
            wire.PatchInfo(Timestamp=time.time_ns(), Type=kind, Mutations=[mutation])
        )

    async def settings(self, chat: str) -> dict[str, Any]:
        known = await self._client.chat_settings.get_chat_settings(_jid(chat))
        return {
            "found": known.Found,
            "archived": known.Archived,
            "pinned": known.Pinned,
            "mutedUntil": known.MutedUntil,
        }

    async def me(self) -> str:
        return (await self._client.get_me()).PushName


def _listen(client: Client, emit: Emit) -> None:
    async def on_qr(_client: NewAClient, code: bytes) -> None:
        emit({"event": "qr", "code": code.decode()})

    async def on_connected(_client: NewAClient, _event: wire.Connected) -> None:
        emit({"event": "connected"})

    async def on_logged_out(_client: NewAClient, _event: wire.LoggedOut) -> None:
        emit({"event": "logged_out"})

    async def on_paired(_client: NewAClient, event: wire.PairStatus) -> None:
        emit({"event": "paired", "error": event.Error})

    async def on_message(_client: NewAClient, event: wire.Message) -> None:
        emit(
            {
                "event": "message",
                "id": event.Info.ID,
                "mine": event.Info.MessageSource.IsFromMe,
                "category": event.Info.Category,
                "name": event.Info.Pushname,
                "kinds": [field.name for field, _ in event.Message.ListFields()],
                "text": event.Message.conversation,
            }
        )

    async def on_receipt(_client: NewAClient, event: wire.Receipt) -> None:
        kind = wire.Receipt.ReceiptType.Name(event.Type).lower()
        emit({"event": "receipt", "ids": list(event.MessageIDs), "type": kind})

    async def on_chat_state(_client: NewAClient, event: wire.ChatPresence) -> None:
        recording = event.Media == wire.ChatPresence.AUDIO
        state = wire.ChatPresence.ChatPresence.Name(event.State).lower()
        emit(
            {
                "event": "chat_state",
                "from": _text(event.MessageSource.Sender),
                "state": "recording" if recording else state,
            }
        )

    async def on_presence(_client: NewAClient, event: wire.Presence) -> None:
        emit(
            {
                "event": "presence",
                "from": _text(event.From),
                "available": not event.Unavailable,
                "seen": event.LastSeen,
            }
        )

    async def on_history(_client: NewAClient, event: wire.HistorySync) -> None:
        history = event.Data
        emit(
            {
                "event": "history",
                "type": HistorySync.HistorySyncType.Name(history.syncType),
                "progress": history.progress,
                "messages": sum(len(chat.messages) for chat in history.conversations),
                "chats": [chat.ID for chat in history.conversations],
                "names": [name.pushname for name in history.pushnames],
            }
        )

    client.event.qr(on_qr)
    client.event(HistorySyncEv)(on_history)
    client.event(ConnectedEv)(on_connected)
    client.event(LoggedOutEv)(on_logged_out)
    client.event(PairStatusEv)(on_paired)
    client.event(MessageEv)(on_message)
    client.event(ReceiptEv)(on_receipt)
    client.event(ChatPresenceEv)(on_chat_state)
    client.event(PresenceEv)(on_presence)


def _jid(text: str) -> wire.JID:
    user, _, server = text.rpartition("@")
    return wire.JID(User=user, Server=server, Device=0, RawAgent=0, Integrator=0, IsEmpty=False)


def _text(jid: wire.JID) -> str:
    return f"{jid.User}@{jid.Server}"


async def _serve(channel: socket.socket, store: str, proxy: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(16))
    reader, writer = await asyncio.open_connection(sock=channel)

    def emit(record: dict[str, Any]) -> None:
        # Some events come from threads of the library.
        loop.call_soon_threadsafe(writer.write, json.dumps(record).encode() + b"\n")

    session = Session(store, proxy, emit)
    while line := await reader.readline():
        request = json.loads(line)
        try:
            result = await getattr(session, request["do"])(**request["with"])
        except Exception as error:  # noqa: BLE001 - the test is told, and judges
            emit({"id": request["id"], "error": f"{type(error).__name__}: {error}"})
        else:
            emit({"id": request["id"], "result": result})


if __name__ == "__main__":
    trust_root(bytes.fromhex(sys.argv[4]))
    asyncio.run(_serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], sys.argv[3]))
    # Threads of the library are still parked; only leaving at once ends them.
    os._exit(0)
