"""The Messages service."""

from wagate.v1 import messages_pb2 as pb

from server.errors import Code, WagateError
from server.messages.composing import Draft
from server.messages.sending import Sending, SendStatus
from server.rpc.endpoint import Call
from server.rpc.json_codec import enum_words

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

    def __init__(self, sending: Sending) -> None:
        """Serves `sending`."""
        self._sending = sending

    async def SendMessage(self, request: pb.SendMessageRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        message = request.message
        given = (("replyTo", message.reply_to), ("mentions", message.mentions))
        unbuilt = tuple(name for name, value in given if value)
        draft = Draft(to=message.to, type=_TYPES[message.type], text=message.text, unbuilt=unbuilt)
        if request.run_async:
            raise WagateError(Code.NOT_IMPLEMENTED, "async sends are not built yet: send with async=false")
        result = await self._sending.send(call.session, draft)
        return pb.SendResult(
            mode=pb.SEND_MODE_SYNC,
            status=_STATUS[result.status],
            timestamp=result.timestamp,
            wa_message_id=result.wa_message_id,
        )
