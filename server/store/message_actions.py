"""One message of the stored copy: found to act on, or hidden."""

from collections.abc import Sequence

from sqlalchemy import select, update

from server.store.database import Database
from server.store.queries import execute, find_all, find_one
from server.store.records import Reaction, StoredMessage
from server.store.tables import MessageRow, ReactionRow, table_of

_message = table_of(MessageRow)
_reaction = table_of(ReactionRow)
_columns = [_message.c[name] for name in StoredMessage.__dataclass_fields__]


class MessageRepository:
    """Finds and hides single messages."""

    def __init__(self, database: Database) -> None:
        """Uses `database`."""
        self._database = database

    async def find(
        self,
        chat_id: int,
        wa_message_id: str,
        *,
        sender_jid: str | None = None,
        from_me: bool | None = None,
        hidden_too: bool = False,
    ) -> StoredMessage | None:
        """Returns a message of a chat by WhatsApp's id; the newest where senders chose the same one.

        Args:
            chat_id: the chat's row id.
            wa_message_id: WhatsApp's id.
            sender_jid: whose it must be; None for anybody's.
            from_me: whether it must be the account's own; None for either.
            hidden_too: whether one that was deleted here alone counts.
        """
        statement = select(*_columns).where(
            _message.c.chat_id == chat_id, _message.c.wa_message_id == wa_message_id
        )
        if not hidden_too:
            statement = statement.where(_message.c.hidden.is_(False))
        if sender_jid is not None:
            statement = statement.where(_message.c.sender_jid == sender_jid)
        if from_me is not None:
            statement = statement.where(_message.c.from_me.is_(from_me))
        return await find_one(
            self._database, statement.order_by(_message.c.id.desc()).limit(1), StoredMessage
        )

    async def newest(self, chat_id: int) -> StoredMessage | None:
        """Returns the newest message of a chat that WhatsApp knows."""
        statement = select(*_columns).where(
            _message.c.chat_id == chat_id, _message.c.wa_message_id.is_not(None)
        )
        order = (_message.c.timestamp.desc(), _message.c.created_at.desc(), _message.c.id.desc())
        return await find_one(self._database, statement.order_by(*order).limit(1), StoredMessage)

    async def hide(self, row_id: int) -> None:
        """Shows a message no more. The row stays, so that the same stanza does not bring it back."""
        hidden = update(_message).where(_message.c.id == row_id)
        await execute(self._database, hidden.values(body="", content=b"", hidden=True))

    async def reactions(self, row_ids: Sequence[int]) -> Sequence[Reaction]:
        """Returns the reactions to messages, oldest first."""
        if not row_ids:
            return ()
        statement = select(_reaction).where(_reaction.c.message_id.in_(row_ids), _reaction.c.emoji != "")
        order = (_reaction.c.timestamp, _reaction.c.sender_jid)
        return await find_all(self._database, statement.order_by(*order), Reaction)
