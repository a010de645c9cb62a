"""`wagate groups`: the groups of a session."""

from typing import Annotated

import typer
from wagate.v1 import groups_pb2 as pb

from server.commands.calling import Call, calls
from server.commands.choosing import SessionOption
from server.remote.documents import document_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Join groups.")


@app.command()
@calls
async def join(
    call: Call,
    invite: Annotated[str, typer.Argument(metavar="INVITE", help="The invite's link, or its code.")],
    session: SessionOption = "",
) -> None:
    """Join the group of an invite. Being in it already is fine."""
    request = pb.JoinGroupRequest(session=await call.session(session), invite=invite)
    joined = await call.gateway.ask(call.gateway.groups.JoinGroup, request)
    if call.out.is_json:
        call.out.document(document_of(joined))
    else:
        call.out.say(f"Joined {joined.group_jid}.")
