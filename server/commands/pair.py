"""`wagate pair`: links a session to a phone."""

import asyncio
import sys
from typing import Annotated

import typer

from server import terminal
from server.commands.calling import Call, calls
from server.commands.choosing import SessionArgument
from server.remote.documents import document_of
from server.remote.sandbox_phone import scan
from server.supervisor.settings import load_up_settings

app = typer.Typer(add_completion=False)


@app.command()
@calls
async def pair(
    call: Call,
    session: SessionArgument = "",
    code: Annotated[
        str,
        typer.Option(
            metavar="NUMBER",
            help="Show a code to type instead of one to scan, for the phone with this number.",
            show_default=False,
        ),
    ] = "",
    sandbox_phone: Annotated[
        str,
        typer.Option(
            metavar="NUMBER",
            help="In the sandbox: have its virtual phone with this number scan the code.",
            show_default=False,
        ),
    ] = "",
    label: Annotated[str, typer.Option(help="The name of the session, where one is made.")] = "first",
) -> None:
    """Link a session to a phone: shows codes until it works. Ctrl+C ends it.

    Without SESSION it takes the one that waits for its phone, and makes one where there is none at all.
    With --json each code is a line on standard output, and the session that works is the last one.
    """
    wanted = await _wanted(call, session, label)
    first: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def show(shown: terminal.PhoneCode) -> None:
        if not first.done():
            first.set_result(shown.code)
        if call.out.is_json:
            call.out.line({"session": wanted, "code": shown.code, "expiresAt": shown.expires_at})
        elif sandbox_phone:
            call.out.say(f"The sandbox's phone {sandbox_phone} scans the code.")
        elif code:
            call.out.say(
                "WhatsApp on the phone > Linked devices > Link with phone number instead, then type:"
            )
            call.out.say(f"\n    {shown.code}\n", style="bold")
        else:
            terminal.show_qr(shown.code, sys.stdout)
        call.out.flush()

    linking = terminal.linked(call.gateway, wanted, show, phone=_digits(code))
    if sandbox_phone:
        works, _ = await asyncio.gather(linking, _scanned(first, _digits(sandbox_phone)))
    else:
        works = await linking
    if call.out.is_json:
        call.out.line(document_of(works))
    else:
        call.out.say("")
        call.out.say(f"Session {works.id} is linked to {works.phone_number} and works.", style="bold")


async def _scanned(code: asyncio.Future[str], phone: str) -> None:
    """Has a virtual phone scan the code as soon as there is one."""
    await scan(f"http://{load_up_settings().sandbox}", phone, await code)


def _digits(number: str) -> str:
    """A number as people write it, as digits alone."""
    return "".join(c for c in number if c not in "+ -()./")


async def _wanted(call: Call, session: str, label: str) -> str:
    if session:
        return await call.session(session)
    waiting = await terminal.unpaired_session(call.gateway, label)
    if waiting is not None:
        return waiting
    return await call.session("")
