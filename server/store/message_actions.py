"""One message of the stored copy: found to act on, and changed by what was done to it."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from server.store.database import Database
from server.store.dialect import insert
from server.store.queries import execute, find_all, find_one
from server.store.records import Reaction, StoredMessage
from server.store.tables import MessageRow, ReactionRow, table_of

_message = table_of(MessageRow)
_reaction = table_of(ReactionRow)
_columns = [_message.c[name] for name in StoredMessage.__dataclass_fields__]


class MessageRepository:
    """Finds and changes single messages."""

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

    async def edit(self, row_id: int, text: str, *, at: int) -> None:
        """Replaces a message's text. What it travelled as is forgotten: it says something else now.

        Args:
            row_id: which.
            text: the new one.
            at: when it was edited, epoch milliseconds.
        """
        await self._change(row_id, body=text, content=b"", edited=True, edited_at=at)

    async def revoke(self, row_id: int) -> None:
        """Marks a message as deleted for everyone, and forgets what it said."""
        await self._change(row_id, body="", content=b"", deleted=True)

    async def hide(self, row_id: int) -> None:
        """Shows a message no more. The row stays, so that the same stanza does not bring it back."""
        await self._change(row_id, body="", content=b"", hidden=True)

    async def react(self, reaction: Reaction) -> None:
        """Stores a reaction in the place of its sender's earlier one."""

        def write(connection: Connection) -> None:
            statement = insert(connection.dialect.name, _reaction)
            new = {"emoji": statement.excluded.emoji, "timestamp": statement.excluded.timestamp}
            connection.execute(
                statement.on_conflict_do_update(index_elements=["message_id", "sender_jid"], set_=new),
                [
                    {
                        "message_id": reaction.message_id,
                        "sender_jid": reaction.sender_jid,
                        "emoji": reaction.emoji,
                        "timestamp": reaction.timestamp,
                    }
                ],
            )

        await self._database.write(write)

    async def unreact(self, row_id: int, sender_jid: str) -> None:
        """Takes a reaction away, where there is one."""
        of_sender = (_reaction.c.message_id == row_id) & (_reaction.c.sender_jid == sender_jid)
        await execute(self._database, delete(_reaction).where(of_sender))

    async def reactions(self, row_ids: Sequence[int]) -> Sequence[Reaction]:
        """Returns the reactions to messages, oldest first."""
        if not row_ids:
            return ()
        statement = select(_reaction).where(_reaction.c.message_id.in_(row_ids), _reaction.c.emoji != "")
        order = (_reaction.c.timestamp, _reaction.c.sender_jid)
        return await find_all(self._database, statement.order_by(*order), Reaction)

    async def _change(self, row_id: int, **changes: object) -> None:
        await execute(self._database, update(_message).where(_message.c.id == row_id).values(**changes))
