"""The Messages service."""

from typing import Final

from google.protobuf import json_format
from wagate.v1 import messages_pb2 as pb

from server.messages.actions import Actions
from server.messages.composing import Draft
from server.messages.keys import read_key
from server.messages.outbox import Outbox
from server.messages.results import SendResult, SendStatus
from server.messages.sending import Sending
from server.rpc.endpoint import Call
from server.rpc.json_codec import enum_words

IDEMPOTENCY_KEY: Final = "idempotency-key"
"""The metadata, or header, that makes a retry safe (REST API, Messages)."""

_STATUS = {
    SendStatus.QUEUED: pb.SEND_STATUS_QUEUED,
    SendStatus.SENT: pb.SEND_STATUS_SENT,
    SendStatus.DELIVERED: pb.SEND_STATUS_DELIVERED,
    SendStatus.READ: pb.SEND_STATUS_READ,
    SendStatus.FAILED: pb.SEND_STATUS_FAILED,
    SendStatus.INDETERMINATE: pb.SEND_STATUS_INDETERMINATE,
}


_TYPES = {number: word if number else "" for word, number in enum_words(pb.MessageType.DESCRIPTOR).items()}


class MessagesServicer:
    """Translates; `server.messages` decides."""

    def __init__(self, sending: Sending, outbox: Outbox, actions: Actions) -> None:
        """Serves `sending`, `outbox` and `actions`."""
        self._sending = sending
        self._outbox = outbox
        self._actions = actions

    async def SendMessage(self, request: pb.SendMessageRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        draft = _draft(request.message)
        given = call.metadata.get(IDEMPOTENCY_KEY)
        key = None if given is None else read_key(call.principal.organization_id, given)
        if request.run_async:
            return _result(await self._outbox.accept(call.session, draft, key))
        return _result(await self._sending.send(call.session, draft, key))

    async def EditMessage(self, request: pb.EditMessageRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        result = await self._actions.edit(call.session, request.mid, chat=request.chat, text=request.text)
        return _result(result)

    async def RevokeMessage(self, request: pb.RevokeMessageRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        result = await self._actions.revoke(
            call.session, request.mid, chat=request.chat, sender=request.sender
        )
        return _result(result)

    async def ForwardMessage(self, request: pb.ForwardMessageRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        result = await self._actions.forward(
            call.session, request.mid, chat=request.chat, sender=request.sender, to=request.to
        )
        return _result(result)

    async def AddReaction(self, request: pb.AddReactionRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        result = await self._actions.react(
            call.session, request.mid, chat=request.chat, sender=request.sender, emoji=request.emoji
        )
        return _result(result)

    async def RemoveReaction(self, request: pb.RemoveReactionRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        result = await self._actions.unreact(
            call.session, request.mid, chat=request.chat, sender=request.sender
        )
        return _result(result)

    async def VoteMessage(self, request: pb.VoteMessageRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        result = await self._actions.vote(
            call.session, request.mid, chat=request.chat, sender=request.sender, options=request.options
        )
        return _result(result)


def _draft(message: pb.OutgoingMessage) -> Draft:
    contact = json_format.MessageToDict(message.contact) if message.HasField("contact") else None
    return Draft(
        to=message.to,
        type=_TYPES.get(message.type, str(message.type)),  # gRPC callers may send any number
        text=message.text,
        reply_to=message.reply_to,
        mentions=tuple(message.mentions),
        name=message.name,
        options=tuple(message.options),
        selectable_count=message.selectable_count,
        latitude=message.latitude if message.HasField("latitude") else None,
        longitude=message.longitude if message.HasField("longitude") else None,
        contact=contact,
    )


def _result(result: SendResult) -> pb.SendResult:
    return pb.SendResult(
        mode=pb.SEND_MODE_ASYNC if result.outbox_id else pb.SEND_MODE_SYNC,
        outbox_id=result.outbox_id,
        replayed=result.replayed,
        status=_STATUS[result.status],
        timestamp=result.timestamp,
        wa_message_id=result.wa_message_id,
    )
