"""Pairing by a QR code in the terminal, over the node's own gRPC API."""

import asyncio
from typing import TYPE_CHECKING, Final, TextIO

import grpc
import segno
from wagate.v1 import sessions_pb2 as pb
from wagate.v1.sessions_pb2_grpc import SessionsStub

if TYPE_CHECKING:
    from wagate.v1.sessions_pb2_grpc import SessionsAsyncStub

POLL_SECONDS: Final = 1.0
"""How often the node is asked for the code and for the outcome."""
_UNFINISHED: Final = {
    pb.SESSION_STATUS_STOPPED,
    pb.SESSION_STATUS_STARTING,
    pb.SESSION_STATUS_SCAN_QR_CODE,
}


async def unpaired_session(sessions: "SessionsAsyncStub", metadata: grpc.aio.Metadata) -> str | None:
    """The id of a session that waits for its phone; made where there is no session at all.

    Returns:
        None where every session is paired already.
    """
    listed = await sessions.ListSessions(pb.ListSessionsRequest(limit=200), metadata=metadata)
    waiting = [s.id for s in listed.data if not s.HasField("wa_jid") and s.status in _UNFINISHED]
    if waiting:
        return waiting[0]
    if listed.data:
        return None
    created = await sessions.CreateSession(pb.CreateSessionRequest(label="first"), metadata=metadata)
    return created.id


async def pair(address: str, key: str, out: TextIO) -> None:
    """Shows QR codes until the phone has linked a session; returns at once where none waits for it.

    Args:
        address: `host:port` of the node or of Envoy.
        key: an api-key with the capability `manage`.
        out: where to show them.

    Raises:
        grpc.RpcError: the node refused, or went away.
    """
    metadata = grpc.aio.Metadata(("authorization", f"Bearer {key}"))
    async with grpc.aio.insecure_channel(address) as channel:
        sessions = SessionsStub(channel)
        session = await unpaired_session(sessions, metadata)
        if session is None:
            return
        shown = ""
        while (code := await _code(sessions, session, metadata)) is not None:
            if code and code != shown:
                shown = code
                print("\nWhatsApp on the phone > Linked devices > Link a device, then scan:\n", file=out)
                segno.make_qr(code).terminal(out=out, compact=True)
                out.flush()
            # The API has no stream of codes: it is asked again, as any caller would.
            await asyncio.sleep(POLL_SECONDS)
        told = await sessions.GetSession(pb.GetSessionRequest(session=session), metadata=metadata)
        print(f"\nSession {session} is linked to {told.phone_number}.", file=out, flush=True)


async def _code(sessions: "SessionsAsyncStub", session: str, metadata: grpc.aio.Metadata) -> str | None:
    """The code to show, "" while there is none yet, None once the session is paired."""
    try:
        answer = await sessions.SessionQR(pb.SessionQRRequest(session=session), metadata=metadata)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
            return None
        if error.code() in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE}:
            return ""
        raise
    return answer.code
