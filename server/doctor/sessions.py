"""The sessions: whether one needs somebody. Also shows whether the api-key is in force."""

from collections.abc import Sequence
from typing import Final

from wagate.v1 import sessions_pb2 as pb

from server.clock import now_ms
from server.doctor.findings import Finding, broken, note, ok, warning
from server.doctor.subject import Subject
from server.errors import Code, WagateError
from server.remote.credentials import key_for
from server.remote.gateway import Gateway, open_gateway

LOOKED_AT: Final = 200
"""Sessions that are looked at one by one: of more, those in order are not asked for the cause."""
AWAY_SECONDS: Final = 120
"""A session that connects for longer stays away."""
_ASK_SECONDS: Final = 5.0


async def check(subject: Subject) -> Sequence[Finding]:
    """Which sessions need somebody, as the running gateway tells."""
    try:
        key = key_for(subject.place, key_file=subject.key_file, data_dir=subject.up.data_dir)
    except WagateError as error:
        if error.code is not Code.UNAUTHORIZED:
            return [broken("api-key", error.message, "Name a file that holds one: --key-file.")]
        return [note("sessions", f"not looked at: {error.message}")]
    async with open_gateway(subject.place, key) as gateway:
        try:
            return await _look(gateway)
        except WagateError as error:
            return [_not_told(error, subject)]


def _not_told(error: WagateError, subject: Subject) -> Finding:
    if error.code is Code.UNAUTHORIZED:
        return broken(
            "api-key",
            f"the gateway at {subject.place.url} does not take the api-key: {error.message}",
            "Make another, `wagate keys create`, and set WAGATE_API_KEY or --key-file. Where it is up.key: "
            "delete that file and restart `wagate up`.",
        )
    if error.code is Code.FORBIDDEN:
        return note("sessions", "not looked at: the api-key lacks the permission manage")
    return note("sessions", f"not looked at: {error.message}")


async def _look(gateway: Gateway) -> Sequence[Finding]:
    found = []
    page = await gateway.ask(
        gateway.sessions.ListSessions, pb.ListSessionsRequest(limit=LOOKED_AT), seconds=_ASK_SECONDS
    )
    for session in page.data:
        if session.status != pb.SESSION_STATUS_WORKING:
            request = pb.SessionHealthRequest(session=session.id)
            health = await gateway.ask(gateway.sessions.SessionHealth, request, seconds=_ASK_SECONDS)
            found.append(_finding(session, health))
    working = sum(session.status == pb.SESSION_STATUS_WORKING for session in page.data)
    if page.next_cursor:
        found.append(note("sessions", f"only the first {LOOKED_AT} were looked at"))
    return [ok("sessions", f"{working} of {len(page.data)} work"), *found]


def _finding(session: pb.Session, health: pb.SessionHealthResponse) -> Finding:
    where = f"session {session.id}" + (f" ({session.label})" if session.label else "")
    why = health.message or "it ended"
    match session.status:
        case pb.SESSION_STATUS_LOGGED_OUT:
            return broken(where, f"logged out: {why}", f"Link it again: `wagate pair {session.id}`.")
        case pb.SESSION_STATUS_FAILED:
            return broken(where, f"failed ({health.reason}): {why}", _after(health.reason, session.id))
        case pb.SESSION_STATUS_SCAN_QR_CODE:
            return note(where, "waits for its phone", f"`wagate pair {session.id}` shows its code.")
        case pb.SESSION_STATUS_STARTING if now_ms() - health.since > AWAY_SECONDS * 1000 and health.since:
            return warning(
                where,
                f"has been connecting for {(now_ms() - health.since) // 60_000} minutes",
                "See what the check of WhatsApp says, and the node's log.",
            )
        case pb.SESSION_STATUS_STARTING:
            return note(where, "connects")
        case _:
            return note(where, "is stopped", f"`wagate sessions start {session.id}` connects it.")


def _after(reason: str, session: str) -> str:
    if reason == "outdated":
        return "Update wagate: a newer release brings a client that WhatsApp takes."
    return f"When that is done: `wagate sessions start {session}`."
