"""The world of the implementation in memory."""

from server.whatsapp.jid import Jid
from server.whatsapp.memory import MemoryClients, MemoryNetwork, MemoryPairing
from server.whatsapp.refusals import Refusal
from tests.contract.port.world import PAIRINGS


class MemoryWorld:
    """See `tests.contract.port.world.World`."""

    def __init__(self) -> None:
        self._network = MemoryNetwork()
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

    async def refuse_next_send(self, number: str) -> None:
        self._network.refuse_next(number, Refusal.REACH_OUT_TIMELOCK)

    async def silence(self, number: str) -> None:
        for _ in range(20):
            self._network.hold_next(number)

    async def refuse_connections(self) -> None:
        self._network.up = False

    async def heal(self) -> None:
        self._network.up = True

    async def cut(self, number: str) -> None:
        self._network.drop(number)
        self._network.restore(number)

    async def unlink(self, number: str) -> None:
        self._network.unlink(number)
