"""What happened to the persons: what each of them decrypted, sent, and learned by receipts."""

import asyncio
import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sandbox.accounts import Accounts
from sandbox.jid import JID, pn_jid
from sandbox.state import Row, State

__all__ = ["Entry", "Journal", "Noted", "RecordKind"]

RecordKind = Literal["message", "sent", "receipt", "seen"]
"""What was decrypted, what was sent, which receipts came for it, and what was seen of others (chat states and
presences)."""

Record = dict[str, Any]

_NAMED_SENDERS = ("reaction", "edit", "revoke", "vote")


@dataclass(slots=True, frozen=True)
class Noted:
    """A message that a person knows.

    Attributes:
        id: Its id.
        sender: Who wrote it, as phone-number JID where that is known.
        from_me: Whether the person did.
        text: The words that a quote of it shows.
    """

    id: str
    sender: JID
    from_me: bool
    text: str


@dataclass(slots=True, frozen=True)
class Entry:
    """A record in its place.

    Attributes:
        seq: Its place among the records of all persons; later ones have greater numbers.
        number: The person's phone number.
        kind: What it is.
        record: The record.
    """

    seq: int
    number: str
    kind: RecordKind
    record: Record

    def describe(self) -> dict[str, object]:
        """The entry as JSON."""
        return asdict(self)


class Journal:
    """The records of all persons.

    Args:
        state: Where they are kept.
        accounts: Who exists, to name everybody by both addresses.
    """

    def __init__(self, state: State, accounts: Accounts) -> None:
        self._state = state
        self._accounts = accounts
        self._noted = asyncio.Event()
        self._closed = False

    def note(self, number: str, kind: RecordKind, record: Record) -> None:
        """Keeps a record.

        Args:
            number: The person's phone number.
            kind: What it is.
            record: The record, with whatever addresses; both of an account are written down.
        """
        self._name_both(record, "from")
        self._name_both(record, "chat")
        for name in _NAMED_SENDERS:
            if name in record:
                self._name_both(record[name], "sender")
        self._state.write(
            "INSERT INTO journal (number, kind, record) VALUES (?, ?, ?)",
            (number, kind, json.dumps(record, ensure_ascii=False)),
        )
        self._wake()

    async def read(self, number: str, kind: RecordKind) -> list[Record]:
        """A person's records of one kind, in order; votes with the names of the options."""
        records = await self._read(number, kind)
        await self._name_options(number, records)
        return records

    async def latest(self, limit: int, number: str | None = None) -> list[Entry]:
        """The newest records of everybody, or of one person, oldest first.

        Args:
            limit: How many at most.
            number: The person's phone number; None for everybody.
        """
        rows = await self._state.read(
            "SELECT seq, number, kind, record FROM journal WHERE ? IS NULL OR number = ?"
            " ORDER BY seq DESC LIMIT ?",
            (number, number, limit),
        )
        return await self._entries(reversed(rows))

    async def after(self, seq: int, limit: int, seconds: float) -> list[Entry]:
        """What was noted after a record, of everybody, oldest first; waits until there is something.

        Args:
            seq: The record's place.
            limit: How many at most.
            seconds: How long to wait; then the answer is empty.
        """
        noted = self._noted
        found = await self._after(seq, limit)
        if not found and not self._closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await noted.wait()
            found = await self._after(seq, limit)
        return found

    def close(self) -> None:
        """Lets nobody wait any more."""
        self._closed = True
        self._wake()

    async def find(self, number: str, message_id: str) -> Noted | None:
        """The message with this id that a person has heard or sent."""
        rows = await self._state.read(
            "SELECT kind, record FROM journal WHERE number = ? AND json_extract(record, '$.id') = ?"
            " ORDER BY seq LIMIT 1",
            (number, message_id),
        )
        if not rows:
            return None
        kind, record = rows[0][0], json.loads(rows[0][1])
        return Noted(message_id, JID.parse(record["from"]), kind == "sent", _words(record))

    async def _after(self, seq: int, limit: int) -> list[Entry]:
        rows = await self._state.read(
            "SELECT seq, number, kind, record FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
        )
        return await self._entries(rows)

    async def _entries(self, rows: Iterable[Row]) -> list[Entry]:
        entries = [Entry(seq, number, kind, json.loads(record)) for seq, number, kind, record in rows]
        by_person: dict[str, list[Record]] = {}
        for entry in entries:
            by_person.setdefault(entry.number, []).append(entry.record)
        for number, records in by_person.items():
            await self._name_options(number, records)
        return entries

    async def _name_options(self, number: str, records: list[Record]) -> None:
        """Puts the options' names into the votes among a person's records."""
        votes = [record["vote"] for record in records if "hashes" in record.get("vote", ())]
        if not votes:
            return
        names = await self._options(number)
        for vote in votes:
            poll = names.get(vote["target"], {})
            vote["options"] = [poll.get(option) for option in vote.pop("hashes")]

    def _wake(self) -> None:
        """Lets those go on who wait now; who comes later waits for the next record."""
        self._noted.set()
        self._noted = asyncio.Event()

    async def _read(self, number: str, kind: RecordKind) -> list[Record]:
        rows = await self._state.read(
            "SELECT record FROM journal WHERE number = ? AND kind = ? ORDER BY seq", (number, kind)
        )
        return [json.loads(record) for (record,) in rows]

    async def _options(self, number: str) -> dict[str, dict[str, str]]:
        """The options by their hashes, of each poll that a person knows."""
        known = [*await self._read(number, "message"), *await self._read(number, "sent")]
        return {
            record["id"]: {_hash(option): option for option in record["poll"]["options"]}
            for record in known
            if record.get("kind") == "poll"
        }

    def _name_both(self, record: Record, name: str) -> None:
        """Names an account by its phone-number JID where it is known, and by its LID beside."""
        text = record[name]
        account = self._accounts.find(JID.parse(text))
        record[name] = text if account is None else str(pn_jid(account.number))
        record[name + "Lid"] = None if account is None else str(account.lid_jid)


def _hash(option: str) -> str:
    return hashlib.sha256(option.encode()).hexdigest()


def _words(record: Record) -> str:
    for kind in ("poll", "location", "contact"):
        if kind in record:
            return str(record[kind]["name"])
    return str(record.get("text", ""))
