"""The Messages service of WUTS."""

import time
from datetime import UTC, datetime

from wuts.v1 import messages_pb2 as pb

from server.auth.user_tokens import WutsPrincipal
from server.errors import invalid
from server.messages.deletion import Deletion, RevokeForWuts, checked
from server.rpc.wuts.errors import rfc3339

_MINUTE_MS = 60_000


class MessagesServicer:
    """Translates; `server.messages` decides."""

    def __init__(self, messages: RevokeForWuts) -> None:
        """Deletes through `messages`."""
        self._messages = messages

    async def delete_message(
        self, request: pb.DeleteMessageRequest, principal: WutsPrincipal
    ) -> pb.DeleteMessageResponse:
        """See protos/wuts/v1/messages.proto."""
        began = time.monotonic()
        kind = request.delete_type or pb.DELETE_TYPE_FOR_EVERYONE
        if kind not in {pb.DELETE_TYPE_FOR_EVERYONE, pb.DELETE_TYPE_FOR_ME}:
            # REST callers are told by the codec; gRPC callers may send any number.
            raise invalid("deleteType", "must be one of for_everyone, for_me")
        deletion = Deletion(
            organization_id=principal.organization_id,
            session_id=principal.session_id,
            chat_jid=request.chat_jid,
            message_id=request.message_id,
            for_everyone=kind != pb.DELETE_TYPE_FOR_ME,
            own_only=request.validate_ownership,
        )
        deleted = await self._messages.delete(checked(deletion, request.reason))
        return pb.DeleteMessageResponse(
            success=True,
            message_id=request.message_id,
            deleted_at=rfc3339(datetime.fromtimestamp(deleted.deleted_at // 1000, UTC)),
            delete_type=kind,
            chat_jid=request.chat_jid,
            metadata=pb.DeleteMetadata(
                # Clocks differ: WhatsApp's time of a message may lie a little ahead of ours.
                time_elapsed_minutes=max(0, deleted.deleted_at - deleted.sent_at) // _MINUTE_MS,
                within_time_limit=deleted.within_time_limit,
                reason=request.reason,
                processing_time_ms=round((time.monotonic() - began) * 1000),
            ),
        )
