"""The composition root: the only place that knows every part of the node."""

import asyncio
import gc
import logging
import signal

from server.auth.access import access_of
from server.config import Settings
from server.cursors import Cursors
from server.events.realtime import Realtime
from server.gateway import Gateway
from server.pages.answering import Pages
from server.rpc.serving import Serving
from server.rpc.websocket.seats import Seats
from server.rpc.websocket.serving import WebSocketServing
from server.rpc.wuts.handler import WutsHandler
from server.rpc.wuts.servicer import MessagesServicer as WutsServicer
from server.store import schema
from server.store.database import open_database
from server.store.exclusive import exclusively
from server.store.secrets import shared_secret
from server.whatsapp.client import NeonizeClients
from server.whatsapp.pairing import ChildPairing
from server.whatsapp.wire import wire_of

log = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Runs a node until SIGINT or SIGTERM.

    Raises:
        WagateError: the settings are wrong, the database is of a later release or served by another node,
            or the port is taken.
    """
    with exclusively(settings.database):
        await _serve(settings)


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    wire = wire_of(settings)
    database = open_database(settings.database)
    try:
        await schema.upgrade(database)
        cursors = Cursors(await shared_secret(database, "cursors"))
        clients = NeonizeClients(wire, settings.device_name)
        gateway = Gateway(settings, database, clients, ChildPairing(settings.pairings), cursors=cursors)
        access = access_of(settings, database)
        address = f"{settings.grpc_host}:{settings.grpc_port}"
        serving = Serving(
            gateway.servicers(access.tickets),
            access.authenticator,
            gateway.sessions,
            address,
            audit=access.audit,
            tickets=access.tickets,
            wuts=WutsHandler(WutsServicer(gateway.deleting), access.wuts, access.audit),
        )
        pages = await Pages.loaded()
        sockets = WebSocketServing(
            Realtime(gateway.events, access.tickets),
            settings.grpc_host,
            settings.realtime_port,
            seats=Seats(settings.realtime_sockets, settings.realtime_sockets_each),
            elsewhere=pages.answer,
        )
        # gRPC comes last: its health service says that the node serves.
        realtime_port = await sockets.start()
        try:
            port = await serving.start()
        except BaseException:
            await sockets.stop()
            raise
        log.info(
            "node %s serves gRPC on %s:%d, WebSockets and pages on port %d",
            settings.node_id,
            settings.grpc_host,
            port,
            realtime_port,
        )
        # What exists by now stays: the garbage collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        try:
            access.open()
            await gateway.open()
            await stop.wait()
            log.info("stopping")
        finally:
            await asyncio.gather(serving.stop(), sockets.stop())
            await gateway.close()
            await access.close()
            clients.close()
    finally:
        await database.close()
