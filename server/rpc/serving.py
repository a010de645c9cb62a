"""The gRPC server: our services, the standard health service, reflection."""

from collections.abc import Mapping
from typing import Final

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from wagate.v1 import (
    chats_pb2,
    events_pb2,
    groups_pb2,
    messages_pb2,
    realtime_pb2,
    sessions_pb2,
    webhooks_pb2,
)

from server.auth.audit import AuditLog
from server.auth.authenticator import Authenticator
from server.auth.tickets import Tickets
from server.errors import Code, WagateError
from server.rpc.endpoint import endpoint
from server.rpc.entry import Entrance
from server.rpc.pipeline import Pipeline
from server.rpc.streaming import AUTHENTICATE_SECONDS, Streams
from server.rpc.wuts.handler import SERVICE as WUTS
from server.rpc.wuts.handler import WutsHandler
from server.sessions.service import Sessions

SERVICES: Final = (
    sessions_pb2.DESCRIPTOR.services_by_name["Sessions"],
    messages_pb2.DESCRIPTOR.services_by_name["Messages"],
    chats_pb2.DESCRIPTOR.services_by_name["Chats"],
    groups_pb2.DESCRIPTOR.services_by_name["Groups"],
    events_pb2.DESCRIPTOR.services_by_name["Events"],
    realtime_pb2.DESCRIPTOR.services_by_name["Realtime"],
    webhooks_pb2.DESCRIPTOR.services_by_name["Webhooks"],
)
"""The contract's services."""

_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # two nodes on one port would split their sessions' calls at random
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    # Above what the edge lets through (docs/operations.md): by itself gRPC refuses from 8 KiB on, now and
    # then, as RESOURCE_EXHAUSTED, which REST callers would take for a rate limit.
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.absolute_max_metadata_size", 64 * 1024),
)
STOP_SECONDS: Final = 10.0
"""How long calls under way may take to end when the node stops."""


class Serving:
    """The running server."""

    def __init__(
        self,
        servicers: Mapping[str, object],
        authenticator: Authenticator,
        sessions: Sessions,
        address: str,
        *,
        audit: AuditLog,
        tickets: Tickets,
        wuts: WutsHandler | None = None,
        authenticate_every: float = AUTHENTICATE_SECONDS,
    ) -> None:
        """Prepares the server.

        Args:
            servicers: what serves each service of SERVICES, by the service's name.
            authenticator: finds out who calls.
            sessions: finds the session that a request names.
            address: `host:port`; port 0 takes a free one.
            audit: keeps who changed what.
            tickets: stand for a token where a stream is opened.
            wuts: serves the WUTS API; None leaves it out.
            authenticate_every: seconds between looks at the token of an open stream.
        """
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined] # missing in the stubs
        self._server = grpc.aio.server(options=_OPTIONS)
        endpoints = [
            endpoint(method, getattr(servicers[service.name], method.name))
            for service in SERVICES
            for method in service.methods
        ]
        self._streams = Streams(every=authenticate_every)
        entrance = Entrance(authenticator, tickets)
        pipeline = Pipeline(
            endpoints, authenticator, sessions, audit, streams=self._streams, entrance=entrance
        )
        self._server.add_generic_rpc_handlers((pipeline,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = [_name(service) for service in SERVICES]
        if wuts is not None:
            self._server.add_generic_rpc_handlers((wuts,))
            names.append(_name(WUTS))
        reflection.enable_server_reflection(
            [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server
        )
        self._names = ["", *names]
        self._address = address

    async def start(self) -> int:
        """Serves, and says so to the health service.

        Returns:
            The port.

        Raises:
            WagateError: UNAVAILABLE where the port cannot be had.
        """
        try:
            port = self._server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise WagateError(
                Code.UNAVAILABLE,
                f"cannot listen on {self._address}: another process has that port. "
                "End it, or set WAGATE_GRPC_PORT.",
            ) from error
        await self._server.start()
        for name in self._names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self) -> None:
        """Takes no new calls, ends the streams, and lets the calls under way end."""
        await self._health.enter_graceful_shutdown()
        self._streams.close()
        await self._server.stop(STOP_SECONDS)


def _name(service: ServiceDescriptor) -> str:
    return service.full_name
