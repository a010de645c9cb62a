"""`wagate events`: what happens, as it happens."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import typer
from rich.text import Text
from ulid import ULID
from wagate.client import OLDEST, Following
from wagate.v1 import events_pb2 as pb

from server.clock import now_ms
from server.commands.calling import Call, calls
from server.commands.output import printable
from server.commands.times import moment
from server.commands.watching import reader_gone
from server.commands.words import time_of
from server.errors import Code, WagateError
from server.remote.documents import document_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Follow what happens.")

_PREFIX: Final = "evt_"


@app.command()
@calls
async def tail(
    call: Call,
    since: Annotated[
        str,
        typer.Option(
            help="Begin behind this event's id, or with what happened since 15m, 2h or 2026-11-21T18:00, or "
            "with the oldest event that is kept: oldest. Without it: with what happens from now on.",
            show_default=False,
        ),
    ] = "",
    session: Annotated[
        list[str] | None,
        typer.Option("--session", "-s", help="Of this session alone; may be repeated.", show_default=False),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event", "-e", help="Of this name alone, such as message; may be repeated.", show_default=False
        ),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many.", show_default=False)] = None,
) -> None:
    """Show events as they happen, until Ctrl+C. With --json each is one line.

    Where the gateway restarts it comes back by itself and goes on behind the last event.
    """
    sessions = [await call.session(wanted) for wanted in session or ()]

    def interrupted(error: WagateError) -> None:
        if not call.out.is_json:
            call.out.aside(
                f"The stream broke off ({error.message}); it goes on as soon as the gateway answers."
            )

    async def show(after: str) -> None:
        following = call.gateway.follow(
            after=after, sessions=sessions, names=event or (), interrupted=interrupted
        )
        shown = 0
        async with following as events, reader_gone(sys.stdout) as gone:
            while shown != count:
                _show(call, await _next(events, gone))
                shown += 1

    try:
        await show(_cursor(since))
    except WagateError as error:
        if error.code is not Code.VALIDATION_ERROR or not since or since.startswith(_PREFIX):
            raise
        await show("")  # a moment behind the newest event: nothing has happened since


async def _next(events: Following, gone: "asyncio.Future[None]") -> pb.Event:
    """The next event, unless whoever would read it goes away first.

    Raises:
        BrokenPipeError: they did.
    """
    upcoming = asyncio.ensure_future(anext(events))
    either: set[asyncio.Future[Any]] = {upcoming, gone}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if upcoming.done():
            return upcoming.result()
        raise BrokenPipeError
    finally:
        upcoming.cancel()


def _cursor(since: str) -> str:
    if not since or since.startswith(_PREFIX):
        return since
    if since == "oldest":
        return OLDEST
    # Ids are ULIDs: the first one of a moment lies below all that have happened since.
    first = ULID.from_timestamp(moment(since, now_ms()) / 1000)
    return f"{_PREFIX}{str(first)[:10]}{'0' * 16}"


def _show(call: Call, event: pb.Event) -> None:
    if call.out.is_json:
        call.out.line(document_of(event))
        return
    payload = document_of(event)["payload"]
    words = _WORDS.get(event.event, _anything)(payload)
    line = Text(f"{time_of(event.timestamp)}  ", style="dim")
    line.append(f"{event.event:<16} ", style="bold")
    line.append(printable(" ".join(words.split())), style="not dim")
    call.out.text(line)
    call.out.flush()


def _message(payload: Mapping[str, Any]) -> str:
    arrow = "->" if payload["direction"] == "out" else "<-"
    kind = "" if payload["type"] == "text" else f"[{payload['type']}] "
    who = (
        "" if payload["senderJid"] == payload["chatJid"] or payload["fromMe"] else f"{payload['senderJid']}: "
    )
    return f"{payload['chatJid']} {arrow} {who}{kind}{payload['body']}"


def _about(payload: Mapping[str, Any], what: str) -> str:
    return f"{payload['chatJid']} {payload['waMessageId']} {what}"


def _gap(payload: Mapping[str, Any]) -> str:
    return f"events behind {payload['after']} up to {payload['until']} are not kept any more"


def _anything(payload: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in payload.items() if value not in (None, "", [], {}))


_WORDS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "message": _message,
    "message.decrypted": _message,
    "message.edited": lambda p: _about(p, f"now says: {p['body']}"),
    "message.revoked": lambda p: _about(p, f"was deleted by {p['revokerJid']}"),
    "message.reaction": lambda p: _about(p, f"{p['emoji'] or 'no reaction any more'} from {p['reactorJid']}"),
    "message.status": lambda p: _about(p, f"{p['status']} {p['error'] or ''}"),
    "poll.vote": lambda p: _about(
        p, f"{p['voterJid']} chose {', '.join(p['options']) or 'nothing any more'}"
    ),
    "auth.qr": lambda p: f"a code to scan until {time_of(p['expiresAt'])}: `wagate pair` shows it",
    "session.status": lambda p: f"{p['previous']} -> {p['status']} {p['message'] or ''}",
    "gap": _gap,
}
