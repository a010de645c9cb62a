"""The world of the neonize implementation: the sandbox network, over the real wire.

Importing this module loads neonize. The process must have been started with SSL_CERT_FILE and the
WAGATE_WIRE_ variables, and everything here must live in its first event loop, which neonize keeps.
"""

import os
from typing import Any, Final

import httpx

from server.config import Settings
from server.whatsapp.client import NeonizeClients
from server.whatsapp.jid import Jid
from server.whatsapp.pairing import ChildPairing
from server.whatsapp.wire import wire_of
from tests.contract.port.world import PAIRINGS

SANDBOX: Final = "WAGATE_CONTRACT_SANDBOX"
"""The environment variable that names the sandbox's control API."""


class WireWorld:
    """See `tests.contract.port.world.World`."""

    def __init__(self) -> None:
        settings = Settings()
        self.clients = NeonizeClients(wire_of(settings), settings.device_name)
        self.pairing = ChildPairing(PAIRINGS)
        self._http = httpx.AsyncClient(base_url=os.environ[SANDBOX], timeout=60)

    async def close(self) -> None:
        self.clients.close()
        await self._http.aclose()

    async def _ask(self, method: str, path: str, json: object = None) -> Any:
        answer = await self._http.request(method, path, json=json)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def scan(self, code: str, number: str) -> None:
        await self._ask("POST", f"/phones/{number}/scan", {"qr": code})

    async def person(self, number: str) -> Jid:
        await self._ask("PUT", f"/contacts/{number}", {"name": "Ada", "kind": "person"})
        return Jid(number, "s.whatsapp.net")

    async def write(self, person: str, to: str, text: str) -> str:
        written = await self._ask("POST", f"/contacts/{person}/messages", {"to": to, "text": text})
        return str(written["id"])

    async def heard(self, person: str) -> list[tuple[str, str]]:
        messages = await self._ask("GET", f"/contacts/{person}/messages")
        return [(message["id"], message["text"]) for message in messages]

    async def refuse_next_send(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "ack_error", "number": number, "code": 463, "count": 1})

    async def silence(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "silence", "number": number})

    async def refuse_connections(self) -> None:
        await self._ask("POST", "/faults", {"kind": "refuse"})

    async def heal(self) -> None:
        await self._ask("DELETE", "/faults")

    async def cut(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "cut", "number": number})

    async def unlink(self, number: str) -> None:
        phone = await self._ask("GET", f"/phones/{number}")
        for device in phone["devices"]:
            await self._ask("DELETE", f"/phones/{number}/devices/{device['device']}")
