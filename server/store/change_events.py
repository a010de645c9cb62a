"""The events of what was done to messages; protos/wagate/v1/event_payloads.proto describes every field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from server.store.addresses import lids_of
from server.store.changes import Applied, Change
from server.store.event_payloads import STATUS_WORDS
from server.store.records import MessageAct, NewEdit, NewReaction, NewReceipt, NewRevoke, NewVote
from server.store.tables import SessionRow, table_of

_session = table_of(SessionRow)

EDITED: Final = "message.edited"
"""The event of a message that says something else now."""
REVOKED: Final = "message.revoked"
"""The event of a message that was deleted for everyone."""
REACTION: Final = "message.reaction"
"""The event of a reaction, new or taken back."""
VOTE: Final = "poll.vote"
"""The event of a vote, new, changed or taken back."""
STATUS: Final = "message.status"
"""The event of a message that came further."""

_LID: Final = "@lid"
"""How a LID ends."""

Payload = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Names:
    """LIDs by session and canonical JID, the sessions' own included."""

    lids: Mapping[tuple[str, str], str]

    def both(self, session_id: str, jid: str, what: str) -> dict[str, object]:
        """A person's or chat's JID and LID, as fields of a payload."""
        lid = jid if jid.endswith(_LID) else self.lids.get((session_id, jid))
        return {f"{what}Jid": jid, f"{what}Lid": lid}


def names_of(connection: Connection, changes: Iterable[Change]) -> Names:
    """Everybody's other name whom changes name."""
    people: set[tuple[str, str]] = set()
    for change in changes:
        people.add((change.session_id, change.chat_jid))
        if isinstance(change, MessageAct):
            people |= {(change.session_id, change.sender_jid), (change.session_id, change.actor_jid)}
        else:
            people.add((change.session_id, change.participant_jid))
    lids = dict(lids_of(connection, people))
    own = select(_session.c.id, _session.c.wa_jid, _session.c.wa_lid).where(
        _session.c.id.in_(sorted({session_id for session_id, _ in people}))
    )
    for session_id, jid, lid in connection.execute(own):
        if jid is not None and lid is not None:
            lids[session_id, jid] = lid
    return Names(lids)


def event_of(change: Change, applied: Applied, names: Names) -> tuple[str, Payload]:
    """The name and payload of the event of a change.

    Raises:
        AssertionError: `applied` changed nothing.
    """
    session_id = change.session_id
    payload: dict[str, object] = {
        **names.both(session_id, change.chat_jid, "chat"),
        "timestamp": change.timestamp,
        "waMessageId": change.wa_message_id,
    }
    if isinstance(change, NewReceipt):
        return STATUS, payload | {
            **names.both(session_id, change.participant_jid, "participant"),
            "ackLevel": applied.ack_level,
            "error": None,
            "outboxId": "",
            "status": STATUS_WORDS[change.ack_level],
        }
    payload |= {**names.both(session_id, change.sender_jid, "sender"), "fromMe": applied.target.from_me}

    def by(actor: str) -> dict[str, object]:
        return names.both(session_id, change.actor_jid, actor)

    match applied.deed:
        case NewEdit() as edit:
            return EDITED, payload | {"body": edit.body, "mentions": list(edit.mentions)}
        case NewRevoke():
            return REVOKED, payload | by("revoker")
        case NewReaction(emoji):
            return REACTION, payload | by("reactor") | {"emoji": emoji}
        case NewVote(options):
            tally = [{"option": option, "votes": votes} for option, votes in applied.tally]
            return VOTE, payload | by("voter") | {"options": list(options), "tally": tally}
        case None:
            raise AssertionError("nothing was done")
