"""Changes to chats that every device of an account shall know, as app-state patches.

Shapes, versions and names are WhatsApp's; they were read in the library's own builders.
"""

from collections.abc import Sequence
from typing import Final

from neonize.proto.Neonize_pb2 import MutationInfo, PatchInfo
from neonize.proto.waSyncAction.WAWebProtobufSyncAction_pb2 import (
    ArchiveChatAction,
    MuteAction,
    PinAction,
    SyncActionMessage,
    SyncActionMessageRange,
    SyncActionValue,
)

from server.whatsapp.content import Target
from server.whatsapp.encoding import encode_key
from server.whatsapp.jid import Jid
from server.whatsapp.port import ChatChange, LastMessage

_ARCHIVE_VERSION: Final = 3
_MUTE_VERSION: Final = 2
_PIN_VERSION: Final = 5


def patches_of(chat: Jid, change: ChatChange, last: LastMessage | None, now: int) -> Sequence[PatchInfo]:
    """The patches that make a change, one per collection of the app state.

    Archiving a chat unpins it, as it does on the phone.

    Args:
        chat: as WhatsApp addresses it.
        change: what.
        last: the newest stored message, its sender as WhatsApp addresses them in this chat.
        now: epoch milliseconds.
    """
    low: list[MutationInfo] = []
    if change.archived is not None:
        low.append(_archive(chat, change.archived, last, now))
    pinned = False if change.archived and change.pinned is None else change.pinned
    if pinned is not None:
        pin = SyncActionValue(pinAction=PinAction(pinned=pinned))
        low.append(MutationInfo(Index=["pin_v1", str(chat)], Version=_PIN_VERSION, Value=pin))
    high = [] if change.muted_until is None else [_mute(chat, change.muted_until)]
    collections = ((PatchInfo.REGULAR_LOW, low), (PatchInfo.REGULAR_HIGH, high))
    return [
        PatchInfo(Timestamp=now * 1_000_000, Type=collection, Mutations=mutations)
        for collection, mutations in collections
        if mutations
    ]


def _archive(chat: Jid, archived: bool, last: LastMessage | None, now: int) -> MutationInfo:
    seconds = (now if last is None else last.timestamp) // 1000
    known = SyncActionMessageRange(lastMessageTimestamp=seconds)
    if last is not None:
        key = encode_key(Target(last.id, last.sender, last.from_me), chat)
        known.messages.append(SyncActionMessage(key=key, timestamp=seconds))
    value = SyncActionValue(archiveChatAction=ArchiveChatAction(archived=archived, messageRange=known))
    return MutationInfo(Index=["archive", str(chat)], Version=_ARCHIVE_VERSION, Value=value)


def _mute(chat: Jid, until: int) -> MutationInfo:
    action = MuteAction(muted=True, muteEndTimestamp=until) if until else MuteAction(muted=False)
    return MutationInfo(
        Index=["mute", str(chat)], Version=_MUTE_VERSION, Value=SyncActionValue(muteAction=action)
    )
