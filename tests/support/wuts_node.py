"""A node that serves the WUTS API over a domain in memory: `python -m tests.support.wuts_node PORT`."""

import asyncio
import sys
from dataclasses import dataclass, field

import grpc

from server.clock import now_ms
from server.errors import Code, WagateError, not_found
from server.messages.deletion import Deleted, Deletion, TooLateError
from server.rpc.wuts.handler import WutsHandler
from server.rpc.wuts.servicer import MessagesServicer

TOKEN = "0f8fad5b-d9cb-469f-a165-70867728950e"
"""Of a session that is connected."""
AWAY_TOKEN = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
"""Of a session that is not."""
CHAT = "628120000001@s.whatsapp.net"
LIMIT_MINUTES = 60 * 60
OWN, OTHERS, OLD, REFUSED, SILENT, BROKEN = "OWN", "OTHERS", "OLD", "REFUSED", "SILENT", "BROKEN"
"""Ids of messages that are there, and what becomes of their deletion."""


@dataclass(frozen=True)
class Caller:
    """Whom a token stands for."""

    session_id: str
    organization_id: str = "org"
    user: str = "ada"


class Tokens:
    """Knows two callers."""

    async def authenticate(self, token: str) -> Caller:
        """Returns who it is."""
        callers = {TOKEN: Caller("connected"), AWAY_TOKEN: Caller("away")}
        if token not in callers:
            raise WagateError(Code.UNAUTHORIZED, "the token is unknown or revoked")
        return callers[token]


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


async def main(port: int) -> None:
    """Serves until it is ended."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((WutsHandler(MessagesServicer(Messages()), Tokens()),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
