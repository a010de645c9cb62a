"""The world of the neonize implementation: the sandbox network, over the real wire.

Importing this module loads neonize. The process must have been started with SSL_CERT_FILE and the
WAGATE_WIRE_ variables, and everything here must live in its first event loop, which neonize keeps.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import HistorySync

from server.config import Settings
from server.whatsapp.client import NeonizeClient, NeonizeClients
from server.whatsapp.decoding import decode_jid
from server.whatsapp.jid import Jid, parse_jid
from server.whatsapp.pairing import ChildPairing
from server.whatsapp.port import Client, Sent
from server.whatsapp.wire import wire_of
from tests.contract.port.world import PAIRINGS, Invitation, Letter, chosen

SANDBOX: Final = "WAGATE_CONTRACT_SANDBOX"
"""The environment variable that names the sandbox's control API."""


class _Overheard(NeonizeClient):
    """A client that keeps what its device decrypted before anything is made of it."""

    def __init__(self, *args: Any) -> None:
        self.letters: list[Letter] = []
        super().__init__(*args)

    def _take(self, event: object) -> None:
        if isinstance(event, MessageEvent) and event.Info.Category != "peer":
            source = event.Info.MessageSource
            chat, sender = decode_jid(source.Chat), decode_jid(source.Sender)
            assert chat is not None
            assert sender is not None
            carried = {field.name for field, _ in event.Message.ListFields()}
            # The keys of a group come under the id of the message that follows them.
            if not source.IsFromMe and carried != {"senderKeyDistributionMessage"}:
                self.letters.append(Letter(event.Info.ID, chat, sender, event.Message))
        super()._take(event)


class _Clients(NeonizeClients):
    def open(self, session_id: str, device: Path) -> _Overheard:
        return _Overheard(self._gate, self._wire, session_id, device, self._device_name)


class WireWorld:
    """See `tests.contract.port.world.World`."""

    def __init__(self) -> None:
        settings = Settings()
        self.clients = _Clients(wire_of(settings), settings.device_name)
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
        await self._link(f"/phones/{number}/scan", {"qr": code})

    async def _link(self, path: str, code: dict[str, str]) -> None:
        answer = await self._http.post(path, json=code)
        # 409: the account demands a passkey, of which the client is told as well.
        assert answer.is_success or answer.status_code == 409, f"{path}: {answer.status_code} {answer.text}"

    async def person(self, number: str) -> Jid:
        await self._ask("PUT", f"/contacts/{number}", {"name": "Ada", "kind": "person"})
        return Jid(number, "s.whatsapp.net")

    async def write(self, person: str, to: str, text: str) -> str:
        written = await self._ask("POST", f"/contacts/{person}/messages", {"to": to, "text": text})
        return str(written["id"])

    async def heard(self, person: str) -> list[tuple[str, str]]:
        messages = await self._ask("GET", f"/contacts/{person}/messages")
        return [(message["id"], message["text"]) for message in messages]

    def letters(self, client: Client) -> Sequence[Letter]:
        assert isinstance(client, _Overheard)
        return list(client.letters)

    def choice(self, poll: Sent, author: Jid, vote: Letter) -> Sequence[bytes]:
        return chosen(poll, author, vote)

    async def group(self, *, by: str, by_lid: bool) -> Invitation:
        made = await self._ask(
            "POST", "/groups", {"by": by, "subject": "Team", "addressing": "lid" if by_lid else "pn"}
        )
        return Invitation(parse_jid(made["jid"]), made["inviteCode"])

    async def answer_joining_with_conflict(self, number: str) -> None:
        fault = {"kind": "group_refused", "number": number, "code": 409, "action": "join", "count": 1}
        await self._ask("POST", "/faults", fault)

    async def rename(self, group: Jid, subject: str) -> None:
        await self._ask("PATCH", f"/groups/{group}", {"subject": subject})

    async def ring(self, caller: str, callee: str) -> str:
        call = await self._ask("POST", f"/contacts/{caller}/calls", {"to": callee, "video": True})
        return str(call["id"])

    async def reset_invite(self, group: Jid) -> None:
        await self._ask("POST", f"/groups/{group}/invite", {})

    async def shown(self, person: str) -> list[tuple[Jid, str]]:
        seen = await self._ask("GET", f"/contacts/{person}/seen")
        return [(parse_jid(one["fromLid"]), one["state"]) for one in seen]

    async def read(self, person: str) -> list[tuple[Jid, str]]:
        receipts = await self._ask("GET", f"/contacts/{person}/receipts")
        return [
            (parse_jid(one["fromLid"]), message_id)
            for one in receipts
            if one["type"] == "read"
            for message_id in one["ids"]
        ]

    async def tell_read(self, person: str, author: str, ids: Sequence[str]) -> None:
        await self._ask("POST", f"/contacts/{person}/read", {"ids": list(ids), "chat": author})

    async def give_history(self, number: str, history: HistorySync) -> None:
        answer = await self._http.post(
            f"/phones/{number}/history",
            content=history.SerializeToString(),
            headers={"content-type": "application/octet-stream"},
        )
        assert answer.is_success, answer.text

    async def enter(self, code: str, number: str) -> None:
        await self._link(f"/phones/{number}/code", {"code": code})

    async def demand_passkey(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "passkey", "number": number})

    async def refuse_next_send(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "ack_error", "number": number, "code": 463, "count": 1})

    async def silence(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "silence", "number": number})

    async def refuse_connections(self) -> None:
        await self._ask("POST", "/faults", {"kind": "refuse"})

    async def damage_next(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "corrupt", "number": number, "count": 1})

    async def withhold_next(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "unavailable", "number": number, "count": 1})

    async def heal(self) -> None:
        await self._ask("DELETE", "/faults")

    async def cut(self, number: str) -> None:
        await self._ask("POST", "/faults", {"kind": "cut", "number": number})

    async def unlink(self, number: str) -> None:
        phone = await self._ask("GET", f"/phones/{number}")
        for device in phone["devices"]:
            await self._ask("DELETE", f"/phones/{number}/devices/{device['device']}")
