"""The Chats service."""

from wagate.v1 import chats_pb2 as pb
from wagate.v1 import messages_pb2

from server.chats.changes import ChatChanges, ChatUpdate
from server.chats.service import Chats, MessagePage
from server.errors import invalid
from server.rpc.endpoint import Call
from server.rpc.json_codec import enum_words
from server.store.records import MEDIA_TYPES, Chat, Message
from server.whatsapp.jid import GROUP
from server.whatsapp.port import ChatState

_STATES = {
    pb.CHAT_PRESENCE_COMPOSING: ChatState.COMPOSING,
    pb.CHAT_PRESENCE_RECORDING: ChatState.RECORDING,
    pb.CHAT_PRESENCE_PAUSED: ChatState.PAUSED,
}
_TYPES = enum_words(messages_pb2.MessageType.DESCRIPTOR)


class ChatsServicer:
    """Translates; `server.chats` decides."""

    def __init__(self, chats: Chats, changes: ChatChanges) -> None:
        """Serves `chats`, and changes them by `changes`."""
        self._chats = chats
        self._changes = changes

    async def ListChats(self, request: pb.ListChatsRequest, call: Call) -> pb.ListChatsResponse:
        """See protos/wagate/v1/chats.proto."""
        page = await self._chats.chats(call.session, limit=request.limit, cursor=request.cursor)
        return pb.ListChatsResponse(data=[_chat(chat) for chat in page.items], next_cursor=page.next_cursor)

    async def ListChatMessages(
        self, request: pb.ListChatMessagesRequest, call: Call
    ) -> pb.ListChatMessagesResponse:
        """See protos/wagate/v1/chats.proto."""
        page = await self._chats.messages(
            call.session, request.cid, limit=request.limit, cursor=request.cursor
        )
        return pb.ListChatMessagesResponse(
            data=[_message(page, message) for message in page.messages],
            next_cursor=page.next_cursor,
        )

    async def GetChat(self, request: pb.GetChatRequest, call: Call) -> pb.Chat:
        """See protos/wagate/v1/chats.proto."""
        return _chat(await self._chats.find(call.session, request.cid))

    async def UpdateChat(self, request: pb.UpdateChatRequest, call: Call) -> pb.Chat:
        """See protos/wagate/v1/chats.proto."""
        update = ChatUpdate(
            archived=request.archived if request.HasField("archived") else None,
            pinned=request.pinned if request.HasField("pinned") else None,
            muted_until=request.muted_until if request.HasField("muted_until") else None,
            unmute=request.unmute if request.HasField("unmute") else None,
        )
        return _chat(await self._changes.update(call.session, request.cid, update))

    async def DeleteChat(self, request: pb.DeleteChatRequest, call: Call) -> pb.DeleteChatResponse:
        """See protos/wagate/v1/chats.proto."""
        await self._changes.delete(call.session, request.cid)
        return pb.DeleteChatResponse()

    async def SetChatPresence(
        self, request: pb.SetChatPresenceRequest, call: Call
    ) -> pb.SetChatPresenceResponse:
        """See protos/wagate/v1/chats.proto."""
        state = _STATES.get(request.state)
        if state is None:
            raise invalid("state", f"required: one of {', '.join(_STATES.values())}")
        await self._changes.show_state(call.session, request.cid, state)
        return pb.SetChatPresenceResponse()

    async def ReadChat(self, request: pb.ReadChatRequest, call: Call) -> pb.Chat:
        """See protos/wagate/v1/chats.proto."""
        return _chat(await self._changes.read(call.session, request.cid))


def _chat(chat: Chat) -> pb.Chat:
    return pb.Chat(
        archived=chat.archived,
        id=chat.id,
        jid=chat.jid,
        last_message_at=chat.last_message_at,
        muted_until=chat.muted_until,
        name=chat.name,
        pinned=chat.pinned,
        session_id=chat.session_id,
        type=pb.CHAT_TYPE_GROUP if chat.jid.endswith(f"@{GROUP}") else pb.CHAT_TYPE_DM,
        unread_count=chat.unread_count,
    )


def _message(page: MessagePage, message: Message) -> pb.Message:
    chat, names = page.chat, page.names
    return pb.Message(
        ack_level=message.ack_level,
        body=message.body,
        chat_jid=chat.jid,
        chat_lid=names.lid(chat.session_id, chat.jid),
        created_at=message.created_at,
        deleted=message.deleted,
        direction=pb.MESSAGE_DIRECTION_OUT if message.from_me else pb.MESSAGE_DIRECTION_IN,
        edited=message.edited,
        error=message.error,
        from_me=message.from_me,
        has_media=message.type in MEDIA_TYPES,
        id=message.id,
        mentions=message.mentions,
        quoted_id=message.quoted_id,
        reactions=[
            pb.Reaction(emoji=r.emoji, sender_jid=r.sender_jid, timestamp=r.timestamp)
            for r in page.reactions.get(message.id, ())
        ],
        sender_jid=message.sender_jid,
        sender_lid=names.lid(chat.session_id, message.sender_jid),
        session_id=chat.session_id,
        timestamp=message.timestamp,
        type=messages_pb2.MessageType.ValueType(_TYPES[message.type]),
        wa_message_id=message.wa_message_id or "",
    )
