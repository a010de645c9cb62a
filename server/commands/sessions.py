"""`wagate sessions`: the WhatsApp numbers that a gateway holds."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from wagate.v1 import sessions_pb2 as pb

from server.commands.calling import Call, calls
from server.commands.choosing import NamedSession, SessionArgument
from server.commands.confirming import confirm
from server.commands.output import Column
from server.commands.words import time_of, word
from server.remote.documents import document_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Make, list, start and stop sessions.")

_STATUS: Final = pb.SessionStatus.DESCRIPTOR
_WHO_ACTS: Final = {
    pb.SESSION_STATUS_STOPPED: "you start it, or pair it: `wagate pair`",
    pb.SESSION_STATUS_STARTING: "the gateway: it connects",
    pb.SESSION_STATUS_SCAN_QR_CODE: "a person scans the code: `wagate pair`",
    pb.SESSION_STATUS_WORKING: "nobody",
    pb.SESSION_STATUS_FAILED: "you: `wagate sessions health` tells why",
    pb.SESSION_STATUS_LOGGED_OUT: "you pair it again: `wagate pair`",
}

COLUMNS: Final[tuple[Column[pb.Session], ...]] = (
    Column("ID", lambda s: s.id),
    Column("STATUS", lambda s: status_of(s.status)),
    Column("NUMBER", lambda s: s.phone_number or "-"),
    Column("LABEL", lambda s: s.label or "-", may_shrink=True),
)


def status_of(status: int) -> str:
    """A status in the API's word."""
    return word(_STATUS, status)


@app.command("list")
@calls
async def list_sessions(call: Call) -> None:
    """List the sessions, oldest first. Needs the permission manage."""
    sessions = [
        s async for s in call.gateway.every(call.gateway.sessions.ListSessions, pb.ListSessionsRequest())
    ]
    if call.out.is_json:
        call.out.document({"data": [document_of(s) for s in sessions], "nextCursor": None})
    else:
        call.out.table(COLUMNS, sessions, empty="No session yet: `wagate pair` makes one and links it.")


@app.command()
@calls
async def show(call: Call, session: SessionArgument = "") -> None:
    """Show one session."""
    wanted = await call.session(session)
    show_session(
        call, await call.gateway.ask(call.gateway.sessions.GetSession, pb.GetSessionRequest(session=wanted))
    )


@app.command()
@calls
async def create(
    call: Call,
    label: Annotated[str, typer.Option(help="A name for people, at most 200 characters.")] = "",
    *,
    start: Annotated[bool, typer.Option("--start", help="Begin pairing at once.")] = False,
    auto_read: Annotated[
        bool, typer.Option("--auto-read", help="Mark incoming messages as read by itself.")
    ] = False,
    presence_typing: Annotated[
        bool, typer.Option("--presence-typing", help="Show that it is typing before a message is sent.")
    ] = False,
) -> None:
    """Make a session. `wagate pair` links it to a phone, and makes one itself where there is none."""
    request = pb.CreateSessionRequest(
        label=label, start=start, auto_read=auto_read, presence_typing=presence_typing
    )
    show_session(call, await call.gateway.ask(call.gateway.sessions.CreateSession, request))


@app.command()
@calls
async def start(call: Call, session: SessionArgument = "") -> None:
    """Connect a session, or begin to pair it; nothing happens where it runs."""
    await _act(call, session, call.gateway.sessions.StartSession, pb.StartSessionRequest)


@app.command()
@calls
async def stop(call: Call, session: SessionArgument = "") -> None:
    """Disconnect a session. It stays linked."""
    await _act(call, session, call.gateway.sessions.StopSession, pb.StopSessionRequest)


@app.command()
@calls
async def restart(call: Call, session: SessionArgument = "") -> None:
    """Stop and start a session."""
    await _act(call, session, call.gateway.sessions.RestartSession, pb.RestartSessionRequest)


@app.command()
@calls
async def logout(call: Call, session: SessionArgument = "") -> None:
    """Unlink a session from its phone. It stays and can be paired again."""
    await _act(call, session, call.gateway.sessions.LogoutSession, pb.LogoutSessionRequest)


@app.command()
@calls
async def delete(
    call: Call,
    session: NamedSession,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a session for good, with its chats, messages and device."""
    wanted = await call.session(session)
    confirm(f"Delete session {wanted} with its chats, messages and device?", yes=yes)
    await call.gateway.ask(call.gateway.sessions.DeleteSession, pb.DeleteSessionRequest(session=wanted))
    if not call.out.is_json:
        call.out.say(f"Session {wanted} is deleted.")


@app.command()
@calls
async def health(call: Call, session: SessionArgument = "") -> None:
    """Show whether a session works, when it was last seen to, and who must act."""
    request = pb.SessionHealthRequest(session=await call.session(session))
    found = await call.gateway.ask(call.gateway.sessions.SessionHealth, request)
    if call.out.is_json:
        call.out.document(document_of(found))
        return
    call.out.fields(
        [
            ("session", found.session_id),
            ("status", status_of(found.status)),
            ("who acts", _WHO_ACTS.get(found.status, "-")),
            *((("what happened", found.message),) if found.HasField("message") else ()),
            *((("reason", found.reason),) if found.HasField("reason") else ()),
            ("since", time_of(found.since)),
            ("last ack", time_of(found.last_ack_at)),
            ("last inbound", time_of(found.last_inbound_at)),
            ("last keep-alive", time_of(found.last_keep_alive_at)),
            ("reconnects", str(found.reconnects)),
            ("node", found.gateway_id or "-"),
        ]
    )


def show_session(call: Call, session: pb.Session) -> None:
    """Shows a session."""
    if call.out.is_json:
        call.out.document(document_of(session))
        return
    call.out.fields(
        [
            ("session", session.id),
            ("label", session.label or "-"),
            ("status", status_of(session.status)),
            ("who acts", _WHO_ACTS.get(session.status, "-")),
            ("number", session.phone_number or "-"),
            ("JID", session.wa_jid or "-"),
            ("LID", session.wa_lid or "-"),
            ("rates", f"{_rate(session.rate_per_min)} per minute, {_rate(session.rate_per_hour)} per hour"),
            ("created", time_of(session.created_at)),
            ("last connected", time_of(session.last_connected_at, none="never")),
            ("node", session.gateway_id or "-"),
        ]
    )


def _rate(limit: int) -> str:
    return str(limit) if limit else "no limit"


async def _act(call: Call, session: str, method: Any, request: Callable[..., Any]) -> None:
    wanted = await call.session(session)
    show_session(call, await call.gateway.ask(method, request(session=wanted)))
