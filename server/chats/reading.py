"""Reads stored content for the store, which knows nothing of WhatsApp's messages."""

from collections.abc import Sequence

from server.store.arrival_records import NewEdit, NewReaction, NewSealed, NewVote
from server.whatsapp.incoming import Seal
from server.whatsapp.sealing import SealedAct, open_edit, open_reaction, open_vote
from server.whatsapp.stored import options_of, with_secret_of


class WhatsAppContents:
    """See `server.store.contents.Contents`."""

    def options(self, content: bytes) -> Sequence[str]:
        """See the protocol."""
        return options_of(content)

    def open(
        self, content: bytes, wa_message_id: str, sealed: NewSealed
    ) -> NewVote | NewReaction | NewEdit | None:
        """See the protocol."""
        act = SealedAct(
            wa_message_id, content, sealed.payload, sealed.iv, authors=sealed.authors, actors=sealed.actors
        )
        match Seal(sealed.use):
            case Seal.VOTE:
                options = open_vote(act)
                return None if options is None else NewVote(options)
            case Seal.REACTION:
                emoji = open_reaction(act)
                return None if emoji is None else NewReaction(emoji)
            case Seal.EDIT:
                edit = open_edit(act)
                if edit is None:
                    return None
                return NewEdit(edit.body, edit.content, [str(jid) for jid in edit.mentions])

    def edited(self, before: bytes, after: bytes) -> bytes:
        """See the protocol."""
        return with_secret_of(before, after)
