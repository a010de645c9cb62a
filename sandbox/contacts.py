"""The virtual contacts: persons, who read and write, and sinks, who only receive."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from sandbox.accounts import Account, Kind
from sandbox.jid import JID, pn_jid
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

    Args:
        network: The network.
        ca_file: The TLS authority that their clients trust.
    """

    def __init__(self, network: Network, ca_file: Path) -> None:
        self._network = network
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

    async def send_text(self, person: Account, to: JID, text: str) -> tuple[str, int]:
        """Lets a person write a text; see ``Person.send_text``."""
        sent = await self._ask("send", person, to=str(to), text=text)
        return sent["message"], sent["timestamp"]

    async def mark_read(self, person: Account, ids: list[str], chat: JID) -> None:
        """Lets a person read messages of one chat; see ``Person.mark_read``."""
        await self._ask("read", person, ids=ids, chat=self._by_lid(chat))

    async def watch(self, person: Account, who: JID) -> None:
        """Lets a person subscribe to somebody's presence; see ``Person.watch``."""
        await self._ask("watch", person, who=self._by_lid(who))

    async def show(self, person: Account, state: str, to: JID | None) -> None:
        """Lets a person show a state; see ``Person.show``."""
        await self._ask("show", person, state=state, to=None if to is None else self._by_lid(to))

    async def journal(self, person: Account, kind: str) -> list[dict[str, Any]]:
        """What happened to a person, in order.

        Args:
            person: The person.
            kind: ``message`` for what it decrypted, ``receipt`` for the receipts it got, ``seen`` for the
                chat states and presences of others.
        """
        rows = await self._network.state.read(
            "SELECT record FROM journal WHERE number = ? AND kind = ? ORDER BY seq", (person.number, kind)
        )
        return [json.loads(record) for (record,) in rows]

    def _by_lid(self, jid: JID) -> str:
        """The address by which people address each other today, where it is known."""
        account = self._network.accounts.find(jid)
        return str(account.lid_jid if account else jid)

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
        for name in ("from", "chat"):
            event[name], event[name + "Lid"] = self._both(event[name])
        self._network.state.write(
            "INSERT INTO journal (number, kind, record) VALUES (?, ?, ?)",
            (number, kind, json.dumps(event, ensure_ascii=False)),
        )

    async def _scan(self, number: str, code: str) -> None:
        try:
            await scan(self._network, number, code)
        except PairingError as error:
            _log.warning("%s could not be paired: %s", number, error)

    def _both(self, text: str) -> tuple[str, str | None]:
        """An address as phone-number JID where it is known, and its LID where there is one."""
        jid = JID.parse(text)
        account = self._network.accounts.find(jid)
        if account is None:
            return text, None
        return str(pn_jid(account.number)), str(account.lid_jid)
