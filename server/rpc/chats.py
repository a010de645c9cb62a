"""The Chats service."""

from wagate.v1 import chats_pb2 as pb
from wagate.v1 import messages_pb2

from server.chats.service import Chats
from server.rpc.endpoint import Call
from server.rpc.json_codec import enum_words
from server.store.records import Chat, Message
from server.whatsapp.jid import GROUP

_TYPES = enum_words(messages_pb2.MessageType.DESCRIPTOR)


class ChatsServicer:
    """Translates; `server.chats` decides."""

    def __init__(self, chats: Chats) -> None:
        """Serves `chats`."""
        self._chats = chats

    async def ListChats(self, request: pb.ListChatsRequest, call: Call) -> pb.ListChatsResponse:
        """See protos/wagate/v1/chats.proto."""
        page = await self._chats.chats(call.session, limit=request.limit, cursor=request.cursor)
        return pb.ListChatsResponse(data=[_chat(chat) for chat in page.items], next_cursor=page.next_cursor)

    async def ListChatMessages(
        self, request: pb.ListChatMessagesRequest, call: Call
    ) -> pb.ListChatMessagesResponse:
        """See protos/wagate/v1/chats.proto."""
        chat, page = await self._chats.messages(
            call.session, request.cid, limit=request.limit, cursor=request.cursor
        )
        return pb.ListChatMessagesResponse(
            data=[_message(chat, message) for message in page.items], next_cursor=page.next_cursor
        )


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


def _message(chat: Chat, message: Message) -> pb.Message:
    return pb.Message(
        ack_level=message.ack_level,
        body=message.body,
        chat_jid=chat.jid,
        created_at=message.created_at,
        direction=pb.MESSAGE_DIRECTION_OUT if message.from_me else pb.MESSAGE_DIRECTION_IN,
        error=message.error,
        from_me=message.from_me,
        has_media=message.type in {"image", "video", "audio", "document", "sticker"},
        id=message.id,
        sender_jid=message.sender_jid,
        session_id=chat.session_id,
        timestamp=message.timestamp,
        type=messages_pb2.MessageType.ValueType(_TYPES[message.type]),
        wa_message_id=message.wa_message_id or "",
    )
