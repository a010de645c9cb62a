"""The events of what was done to messages; protos/wagate/v1/event_payloads.proto describes every field."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from server.store.addresses import Person
from server.store.arrival_records import MessageAct, NewEdit, NewReaction, NewReceipt, NewRevoke, NewVote
from server.store.changes import Applied, Change
from server.store.event_payloads import STATUS_WORDS
from server.store.names import Names

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

Payload = Mapping[str, object]


def change_people(changes: Iterable[Change]) -> Iterator[Person]:
    """Whose names the events of changes need."""
    for change in changes:
        yield change.session_id, change.chat_jid
        if isinstance(change, MessageAct):
            yield change.session_id, change.sender_jid
            yield change.session_id, change.actor_jid
        else:
            yield change.session_id, change.participant_jid


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
        return dict(names.both(session_id, change.actor_jid, actor))

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
