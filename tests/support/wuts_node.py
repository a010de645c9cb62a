"""A node that serves the WUTS API over a domain in memory: `python -m tests.support.wuts_node PORT`."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import grpc

from server.auth.audit import AuditLog
from server.auth.user_tokens import WutsPrincipal
from server.clock import now_ms
from server.errors import Code, WagateError, not_found
from server.messages.deletion import Deleted, Deletion, TooLateError
from server.rpc.wuts.handler import WutsHandler
from server.rpc.wuts.servicer import MessagesServicer
from server.store.records import AuditLine

TOKEN = "0f8fad5b-d9cb-469f-a165-70867728950e"
"""Of a session that is connected."""
AWAY_TOKEN = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
"""Of a session that is not."""
CHAT = "628120000001@s.whatsapp.net"
LIMIT_MINUTES = 60 * 60
OWN, OTHERS, OLD, REFUSED, SILENT, BROKEN = "OWN", "OTHERS", "OLD", "REFUSED", "SILENT", "BROKEN"
"""Ids of messages that are there, and what becomes of their deletion."""


class Tokens:
    """Knows two callers."""

    async def authenticate(self, token: str) -> WutsPrincipal:
        """Returns who it is."""
        sessions = {TOKEN: "connected", AWAY_TOKEN: "away"}
        if token not in sessions:
            raise WagateError(Code.UNAUTHORIZED, "the token is unknown or revoked")
        return WutsPrincipal("org", "ada", sessions[token])


@dataclass
class Messages:
    """Deletes what is there."""

    minutes: dict[str, int] = field(
        default_factory=lambda: {OWN: 5, OTHERS: 5, OLD: LIMIT_MINUTES + 1, REFUSED: 1, SILENT: 1, BROKEN: 1}
    )

    async def delete(self, deletion: Deletion) -> Deleted:
        """See `RevokeForWuts`."""
        if deletion.message_id not in self.minutes or deletion.chat_jid != CHAT:
            raise not_found("message")
        if deletion.message_id == OTHERS and deletion.own_only:
            raise WagateError(Code.FORBIDDEN, "this session did not send that message")
        minutes = self.minutes[deletion.message_id]
        if deletion.for_everyone:
            self._revoke(deletion, minutes)
        now = now_ms()
        return Deleted(now - minutes * 60_000, now, within_time_limit=minutes <= LIMIT_MINUTES)

    def _revoke(self, deletion: Deletion, minutes: int) -> None:
        if minutes > LIMIT_MINUTES:
            raise TooLateError
        if deletion.session_id == "away":
            raise WagateError(Code.CONFLICT, "the session is not connected", {"status": "stopped"})
        match deletion.message_id:
            case "REFUSED":
                raise WagateError(Code.WHATSAPP_ERROR, "WhatsApp refused", {"reason": "not_allowed"})
            case "SILENT":
                raise WagateError(Code.TIMEOUT, "WhatsApp did not answer in time")
            case "BROKEN":
                raise ZeroDivisionError("a secret of the inside")


class Lines:
    """Keeps what is audited."""

    def __init__(self) -> None:
        self.lines: list[AuditLine] = []

    async def append(self, lines: Sequence[AuditLine]) -> None:
        """See `AuditStore`."""
        self.lines += lines

    async def delete_before(self, _at: int, _limit: int) -> int:
        """See `AuditStore`."""
        return 0


async def main(port: int) -> None:
    """Serves until it is ended."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(
        (WutsHandler(MessagesServicer(Messages()), Tokens(), AuditLog(Lines(), 1)),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
