"""Finds the stored messages that acts and receipts are about: two statements, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select, tuple_

from server.store.arrival_records import MessageAct, NewReceipt
from server.store.portions import portions
from server.store.tables import ChatRow, MessageRow, table_of

_chat = table_of(ChatRow)
_message = table_of(MessageRow)


@dataclass(slots=True)
class Target:
    """A stored message, and what becomes of it while a batch is applied."""

    id: int
    chat_id: int
    wa_message_id: str
    sender_jid: str
    from_me: bool
    type: str
    ack_level: int
    edited_at: int | None
    deleted: bool
    hidden: bool


_CHATS: Final = select(_chat.c.session_id, _chat.c.jid, _chat.c.id).where(
    tuple_(_chat.c.session_id, _chat.c.jid).in_(bindparam("chats", expanding=True))
)
_MESSAGES: Final = (
    select(*(_message.c[name] for name in Target.__dataclass_fields__))
    .where(tuple_(_message.c.chat_id, _message.c.wa_message_id).in_(bindparam("messages", expanding=True)))
    # In one order everywhere: two writers never wait for each other in a ring.
    .order_by(_message.c.id)
    .with_for_update()
)


class Targets:
    """The messages that a batch is about. They are locked until its transaction ends."""

    def __init__(self, connection: Connection, arrivals: Sequence[MessageAct | NewReceipt]) -> None:
        """Finds them all."""
        chats = {(arrival.session_id, arrival.chat_jid) for arrival in arrivals}
        self._chat_ids: dict[tuple[str, str], int] = {}
        for some in portions(sorted(chats)):
            rows = connection.execute(_CHATS, {"chats": some})
            self._chat_ids.update({(session_id, jid): row_id for session_id, jid, row_id in rows})
        wanted = {
            (self._chat_ids[arrival.session_id, arrival.chat_jid], arrival.wa_message_id)
            for arrival in arrivals
            if (arrival.session_id, arrival.chat_jid) in self._chat_ids
        }
        self._found: dict[tuple[int, str], list[Target]] = {}
        for named in portions(sorted(wanted)):
            for row in connection.execute(_MESSAGES, {"messages": named}):
                target = Target(*row)
                self._found.setdefault((target.chat_id, target.wa_message_id), []).append(target)

    def of(self, arrival: MessageAct | NewReceipt) -> Target | None:
        """The message that an arrival is about: for a receipt, an own one; None where it is not stored."""
        chat_id = self._chat_ids.get((arrival.session_id, arrival.chat_jid))
        if chat_id is None:
            return None
        for target in self._found.get((chat_id, arrival.wa_message_id), ()):
            if isinstance(arrival, NewReceipt) and target.from_me:
                return target
            if isinstance(arrival, MessageAct) and target.sender_jid == arrival.sender_jid:
                return target
        return None
