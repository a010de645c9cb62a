"""Both names of people and chats, by phone number and by LID, as the stored copy knows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select

from server.store.addresses import Person, lids_of
from server.store.tables import SessionRow, table_of

_session = table_of(SessionRow)

_OWN: Final = select(_session.c.id, _session.c.wa_jid, _session.c.wa_lid).where(
    _session.c.id.in_(bindparam("sessions", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Names:
    """LIDs by session and canonical JID, the sessions' own included."""

    lids: Mapping[Person, str]

    def lid(self, session_id: str, jid: str) -> str | None:
        """The LID of a person or chat; None for groups, which have none, and where it is not known."""
        return jid if jid.endswith("@lid") else self.lids.get((session_id, jid))

    def both(self, session_id: str, jid: str, what: str) -> Mapping[str, object]:
        """A person's or chat's JID and LID, as fields of an event's payload.

        Args:
            session_id: who knows them.
            jid: the canonical one.
            what: the fields' common beginning, such as "chat".
        """
        return {f"{what}Jid": jid, f"{what}Lid": self.lid(session_id, jid)}


def names_of(connection: Connection, people: Iterable[Person]) -> Names:
    """Looks up both names of people, in two statements however many they are.

    Args:
        connection: in a transaction.
        people: pairs of a session and a canonical JID; a session's own account is one of them.
    """
    wanted = set(people)
    if not wanted:
        return Names({})
    lids = dict(lids_of(connection, wanted))
    sessions = sorted({session_id for session_id, _ in wanted})
    for session_id, jid, lid in connection.execute(_OWN, {"sessions": sessions}):
        if jid is not None and lid is not None:
            lids[session_id, jid] = lid
    return Names(lids)
