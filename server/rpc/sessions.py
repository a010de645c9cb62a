"""The Sessions service."""

from wagate.v1 import sessions_pb2 as pb

from server.cursors import Cursors, page_size
from server.rpc.endpoint import Call
from server.sessions.service import Sessions
from server.sessions.state import Status
from server.sessions.view import SessionView

_STATUS = {
    Status.STOPPED: pb.SESSION_STATUS_STOPPED,
    Status.STARTING: pb.SESSION_STATUS_STARTING,
    Status.SCAN_QR_CODE: pb.SESSION_STATUS_SCAN_QR_CODE,
    Status.WORKING: pb.SESSION_STATUS_WORKING,
    Status.FAILED: pb.SESSION_STATUS_FAILED,
    Status.LOGGED_OUT: pb.SESSION_STATUS_LOGGED_OUT,
}


class SessionsServicer:
    """Translates; `server.sessions` decides."""

    def __init__(self, sessions: Sessions, cursors: Cursors) -> None:
        """Serves `sessions`."""
        self._sessions = sessions
        self._cursors = cursors

    async def CreateSession(self, request: pb.CreateSessionRequest, call: Call) -> pb.Session:
        """See protos/wagate/v1/sessions.proto."""
        view = await self._sessions.create(
            call.principal,
            label=request.label,
            auto_read=request.auto_read,
            presence_typing=request.presence_typing,
            start=request.start,
        )
        return _session(view)

    async def ListSessions(self, request: pb.ListSessionsRequest, call: Call) -> pb.ListSessionsResponse:
        """See protos/wagate/v1/sessions.proto."""
        scope = f"sessions:{call.principal.organization_id}"
        after = str(self._cursors.decode(scope, request.cursor)[0]) if request.cursor else ""
        size = page_size(request.limit)
        found = await self._sessions.page(call.principal, after=after, limit=size + 1)
        page = found[:size]
        more = len(found) > size
        return pb.ListSessionsResponse(
            data=[_session(view) for view in page],
            next_cursor=self._cursors.encode(scope, (page[-1].record.id,)) if more else None,
        )

    async def GetSession(self, _request: pb.GetSessionRequest, call: Call) -> pb.Session:
        """See protos/wagate/v1/sessions.proto."""
        return _session(await self._sessions.view(call.session))

    async def DeleteSession(self, _request: pb.DeleteSessionRequest, call: Call) -> pb.DeleteSessionResponse:
        """See protos/wagate/v1/sessions.proto."""
        await self._sessions.delete(call.session)
        return pb.DeleteSessionResponse()

    async def SessionQR(self, _request: pb.SessionQRRequest, call: Call) -> pb.SessionQRResponse:
        """See protos/wagate/v1/sessions.proto."""
        code = await self._sessions.code(call.session)
        return pb.SessionQRResponse(code=code.code, expires_at=code.expires_at)

    async def SessionMe(self, _request: pb.SessionMeRequest, call: Call) -> pb.SessionMeResponse:
        """See protos/wagate/v1/sessions.proto."""
        view = await self._sessions.account(call.session)
        return pb.SessionMeResponse(
            connected=view.status is Status.WORKING,
            phone_number=view.record.phone_number,
            session_id=view.record.id,
            status=_STATUS[view.status],
            wa_jid=view.record.wa_jid,
            wa_lid=view.record.wa_lid,
        )

    async def SessionHealth(self, _request: pb.SessionHealthRequest, call: Call) -> pb.SessionHealthResponse:
        """See protos/wagate/v1/sessions.proto."""
        health = await self._sessions.health(call.session)
        status = health.view.status
        return pb.SessionHealthResponse(
            connected=status is Status.WORKING,
            gateway_id=health.view.gateway_id,
            last_ack_at=health.acked_at,
            last_inbound_at=health.received_at,
            last_keep_alive_at=health.kept_alive_at,
            message=health.message,
            reason=health.reason,
            reconnects=health.reconnects,
            session_id=health.view.record.id,
            since=health.since,
            status=_STATUS[status],
        )

    async def SessionPairingCode(
        self, request: pb.SessionPairingCodeRequest, call: Call
    ) -> pb.SessionPairingCodeResponse:
        """See protos/wagate/v1/sessions.proto."""
        code = await self._sessions.pairing_code(call.session, request.phone)
        return pb.SessionPairingCodeResponse(code=code.code, expires_at=code.expires_at)

    async def StartSession(self, _request: pb.StartSessionRequest, call: Call) -> pb.Session:
        """See protos/wagate/v1/sessions.proto."""
        return _session(await self._sessions.start(call.session))

    async def StopSession(self, _request: pb.StopSessionRequest, call: Call) -> pb.Session:
        """See protos/wagate/v1/sessions.proto."""
        return _session(await self._sessions.stop(call.session))

    async def RestartSession(self, _request: pb.RestartSessionRequest, call: Call) -> pb.Session:
        """See protos/wagate/v1/sessions.proto."""
        return _session(await self._sessions.restart(call.session))

    async def LogoutSession(self, _request: pb.LogoutSessionRequest, call: Call) -> pb.Session:
        """See protos/wagate/v1/sessions.proto."""
        return _session(await self._sessions.logout(call.session))


def _session(view: SessionView) -> pb.Session:
    record = view.record
    return pb.Session(
        auto_read=record.auto_read,
        created_at=record.created_at,
        created_by_user_id=record.created_by,
        gateway_id=view.gateway_id,
        id=record.id,
        is_admin_session=record.is_admin_session,
        label=record.label,
        last_connected_at=record.last_connected_at,
        organization_id=record.organization_id,
        phone_number=record.phone_number,
        presence_typing=record.presence_typing,
        rate_per_hour=record.rate_per_hour,
        rate_per_min=record.rate_per_min,
        status=_STATUS[view.status],
        updated_at=record.updated_at,
        wa_jid=record.wa_jid,
        wa_lid=record.wa_lid,
    )
