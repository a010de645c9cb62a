"""`wagate chats`: the stored copy of a session's conversations."""

from typing import Annotated, Any, Final

import typer
from wagate.v1 import chats_pb2 as pb
from wagate.v1 import messages_pb2

from server.clock import now_ms
from server.commands.calling import Call, calls
from server.commands.choosing import SessionOption
from server.commands.confirming import confirm
from server.commands.output import Column
from server.commands.times import milliseconds
from server.commands.words import jid_of, time_of, word
from server.remote.documents import document_of
from server.remote.gateway import PAGE

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Look at chats and their messages; archive, pin, mute, read.",
)

Chat = Annotated[str, typer.Argument(metavar="CHAT", help="A number with its country code, or a JID.")]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]
Cursor = Annotated[
    str,
    typer.Option(
        metavar="CURSOR",
        help="Where the page before ended: the nextCursor of its --json.",
        show_default=False,
    ),
]
All = Annotated[bool, typer.Option("--all", help="Everything, however many pages that is.")]

_ACK: Final = {-1: "failed", 0: "", 1: "sent", 2: "delivered", 3: "read", 4: "played"}


def _marks(chat: pb.Chat) -> str:
    muted = bool(chat.muted_until) and chat.muted_until > now_ms()
    marks = (("pinned", chat.pinned), ("archived", chat.archived), ("muted", muted))
    return " ".join(mark for mark, holds in marks if holds)


CHATS: Final[tuple[Column[pb.Chat], ...]] = (
    Column("JID", lambda c: c.jid),
    Column("NAME", lambda c: c.name or "-", may_shrink=True),
    Column("UNREAD", lambda c: str(c.unread_count), is_number=True),
    Column("LAST MESSAGE", lambda c: time_of(c.last_message_at)),
    Column("", _marks),
)


@app.command("list")
@calls
async def list_chats(
    call: Call,
    session: SessionOption = "",
    limit: Limit = 50,
    cursor: Cursor = "",
    *,
    everything: All = False,
) -> None:
    """List a session's chats: pinned ones first, then by latest activity."""
    request = pb.ListChatsRequest(session=await call.session(session), cursor=cursor)
    items, behind = await _pages(call, call.gateway.chats.ListChats, request, None if everything else limit)
    if call.out.is_json:
        call.out.document({"data": [document_of(chat) for chat in items], "nextCursor": behind})
        return
    call.out.table(CHATS, items, empty="No chat is stored yet.")
    _more(call, behind)


@app.command()
@calls
async def show(call: Call, chat: Chat, session: SessionOption = "") -> None:
    """Show one chat."""
    request = pb.GetChatRequest(session=await call.session(session), cid=jid_of(chat))
    _show(call, await call.gateway.ask(call.gateway.chats.GetChat, request))


@app.command()
@calls
async def messages(
    call: Call,
    chat: Chat,
    session: SessionOption = "",
    limit: Limit = 20,
    cursor: Cursor = "",
    *,
    everything: All = False,
) -> None:
    """Show a chat's stored messages: with --json newest first, for people the newest at the bottom."""
    request = pb.ListChatMessagesRequest(session=await call.session(session), cid=jid_of(chat), cursor=cursor)
    most = None if everything else limit
    items, behind = await _pages(call, call.gateway.chats.ListChatMessages, request, most)
    if call.out.is_json:
        call.out.document({"data": [document_of(message) for message in items], "nextCursor": behind})
        return
    _more(call, behind)
    for message in reversed(items):
        _show_message(call, message)
    if not items:
        call.out.say("No message is stored in this chat.")


@app.command()
@calls
async def read(call: Call, chat: Chat, session: SessionOption = "") -> None:
    """Set a chat's unread counter to zero. Nobody is told."""
    request = pb.ReadChatRequest(session=await call.session(session), cid=jid_of(chat))
    _show(call, await call.gateway.ask(call.gateway.chats.ReadChat, request))


@app.command()
@calls
async def archive(call: Call, chat: Chat, session: SessionOption = "") -> None:
    """Put a chat into the archive, on the phone too."""
    await _update(call, chat, session, archived=True)


@app.command()
@calls
async def unarchive(call: Call, chat: Chat, session: SessionOption = "") -> None:
    """Take a chat out of the archive."""
    await _update(call, chat, session, archived=False)


@app.command()
@calls
async def pin(call: Call, chat: Chat, session: SessionOption = "") -> None:
    """Pin a chat to the top."""
    await _update(call, chat, session, pinned=True)


@app.command()
@calls
async def unpin(call: Call, chat: Chat, session: SessionOption = "") -> None:
    """Pin a chat no longer."""
    await _update(call, chat, session, pinned=False)


@app.command()
@calls
async def mute(
    call: Call,
    chat: Chat,
    session: SessionOption = "",
    duration: Annotated[str, typer.Option("--for", help="Such as 8h or 1w.")] = "8h",
) -> None:
    """Mute a chat for a while."""
    await _update(call, chat, session, muted_until=now_ms() + milliseconds(duration))


@app.command()
@calls
async def unmute(call: Call, chat: Chat, session: SessionOption = "") -> None:
    """Mute a chat no longer."""
    await _update(call, chat, session, unmute=True)


@app.command()
@calls
async def typing(
    call: Call,
    chat: Chat,
    session: SessionOption = "",
    *,
    recording: Annotated[bool, typer.Option("--recording", help="Recording instead of typing.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Neither any more.")] = False,
) -> None:
    """Show the other side that this one is typing."""
    state = pb.CHAT_PRESENCE_RECORDING if recording else pb.CHAT_PRESENCE_COMPOSING
    request = pb.SetChatPresenceRequest(
        session=await call.session(session), cid=jid_of(chat), state=pb.CHAT_PRESENCE_PAUSED if off else state
    )
    await call.gateway.ask(call.gateway.chats.SetChatPresence, request)
    if not call.out.is_json:
        call.out.say("Shown.")


@app.command()
@calls
async def delete(
    call: Call,
    chat: Chat,
    session: SessionOption = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a chat and its messages from the stored copy alone. New messages bring it back."""
    request = pb.DeleteChatRequest(session=await call.session(session), cid=jid_of(chat))
    confirm(f"Delete the stored copy of chat {request.cid}?", yes=yes)
    await call.gateway.ask(call.gateway.chats.DeleteChat, request)
    if not call.out.is_json:
        call.out.say(f"Chat {request.cid} is deleted from the stored copy.")


async def _update(call: Call, chat: str, session: str, **change: Any) -> None:
    request = pb.UpdateChatRequest(session=await call.session(session), cid=jid_of(chat), **change)
    _show(call, await call.gateway.ask(call.gateway.chats.UpdateChat, request))


async def _pages(call: Call, method: Any, request: Any, most: int | None) -> tuple[list[Any], str | None]:
    """Up to so many items, page by page, and where the next page begins."""
    items: list[Any] = []
    while True:
        request.limit = PAGE if most is None else min(PAGE, most - len(items))
        page = await call.gateway.ask(method, request)
        items += page.data
        if not page.next_cursor or (most is not None and len(items) >= most):
            return items, page.next_cursor or None
        request.cursor = page.next_cursor


def _more(call: Call, cursor: str | None) -> None:
    if cursor is not None:
        call.out.aside(f"There are more: --all shows them, or --cursor {cursor}")


def _show(call: Call, chat: pb.Chat) -> None:
    if call.out.is_json:
        call.out.document(document_of(chat))
        return
    call.out.fields(
        [
            ("chat", chat.jid),
            ("name", chat.name or "-"),
            ("type", word(pb.ChatType.DESCRIPTOR, chat.type)),
            ("unread", str(chat.unread_count)),
            ("last message", time_of(chat.last_message_at)),
            ("archived", "yes" if chat.archived else "no"),
            ("pinned", "yes" if chat.pinned else "no"),
            ("muted until", time_of(chat.muted_until)),
        ]
    )


def _show_message(call: Call, message: pb.Message) -> None:
    who = "me" if message.from_me else message.sender_jid
    state = _ACK.get(message.ack_level, "") if message.from_me else ""
    marks = [
        mark
        for mark, holds in (
            (state, state),
            ("edited", message.edited),
            ("deleted", message.deleted),
            (message.error, message.error),
            *((f"{r.emoji} {r.sender_jid}", True) for r in message.reactions),
        )
        if holds
    ]
    kind = word(messages_pb2.MessageType.DESCRIPTOR, message.type)
    body = message.body if kind == "text" else f"[{kind}] {message.body}"
    call.out.message(f"{time_of(message.timestamp)}  {who}  {message.wa_message_id}", body, ", ".join(marks))
