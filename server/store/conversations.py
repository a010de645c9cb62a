"""The stored copy: chats, messages and which LID belongs to which phone number."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from sqlalchemy import and_, bindparam, delete, func, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from server.clock import now_ms
from server.store.arrival_records import Arrival
from server.store.arrivals import store_arrivals
from server.store.chat_changes import change_chat, delete_chat
from server.store.contents import Contents, Unread
from server.store.database import Database
from server.store.failures import is_missing_parent
from server.store.group_commit import GroupCommit
from server.store.names import Names, names_of
from server.store.queries import DELETED_AT_A_TIME, execute, find_all, find_one
from server.store.records import UNDECRYPTABLE, Chat, Message
from server.store.tables import AddressRow, ChatRow, MessageRow, table_of

_chat = table_of(ChatRow)
_message = table_of(MessageRow)
_address = table_of(AddressRow)
_shown = [c for c in _message.c if c.name not in ("chat_id", "content", "hidden", "edited_at")]

_ChatPosition = tuple[bool, int, int]
_MessagePosition = tuple[int, int, int]


_FIND_CHAT: Final = select(_chat).where(
    _chat.c.session_id == bindparam("of"), _chat.c.jid == bindparam("called")
)


_HAS_MESSAGE: Final = (
    select(_message.c.id)
    .join(_chat, _chat.c.id == _message.c.chat_id)
    .where(
        _chat.c.session_id == bindparam("of"),
        _message.c.wa_message_id == bindparam("called"),
        _message.c.type != UNDECRYPTABLE,
    )
    .limit(1)
)


class SessionGoneError(Exception):
    """The session that something was to be stored for was deleted."""


class ConversationRepository:
    """Stores and pages the stored copy.

    Storing is idempotent: what is there already changes nothing, the chat's counters included, and is no
    event.
    """

    def __init__(self, database: Database, contents: Contents | None = None) -> None:
        """Uses `database`; concurrent writes share commits.

        Args:
            database: where to store.
            contents: reads polls and what is sealed; without it votes are not counted.
        """
        self._database = database
        store = partial(store_arrivals, contents=contents or Unread())
        self._commit: GroupCommit[Arrival, int | None] = GroupCommit(database, store)

    async def store(self, arrivals: Sequence[Arrival]) -> Sequence[int | None]:
        """Stores messages with their chats, and what was done to messages, each with its event.

        Returns:
            For each message its row id, or None where it was stored before; for all else the row id of the
            message that it is about, or None where no such message is stored: it waits for it then.

        Raises:
            SessionGoneError: a message's session is not stored.
            DatabaseFailure: the database failed. All but a message without an id may be stored again then.
        """
        try:
            return await self._commit.write_all(arrivals)
        except IntegrityError as error:
            if is_missing_parent(error):
                raise SessionGoneError from error
            raise

    async def find_chat(self, session_id: str, jid: str) -> Chat | None:
        """Returns a session's chat by its canonical JID."""
        return await find_one(self._database, _FIND_CHAT, Chat, of=session_id, called=jid)

    async def has_message(self, session_id: str, wa_message_id: str) -> bool:
        """Whether a session has a message with this id, in whichever chat; a placeholder is none."""
        found = await self._database.read(
            lambda connection: connection.execute(
                _HAS_MESSAGE, {"of": session_id, "called": wa_message_id}
            ).first()
        )
        return found is not None

    async def change_chat(self, chat_id: int, changes: Mapping[str, object]) -> None:
        """Sets columns of a chat, by field of `Chat`; its event is appended where that changes anything."""
        at = now_ms()
        await self._database.write(lambda connection: change_chat(connection, chat_id, changes, at=at))

    async def delete_chat(self, chat_id: int) -> None:
        """Deletes a chat with its messages, and appends its event.

        The messages go some at a time: a long chat keeps no other writer waiting.
        """
        some = select(_message.c.id).where(_message.c.chat_id == chat_id).limit(DELETED_AT_A_TIME)
        while await execute(self._database, delete(_message).where(_message.c.id.in_(some))):
            pass
        at = now_ms()
        await self._database.write(lambda connection: delete_chat(connection, chat_id, at=at))

    async def page_chats(self, session_id: str, *, after: _ChatPosition | None, limit: int) -> Sequence[Chat]:
        """Returns up to `limit` chats: pinned first, then by newest activity.

        Args:
            session_id: whose chats.
            after: (pinned, last activity in ms or 0, id) of the chat before the page; None at first.
            limit: at least 1.
        """
        activity = func.coalesce(_chat.c.last_message_at, 0)
        statement = select(_chat).where(_chat.c.session_id == session_id)
        if after is not None:
            pinned, last, row_id = after
            behind = tuple_(activity, _chat.c.id) < (last, row_id)
            same_half = and_(_chat.c.pinned.is_(pinned), behind)
            statement = statement.where(or_(same_half, _chat.c.pinned.is_(False)) if pinned else same_half)
        statement = statement.order_by(_chat.c.pinned.desc(), activity.desc(), _chat.c.id.desc())
        return await find_all(self._database, statement.limit(limit), Chat)

    async def page_messages(
        self, chat_id: int, *, before: _MessagePosition | None, limit: int
    ) -> Sequence[Message]:
        """Returns up to `limit` messages of a chat, newest first.

        Args:
            chat_id: the chat's row id.
            before: (timestamp, created_at, id) of the message before the page; None at first.
            limit: at least 1.
        """
        statement = select(*_shown).where(_message.c.chat_id == chat_id, _message.c.hidden.is_(False))
        if before is not None:
            statement = statement.where(
                tuple_(_message.c.timestamp, _message.c.created_at, _message.c.id) < before
            )
        statement = statement.order_by(
            _message.c.timestamp.desc(), _message.c.created_at.desc(), _message.c.id.desc()
        )
        return await find_all(self._database, statement.limit(limit), Message)

    async def names(self, session_id: str, jids: Iterable[str]) -> Names:
        """Returns both names of people and chats, by canonical JIDs."""
        people = {(session_id, jid) for jid in jids}
        return await self._database.read(lambda connection: names_of(connection, people))

    async def phone_jid(self, session_id: str, lid: str) -> str | None:
        """Returns the phone-number JID that a LID belongs to, as far as the session knows."""
        statement = select(_address.c.phone_jid).where(
            _address.c.session_id == session_id, _address.c.lid == lid
        )
        found: str | None = await self._database.read(lambda c: c.execute(statement).scalar_one_or_none())
        return found
