"""A store's past, made up for tests: chunks, what stood in them, and the copy that they come into."""

from collections.abc import Sequence
from dataclasses import replace

from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.history import HistoryRepository, packed
from server.store.history_records import KeptPiece, NewChunk, OldChat, OldMessage, Past
from server.store.message_actions import MessageRepository
from server.store.past import Added
from server.store.records import Chat, Message, Reaction, Session
from tests.support.acts import ADA
from tests.support.records import a_message

BOB = "628120000002@s.whatsapp.net"
LID = "123456789@lid"
OWN = "628110000001@s.whatsapp.net"


def a_chunk(session: Session, chunk_id: str = "C1", pieces: int = 1, received_at: int = 5_000) -> NewChunk:
    """A chunk whose pieces say nothing that this store reads."""
    return NewChunk(
        id=chunk_id,
        session_id=session.id,
        kind="recent",
        progress=40,
        own_jid=OWN,
        own_lid=None,
        received_at=received_at,
        pieces=[packed(f"{chunk_id} {n}".encode()) for n in range(pieces)],
    )


def an_old_chat(jid: str = ADA, **fields: object) -> OldChat:
    plain = OldChat(jid, "", 0, archived=False, pinned=False, muted_until=None, last_message_at=None)
    return replace(plain, **fields)  # type: ignore[arg-type] # names are the record's own


def old(message_id: str, session: Session, *, deleted: bool = False, **fields: object) -> OldMessage:
    edited_at = fields.pop("edited_at", None)
    assert edited_at is None or isinstance(edited_at, int)
    level = fields.pop("ack_level", 0)
    message = replace(a_message(session.id, message_id, **fields), ack_level=level)  # type: ignore[arg-type] # as above
    return OldMessage(message, edited_at, deleted)


def a_past(
    session: Session, *messages: OldMessage, chats: Sequence[OldChat] | None = None, **fields: object
) -> Past:
    plain = Past(
        session_id=session.id,
        at=5_000,
        chats_as_now=False,
        addresses=(),
        names=(),
        chats=[an_old_chat()] if chats is None else chats,
        messages=messages,
        changes=(),
    )
    return replace(plain, **fields)  # type: ignore[arg-type] # names are the record's own


class Stored:
    """A session's stored copy, into which history comes."""

    def __init__(self, database: Database, session: Session) -> None:
        self.conversations = ConversationRepository(database)
        self.messages = MessageRepository(database)
        self._histories = HistoryRepository(database)
        self.session = session

    async def take(self, past: Past) -> Added:
        """Keeps a piece and finishes it."""
        await self._histories.keep(a_chunk(self.session))
        piece = await self._histories.next_piece()
        assert piece is not None
        added = await self._histories.finish(piece, past)
        assert added is not None
        return added

    async def chat(self, jid: str = ADA) -> Chat:
        chat = await self.conversations.find_chat(self.session.id, jid)
        assert chat is not None
        return chat

    async def all(self, jid: str = ADA) -> list[Message]:
        chat = await self.chat(jid)
        return list(await self.conversations.page_messages(chat.id, before=None, limit=100))

    async def only(self, jid: str = ADA) -> Message:
        (message,) = await self.all(jid)
        return message

    async def reactions(self, jid: str = ADA) -> list[Reaction]:
        return list(await self.messages.reactions([(await self.only(jid)).id]))


async def next_piece(histories: HistoryRepository) -> KeptPiece:
    """The piece that waits longest; there must be one."""
    piece = await histories.next_piece()
    assert piece is not None
    return piece
