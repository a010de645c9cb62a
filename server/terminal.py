"""Pairing in the terminal: shows codes until the phone has linked the session."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TextIO

import segno
from wagate.v1 import sessions_pb2 as pb

from server.clock import now_ms
from server.errors import Code, WagateError
from server.remote.gateway import Gateway, open_gateway
from server.remote.place import place_of

POLL_SECONDS: Final = 1.0
"""How often the gateway is asked for the code and for the outcome."""
_UNFINISHED: Final = {
    pb.SESSION_STATUS_STOPPED,
    pb.SESSION_STATUS_STARTING,
    pb.SESSION_STATUS_SCAN_QR_CODE,
}
_ENDED: Final = {pb.SESSION_STATUS_FAILED, pb.SESSION_STATUS_LOGGED_OUT}
_CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"
"""What a terminal empties itself at: the code before must not be scanned any more."""


@dataclass(frozen=True, slots=True)
class PhoneCode:
    """Something to scan or to type on the phone.

    Attributes:
        code: the QR code's text, or eight characters to type.
        expires_at: when it stops working, epoch milliseconds.
    """

    code: str
    expires_at: int


async def unpaired_session(gateway: Gateway, label: str = "first") -> str | None:
    """The id of a session that waits for its phone; made where there is no session at all.

    Returns:
        None where every session is paired already.
    """
    found = [s async for s in gateway.every(gateway.sessions.ListSessions, pb.ListSessionsRequest())]
    waiting = [s.id for s in found if not s.HasField("wa_jid") and s.status in _UNFINISHED]
    if waiting:
        return str(waiting[0])
    if found:
        return None
    created = await gateway.ask(gateway.sessions.CreateSession, pb.CreateSessionRequest(label=label))
    return created.id


async def pair(address: str, key: str, out: TextIO) -> None:
    """Shows QR codes until the phone has linked a session; returns at once where none waits for it.

    Args:
        address: `host:port` of the node or of Envoy.
        key: an api-key with the capability `manage`.
        out: where to show them.

    Raises:
        WagateError: the gateway refused, or went away, or WhatsApp does not link this account.
    """
    async with open_gateway(place_of(address), key) as gateway:
        session = await unpaired_session(gateway)
        if session is None:
            return
        told = await linked(gateway, session, lambda code: show_qr(code.code, out))
        print(f"\nSession {session} is linked to {told.phone_number}.", file=out, flush=True)


async def linked(
    gateway: Gateway, session: str, show: Callable[[PhoneCode], None], *, phone: str = ""
) -> pb.Session:
    """Shows codes of a session until it is linked and works.

    Codes that nobody scanned are followed by others, without an end.

    Args:
        gateway: that holds it.
        session: its id.
        show: shows a code in the place of the one before.
        phone: the number of a phone that shall be linked by typing a code; "" for scanning one.

    Raises:
        WagateError: CONFLICT where it ended: its message says why and who acts; whatever else the gateway
            refuses.
    """
    shown: PhoneCode | None = None
    is_asked = False
    while True:
        found = await gateway.ask(gateway.sessions.GetSession, pb.GetSessionRequest(session=session))
        if found.status == pb.SESSION_STATUS_WORKING:
            return found
        if is_asked and found.status in _ENDED:
            raise await _ended(gateway, session)
        if found.HasField("wa_jid"):
            if not is_asked:  # it is linked and does not run, or ended
                await gateway.ask(gateway.sessions.StartSession, pb.StartSessionRequest(session=session))
        elif code := await _code(gateway, session, phone, shown):
            if shown is None or code.code != shown.code:
                show(code)
            shown = code
        is_asked = True
        # The API has no stream of codes: it is asked again, as any caller would.
        await asyncio.sleep(POLL_SECONDS)


def show_qr(code: str, out: TextIO) -> None:
    """Draws a QR code; on a terminal in the place of whatever stands there."""
    clear = _CLEAR if out.isatty() else "\n"
    print(f"{clear}WhatsApp on the phone > Linked devices > Link a device, then scan:\n", file=out)
    segno.make_qr(code).terminal(out=out, compact=True)
    out.flush()


async def _code(gateway: Gateway, session: str, phone: str, shown: PhoneCode | None) -> PhoneCode | None:
    """The code to show; None while there is none yet, and once the session is paired."""
    try:
        if not phone:
            qr = await gateway.ask(gateway.sessions.SessionQR, pb.SessionQRRequest(session=session))
            return PhoneCode(qr.code, qr.expires_at)
        if shown is not None and now_ms() < shown.expires_at:
            return shown
        request = pb.SessionPairingCodeRequest(session=session, phone=phone)
        typed = await gateway.ask(gateway.sessions.SessionPairingCode, request)
        return PhoneCode(typed.code, typed.expires_at)
    except WagateError as error:
        # Not ready yet; or linked just now, which the next look shows.
        if error.code in {Code.CONFLICT, Code.NOT_FOUND} or (
            shown is not None and error.code is Code.VALIDATION_ERROR
        ):
            return None
        raise


async def _ended(gateway: Gateway, session: str) -> WagateError:
    health = await gateway.ask(gateway.sessions.SessionHealth, pb.SessionHealthRequest(session=session))
    why = health.message or "WhatsApp did not link it"
    return WagateError(Code.CONFLICT, f"session {session} was not linked: {why}", {"reason": health.reason})
