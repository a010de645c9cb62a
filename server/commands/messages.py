"""`wagate messages`: what can be done to a message that is there."""

from typing import Annotated

import typer
from wagate.v1 import messages_pb2 as pb

from server.commands.calling import Call, calls
from server.commands.choosing import SessionOption
from server.commands.results import show_result
from server.commands.words import jid_of

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Edit, delete, forward, react to, and vote in messages."
)

Chat = Annotated[str, typer.Argument(metavar="CHAT", help="The chat: a number or a JID.")]
MessageId = Annotated[
    str, typer.Argument(metavar="ID", help="The message's id, as `chats messages` shows it.")
]
Sender = Annotated[
    str, typer.Option(metavar="JID", help="Who wrote it, where that is somebody else.", show_default=False)
]


@app.command()
@calls
async def edit(
    call: Call,
    chat: Chat,
    message: MessageId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The new text.")],
    *,
    session: SessionOption = "",
) -> None:
    """Give a text of this session another wording."""
    request = pb.EditMessageRequest(
        session=await call.session(session), mid=message, chat=jid_of(chat), text=text
    )
    show_result(call, await call.gateway.ask(call.gateway.messages.EditMessage, request), "the new text")


@app.command()
@calls
async def revoke(
    call: Call, chat: Chat, message: MessageId, *, sender: Sender = "", session: SessionOption = ""
) -> None:
    """Delete a message for everyone."""
    request = pb.RevokeMessageRequest(
        session=await call.session(session), mid=message, chat=jid_of(chat), sender=_sender(sender)
    )
    show_result(call, await call.gateway.ask(call.gateway.messages.RevokeMessage, request), "the deletion")


@app.command()
@calls
async def forward(
    call: Call,
    chat: Chat,
    message: MessageId,
    to: Annotated[str, typer.Argument(metavar="TO", help="The recipient: a number or a JID.")],
    *,
    sender: Sender = "",
    session: SessionOption = "",
) -> None:
    """Send a copy of a message to another chat, marked as forwarded."""
    request = pb.ForwardMessageRequest(
        session=await call.session(session),
        mid=message,
        chat=jid_of(chat),
        sender=_sender(sender),
        to=jid_of(to),
    )
    result = await call.gateway.ask(call.gateway.messages.ForwardMessage, request)
    show_result(call, result, f"to {request.to}")


@app.command()
@calls
async def react(
    call: Call,
    chat: Chat,
    message: MessageId,
    emoji: Annotated[str, typer.Argument(metavar="EMOJI", help="The emoji.")],
    *,
    sender: Sender = "",
    session: SessionOption = "",
) -> None:
    """React to a message, in the place of an earlier reaction."""
    request = pb.AddReactionRequest(
        session=await call.session(session),
        mid=message,
        chat=jid_of(chat),
        sender=_sender(sender),
        emoji=emoji,
    )
    show_result(call, await call.gateway.ask(call.gateway.messages.AddReaction, request), "the reaction")


@app.command()
@calls
async def unreact(
    call: Call, chat: Chat, message: MessageId, *, sender: Sender = "", session: SessionOption = ""
) -> None:
    """Take a reaction back."""
    request = pb.RemoveReactionRequest(
        session=await call.session(session), mid=message, chat=jid_of(chat), sender=_sender(sender)
    )
    result = await call.gateway.ask(call.gateway.messages.RemoveReaction, request)
    show_result(call, result, "the reaction that is taken back")


@app.command()
@calls
async def vote(
    call: Call,
    chat: Chat,
    message: MessageId,
    option: Annotated[
        list[str] | None,
        typer.Argument(metavar="OPTION", help="All answers that are chosen; none takes the vote back."),
    ] = None,
    *,
    sender: Sender = "",
    session: SessionOption = "",
) -> None:
    """Vote in a poll, in the place of an earlier vote."""
    request = pb.VoteMessageRequest(
        session=await call.session(session),
        mid=message,
        chat=jid_of(chat),
        sender=_sender(sender),
        options=option or (),
    )
    show_result(call, await call.gateway.ask(call.gateway.messages.VoteMessage, request), "the vote")


def _sender(text: str) -> str:
    return jid_of(text) if text else ""
