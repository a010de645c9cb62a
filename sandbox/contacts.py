"""The virtual contacts: persons, who read and write, and sinks, who only receive."""

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.accounts import Account, Kind
from sandbox.drafts import Draft
from sandbox.jid import JID
from sandbox.journal import Journal
from sandbox.network import Network
from sandbox.pairing import PairingError, scan
from sandbox.people_link import PeopleError, PeopleLink

__all__ = ["ContactConflictError", "Contacts"]

_log = logging.getLogger(__name__)

_READY_SECONDS = 60


class ContactConflictError(ValueError):
    """A number is in use for something else."""


class Contacts:
    """The virtual contacts of a network.

    Attributes:
        journal: What happened to the persons.

    Args:
        network: The network.
        ca_file: The TLS authority that their clients trust.
    """

    def __init__(self, network: Network, ca_file: Path) -> None:
        self._network = network
        self.journal = Journal(network.state, network.accounts)
        self._stores = network.folder / "people"
        self._stores.mkdir(exist_ok=True)
        self._link = PeopleLink(
            log_file=network.folder / "people.log",
            ca_file=ca_file,
            root_key=network.root.public,
            on_event=self._take,
            on_start=self._start_all,
        )
        self._wanted = asyncio.Event()
        self._scans: set[asyncio.Task[None]] = set()
        if self._persons():
            self._wanted.set()

    async def run(self, proxy: str) -> None:
        """Keeps the persons online until cancelled; no process is started before there is a person.

        Args:
            proxy: The network's proxy for the clients.
        """
        await self._wanted.wait()
        await self._link.run(proxy)

    async def put(self, number: str, name: str, kind: Kind) -> Account:
        """Makes a contact, or renames it, and waits until it is ready.

        Args:
            number: Digits only.
            name: Its push name.
            kind: ``person`` or ``sink``.

        Raises:
            ContactConflictError: The number is an account or a contact of another kind.
            PeopleError: The person did not come online.
        """
        accounts = self._network.accounts
        account = accounts.get(number)
        if account is None:
            account = accounts.create(number, name, kind)
        elif account.kind != kind:
            raise ContactConflictError(f"{number} exists already, as {account.kind}")
        accounts.rename(account, name)
        if kind == "person":
            self._wanted.set()
            try:
                async with asyncio.timeout(_READY_SECONDS):
                    await self._ask("start", account)
            except TimeoutError as error:
                raise PeopleError(f"{number} was not online within {_READY_SECONDS} s") from error
        await self._network.state.stored()
        return account

    def get(self, number: str) -> Account | None:
        """The contact of a number; None also for an account of a user."""
        account = self._network.accounts.get(number)
        return None if account is None or account.kind == "account" else account

    def all(self) -> list[Account]:
        """All contacts."""
        return [account for account in self._network.accounts if account.kind != "account"]

    async def send(self, person: Account, to: JID, draft: Draft) -> dict[str, Any]:
        """Lets a person send a message and waits for the network's acknowledgement.

        Returns:
            What the journal notes about it: ``id``, ``timestamp`` and the content.

        Raises:
            ControlError: The draft is about a message that the person does not know.
            PeopleError: The library or the network refused.
        """
        chat = self._addressed(to, to)
        content = await draft.complete(self.journal, person.number, partial(self._addressed, to))
        answer = await self._ask("send", person, to=str(to), chat=str(chat), content=content)
        record = {
            "id": answer["message"],
            "from": str(person.pn_jid),
            "chat": str(to),
            "timestamp": answer["timestamp"],
            **content,
        }
        self.journal.note(person.number, "sent", record)
        return record

    async def mark_read(self, person: Account, ids: list[str], chat: JID) -> None:
        """Lets a person read messages of one chat; see ``Person.mark_read``.

        Raises:
            PeopleError: The library or the network refused.
        """
        by_sender: dict[JID, list[str]] = {}
        for message_id in ids:
            noted = await self.journal.find(person.number, message_id)
            sender = self._addressed(chat, noted.sender if noted else chat)
            by_sender.setdefault(sender, []).append(message_id)
        for sender, theirs in by_sender.items():
            jid = str(self._addressed(chat, chat))
            await self._ask("read", person, ids=theirs, chat=jid, sender=str(sender))

    async def watch(self, person: Account, who: JID) -> None:
        """Lets a person subscribe to somebody's presence; see ``Person.watch``."""
        await self._ask("watch", person, who=str(self._addressed(who, who)))

    async def show(self, person: Account, state: str, to: JID | None) -> None:
        """Lets a person show a state; see ``Person.show``."""
        chat = None if to is None else str(self._addressed(to, to))
        await self._ask("show", person, state=state, to=chat)

    async def act_on_group(self, person: Account, action: str, **details: object) -> dict[str, Any]:
        """Lets a person's client do something to a group, and waits until the network has stored it.

        Args:
            person: The person.
            action: See ``person_groups.act``.
            details: What the action needs.

        Raises:
            PeopleError: The library or the network refused.
        """
        done = await self._ask("group", person, action=action, details=details)
        await self._network.state.stored()
        return done

    def _addressed(self, chat: JID, jid: JID) -> JID:
        """How somebody is addressed in a chat: by LID, except in groups that go by phone numbers."""
        account = self._network.accounts.find(jid)
        if account is None:
            return jid
        group = self._network.groups.get(chat)
        return group.address(account) if group else account.lid_jid

    def _persons(self) -> list[Account]:
        return [account for account in self._network.accounts if account.kind == "person"]

    async def _start_all(self) -> None:
        for person in self._persons():
            try:
                await self._ask("start", person)
            except PeopleError as error:
                # Whoever needs this person next tries again; the others must not wait for that.
                _log.warning("%s is not online: %s", person.number, error)

    async def _ask(self, what: str, person: Account, **details: object) -> dict[str, Any]:
        store = self._stores / f"{person.number}.db"
        return await self._link.request(do=what, number=person.number, store=str(store), **details)

    def _take(self, event: dict[str, Any]) -> None:
        kind, number = event.pop("event"), event.pop("number")
        if kind == "qr":
            scanning = asyncio.create_task(self._scan(number, event["qr"]), name=f"scan-{number}")
            self._scans.add(scanning)
            scanning.add_done_callback(self._scans.discard)
            return
        self.journal.note(number, kind, event)

    async def _scan(self, number: str, code: str) -> None:
        try:
            await scan(self._network, number, code)
        except PairingError as error:
            _log.warning("%s could not be paired: %s", number, error)
