"""What the store must know of what messages say, told by who can read them."""

from collections.abc import Sequence
from typing import Protocol

from server.store.arrival_records import NewEdit, NewReaction, NewSealed, NewVote


class Contents(Protocol):
    """Reads stored content: `waE2E.Message`s, serialised. Called inside transactions, so it must be quick."""

    def options(self, content: bytes) -> Sequence[str]:
        """The options of a poll, in their order; none where it is no poll."""
        ...

    def open(
        self, content: bytes, wa_message_id: str, sealed: NewSealed
    ) -> NewVote | NewReaction | NewEdit | None:
        """Reads a sealed act with the secret of the message that it is about.

        Args:
            content: the message's.
            wa_message_id: its id.
            sealed: the act.

        Returns:
            The act, or None where it was not sealed for this message, or under none of its names.
        """
        ...

    def edited(self, before: bytes, after: bytes) -> bytes:
        """What to keep of a message that was edited: what it says now, and the secret that it had.

        Args:
            before: the message's content.
            after: what the edit brought; may be empty.
        """
        ...


class Unread:
    """Where nothing reads contents: no message is a poll, and nothing sealed can be opened."""

    def options(self, content: bytes) -> Sequence[str]:  # noqa: ARG002 - the protocol's
        """See `Contents`."""
        return ()

    def open(self, content: bytes, wa_message_id: str, sealed: NewSealed) -> None:
        """See `Contents`."""

    def edited(self, before: bytes, after: bytes) -> bytes:  # noqa: ARG002 - the protocol's
        """See `Contents`."""
        return after
