"""Serves one client from its first byte to its last: handshake, then pairing or a session."""

import logging
from collections.abc import Callable

from aiohttp import web

from sandbox.connection import Connection, ConnectionLostError, thawed
from sandbox.network import Network
from sandbox.pairing import Pairing
from sandbox.routing import Router
from sandbox.session import Session
from sandbox.stanza import Node, Value
from sandbox.wire_protos import ClientPayload

__all__ = ["serve"]

_log = logging.getLogger(__name__)

_LOGGED_OUT = 401
_TEMPORARILY_BANNED = 402


async def serve(
    network: Network, router: Router, socket: web.WebSocketResponse, abort: Callable[[], None]
) -> None:
    """Serves a client until it goes away. Whatever the client does wrong ends only its connection.

    Args:
        network: The network.
        router: Carries what the client sends to others.
        socket: The client's WebSocket, already accepted.
        abort: Closes its TCP connection at once.
    """
    connection = Connection(socket, abort, network.codec, network.stats)
    await thawed(lambda: network.faults.peek("freeze", None) is not None)
    network.stats.connections += 1
    network.connections.add(connection)
    try:
        noise, payload = await connection.accept(network.static, network.chain)
        if payload.HasField("devicePairingData"):
            await _pair(network, connection, noise, payload)
        else:
            await _log_in(network, router, connection, noise, payload)
    except ConnectionLostError:
        _log.debug("a client went away during the handshake")
    except ValueError as error:
        _log.warning("a client's connection was closed: %s", error)
        abort()
    except Exception:  # noqa: BLE001 - an error of ours must not take the other clients down
        _log.exception("serving a client failed; its connection was closed")
        abort()
    finally:
        network.connections.discard(connection)


async def _pair(network: Network, connection: Connection, noise: bytes, payload: ClientPayload) -> None:
    failure = network.faults.take("connect_failure", None)
    if failure is not None:
        _fail(connection, **failure.fields)
        await connection.run(lambda _: None)
        return
    pairing = Pairing(network, connection, noise, payload)
    pairing.start()
    try:
        await connection.run(pairing.handle)
    finally:
        pairing.end()


async def _log_in(
    network: Network, router: Router, connection: Connection, noise: bytes, payload: ClientPayload
) -> None:
    number = str(payload.username)
    connection.frozen = lambda: network.faults.peek("freeze", number) is not None
    await thawed(connection.frozen)
    if network.faults.take("refuse", number):
        connection.abort()
        return
    account = network.accounts.get(number)
    device = account.devices.get(payload.device) if account else None
    failure = network.faults.take("connect_failure", number)
    if failure is not None:
        _fail(connection, **failure.fields)
    elif device is None or device.noise != noise:
        _log.info("%s:%d is not linked (any more)", number, payload.device)
        _fail(connection, _LOGGED_OUT)
    else:
        session = Session(network, router, device, connection)
        session.start()
        try:
            await connection.run(session.handle)
        finally:
            session.end()
        return
    await connection.run(lambda _: None)


def _fail(connection: Connection, code: int, expire: int = 0, ban: int = 0) -> None:
    attrs: dict[str, Value] = {"reason": str(code), "location": "sandbox"}
    if code == _TEMPORARILY_BANNED:
        attrs |= {"code": str(ban), "expire": str(expire)}
    connection.send(Node("failure", attrs))
    connection.close()
