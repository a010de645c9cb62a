"""The Messages service."""

from wagate.v1 import messages_pb2 as pb

from server.errors import Code, WagateError, invalid
from server.messages.sending import Sending, SendStatus
from server.rpc.endpoint import Call

_STATUS = {
    SendStatus.QUEUED: pb.SEND_STATUS_QUEUED,
    SendStatus.SENT: pb.SEND_STATUS_SENT,
    SendStatus.DELIVERED: pb.SEND_STATUS_DELIVERED,
    SendStatus.READ: pb.SEND_STATUS_READ,
    SendStatus.FAILED: pb.SEND_STATUS_FAILED,
    SendStatus.INDETERMINATE: pb.SEND_STATUS_INDETERMINATE,
}


class MessagesServicer:
    """Translates; `server.messages` decides."""

    def __init__(self, sending: Sending) -> None:
        """Serves `sending`."""
        self._sending = sending

    async def SendMessage(self, request: pb.SendMessageRequest, call: Call) -> pb.SendResult:
        """See protos/wagate/v1/messages.proto."""
        message = request.message
        if message.type == pb.MESSAGE_TYPE_UNSPECIFIED:
            raise invalid("type", "required: the kind of message, such as text")
        if message.type != pb.MESSAGE_TYPE_TEXT:
            raise WagateError(Code.NOT_IMPLEMENTED, "only messages of type text can be sent so far")
        if request.run_async:
            raise WagateError(Code.NOT_IMPLEMENTED, "async sends are not built yet: send with async=false")
        result = await self._sending.send_text(call.session, to=message.to, text=message.text)
        return pb.SendResult(
            mode=pb.SEND_MODE_SYNC,
            status=_STATUS[result.status],
            timestamp=result.timestamp,
            wa_message_id=result.wa_message_id,
        )
