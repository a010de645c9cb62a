"""History as a phone tells it, made up for tests."""

from typing import Final

from neonize.proto.Neonize_pb2 import HistorySync as HistoryEvent
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import (
    Conversation,
    HistorySync,
    HistorySyncMsg,
    PhoneNumberToLIDMapping,
    Pushname,
)
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import WebMessageInfo

ADA: Final = "628120000001@s.whatsapp.net"
ADA_LID: Final = "111111111@lid"
BOB: Final = "628120000002@s.whatsapp.net"
BOB_LID: Final = "222222222@lid"
TEAM: Final = "120363000000000001@g.us"
SECOND: Final = 1_700_000_000
"""When it all was, epoch seconds."""


def said(
    message_id: str,
    text: str = "",
    *,
    chat: str = ADA,
    mine: bool = False,
    participant: str = "",
    at: int = SECOND,
) -> WebMessageInfo:
    """A text in a chat, or with nothing in it where there is none."""
    key = MessageKey(remoteJID=chat, fromMe=mine, ID=message_id, participant=participant or None)
    return WebMessageInfo(key=key, messageTimestamp=at, message=Message(conversation=text) if text else None)


def chat(*messages: WebMessageInfo, jid: str = ADA) -> Conversation:
    """A chat with messages, which phones tell newest first."""
    return Conversation(ID=jid, messages=[HistorySyncMsg(message=message) for message in reversed(messages)])


def history(*chats: Conversation, kind: int = HistorySync.RECENT, progress: int = 100) -> HistorySync:
    """A chunk with chats."""
    return HistorySync(syncType=kind, progress=progress, conversations=chats)  # type: ignore[arg-type] # any number


def addresses(*pairs: tuple[str, str]) -> list[PhoneNumberToLIDMapping]:
    """Phone-number JIDs, each with its LID."""
    return [PhoneNumberToLIDMapping(pnJID=phone, lidJID=lid) for phone, lid in pairs]


def names(**called: str) -> list[Pushname]:
    """How people call themselves, by phone number behind an underscore."""
    return [Pushname(ID=f"{number[1:]}@s.whatsapp.net", pushname=name) for number, name in called.items()]


def told(chunk: HistorySync) -> bytes:
    """A chunk as the client library hands it over."""
    return HistoryEvent(Data=chunk).SerializeToString()
