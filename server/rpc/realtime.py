"""The Realtime service."""

from wagate.v1 import realtime_pb2 as pb

from server.events.realtime import Realtime
from server.rpc.endpoint import Call


class RealtimeServicer:
    """Translates; `server.events` decides."""

    def __init__(self, realtime: Realtime) -> None:
        """Serves `realtime`."""
        self._realtime = realtime

    async def CreateRealtimeTicket(
        self, request: pb.CreateRealtimeTicketRequest, call: Call
    ) -> pb.RealtimeTicket:
        """See protos/wagate/v1/realtime.proto."""
        ticket, expires_at = await self._realtime.issue(
            call.principal, sessions=request.sessions, names=request.events
        )
        return pb.RealtimeTicket(ticket=ticket, expires_at=expires_at)
