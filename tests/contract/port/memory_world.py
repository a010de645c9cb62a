"""The world of the implementation in memory."""

import itertools
from collections.abc import Sequence

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import HistorySync

from server.whatsapp.incoming import ReceiptKind
from server.whatsapp.jid import GROUP, Jid
from server.whatsapp.memory import Group, MemoryClient, MemoryClients, MemoryNetwork, MemoryPairing
from server.whatsapp.memory.accounts import Account
from server.whatsapp.memory.happenings import rename, ring
from server.whatsapp.port import Client, Sent
from server.whatsapp.refusals import Refusal
from tests.contract.port.world import PAIRINGS, Invitation, Letter, chosen

_groups = itertools.count(1)


class MemoryWorld:
    """See `tests.contract.port.world.World`."""

    def __init__(self) -> None:
        self._network = MemoryNetwork()
        self._network.tells_delivery = True
        self._silent: set[str] = set()
        self._founders: dict[Jid, Account] = {}
        self.clients = MemoryClients(self._network)
        self.pairing = MemoryPairing(self._network, PAIRINGS)

    async def scan(self, code: str, number: str) -> None:
        self._network.scan(code, number)

    async def person(self, number: str) -> Jid:
        return self._network.account(number).jid

    async def write(self, person: str, to: str, text: str) -> str:
        return self._network.write(person, to, text)

    async def heard(self, person: str) -> list[tuple[str, str]]:
        return [(heard.id, heard.text) for heard in self._network.account(person).heard]

    def letters(self, client: Client) -> Sequence[Letter]:
        assert isinstance(client, MemoryClient)
        return [
            Letter(heard.id, heard.chat, heard.author, _bare(heard.message))
            for heard in self._network.account(client.number).heard
        ]

    def choice(self, poll: Sent, author: Jid, vote: Letter) -> Sequence[bytes]:
        return chosen(poll, author, vote)

    async def group(self, *, by: str, by_lid: bool) -> Invitation:
        number = next(_groups)
        made = self._network.group(
            Jid(f"12036300000000{number:04d}", GROUP), f"invite{number}", [by], by_lid=by_lid
        )
        self._founders[made.jid] = self._network.account(by)
        return Invitation(made.jid, f"invite{number}")

    async def answer_joining_with_conflict(self, number: str) -> None:
        """Nothing to do: the client in memory sees the group's members itself."""

    async def rename(self, group: Jid, subject: str) -> None:
        found = self._network.find(group)
        assert isinstance(found, Group)
        rename(self._network, found, subject, by=self._founders[group])

    async def ring(self, caller: str, callee: str) -> str:
        account = self._network.account
        return ring(self._network, account(caller), account(callee), video=True)

    async def reset_invite(self, group: Jid) -> None:
        found = self._network.find(group)
        assert isinstance(found, Group)
        found.invite = None

    async def shown(self, person: str) -> list[tuple[Jid, str]]:
        return list(self._network.account(person).chat_states)

    async def read(self, person: str) -> list[tuple[Jid, str]]:
        return list(self._network.account(person).read)

    async def tell_read(self, person: str, author: str, ids: Sequence[str]) -> None:
        reader = self._network.account(person)
        self._network.tell_receipt(reader, self._network.account(author), reader, ids, ReceiptKind.READ)

    async def give_history(self, number: str, history: HistorySync) -> None:
        self._network.give_history(number, history)

    async def enter(self, code: str, number: str) -> None:
        self._network.enter(code, number)

    async def demand_passkey(self, number: str) -> None:
        self._network.account(number).wants_passkey = True

    async def refuse_next_send(self, number: str) -> None:
        self._network.refuse_next(number, Refusal.REACH_OUT_TIMELOCK)

    async def silence(self, number: str) -> None:
        self._silent.add(number)
        self._network.account(number).answers = False
        for _ in range(20):
            self._network.hold_next(number)

    async def refuse_connections(self) -> None:
        self._network.up = False

    async def damage_next(self, number: str) -> None:
        self._network.account(number).damaged += 1

    async def withhold_next(self, number: str) -> None:
        self._network.account(number).withheld += 1

    async def heal(self) -> None:
        self._network.up = True
        for number in self._silent:
            self._network.account(number).answers = True
            self._network.account(number).scripts.clear()

    async def cut(self, number: str) -> None:
        self._network.drop(number)
        self._network.restore(number)

    async def unlink(self, number: str) -> None:
        self._network.unlink(number)


def _bare(content: bytes) -> Message:
    """A message without the wrapper of an edit, which neonize takes off what it decrypts."""
    message = Message.FromString(content)
    return message.editedMessage.message if message.HasField("editedMessage") else message
