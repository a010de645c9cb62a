"""Puts the network together, serves it, and takes it down again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from sandbox import tokens
from sandbox.accounts import Accounts
from sandbox.app_state import AppStates
from sandbox.binary_xml import MAX_STANZA, Codec
from sandbox.calls import Calls
from sandbox.certificates import TlsAuthority, noise_chain
from sandbox.clients import serve
from sandbox.connection import thawed
from sandbox.contacts import Contacts
from sandbox.control import Control
from sandbox.control_calls import CallControl
from sandbox.control_contacts import ContactControl
from sandbox.control_groups import GroupControl
from sandbox.control_history import HistoryControl
from sandbox.control_overview import OverviewControl
from sandbox.control_phones import PhoneControl
from sandbox.control_presence import PresenceControl
from sandbox.control_view import ViewControl
from sandbox.curve import KeyPair
from sandbox.front import Front
from sandbox.groups import Groups
from sandbox.histories import Histories
from sandbox.network import Network
from sandbox.routing import Router
from sandbox.settings import Settings
from sandbox.state import State

__all__ = ["run"]

_log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_GOODBYE_SECONDS = 1.0


async def run(settings: Settings) -> None:
    """Serves the network until it is cancelled.

    Args:
        settings: Port and folder.

    Raises:
        OSError: The port is taken, or the folder cannot be used.
        StateError: The state cannot be opened.
        RuntimeError: The state could not be stored while serving.
    """
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    broken = asyncio.Event()
    state = State(folder / "network.db", broken.set)
    try:
        authority, root = _identity(state)
        ca_file = folder / "ca.pem"
        authority.publish(ca_file)
        static = KeyPair.generate()
        accounts = Accounts(state)
        network = Network(
            folder=folder,
            state=state,
            accounts=accounts,
            groups=Groups(state, accounts),
            app_states=AppStates(state),
            histories=Histories(state),
            codec=Codec(await tokens.load(folder)),
            root=root,
            static=static,
            chain=noise_chain(root, static),
        )
        async with _listening(network, authority, ca_file, settings.port) as port:
            _log.info("the sandbox network is ready; its page is at http://%s:%d/view/", _HOST, port)
            await broken.wait()
            raise RuntimeError("the network's state could not be stored")
    finally:
        await state.close()


def _identity(state: State) -> tuple[TlsAuthority, KeyPair]:
    kept: dict[str, bytes] = dict(state.load("SELECT name, value FROM meta"))
    if "root" in kept:
        exported = kept["ca_certificate"], kept["ca_key"]
        return TlsAuthority(exported), KeyPair.from_private(kept["root"])
    authority, root = TlsAuthority(), KeyPair.generate()
    certificate, key = authority.export()
    for name, value in (("root", root.private), ("ca_certificate", certificate), ("ca_key", key)):
        state.write("INSERT INTO meta VALUES (?, ?)", (name, value))
    return authority, root


@asynccontextmanager
async def _listening(
    network: Network, authority: TlsAuthority, ca_file: Path, port: int
) -> AsyncIterator[int]:
    router = Router(network)

    def frozen(*stages: str) -> bool:
        fault = network.faults.peek("freeze", None)
        return fault is not None and fault.fields["stage"] in stages

    async def chat(request: web.Request) -> web.StreamResponse:
        await thawed(lambda: frozen("tunnel", "upgrade"))
        socket = web.WebSocketResponse(max_msg_size=MAX_STANZA, compress=False, timeout=_GOODBYE_SECONDS)
        await socket.prepare(request)
        transport = request.transport
        if transport is not None:
            await serve(network, router, socket, transport.abort)
        return socket

    whatsapp = web.Application()
    whatsapp.add_routes([web.get("/ws/chat", chat)])
    contacts = Contacts(network, ca_file)
    runners = [
        web.AppRunner(application, access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
        for application in (_control(network, contacts, ca_file), whatsapp)
    ]
    for runner in runners:
        await runner.setup()
    control_server, whatsapp_server = (runner.server for runner in runners)
    if control_server is None or whatsapp_server is None:
        raise RuntimeError("a runner that is set up has a server")
    tls = authority.server_context()

    def refused() -> bool:
        return network.faults.take("refuse", None) is not None

    server = await asyncio.get_running_loop().create_server(
        lambda: Front(control_server, whatsapp_server, tls, refused, lambda: frozen("tunnel")),
        _HOST,
        port,
        backlog=1024,
    )
    bound: int = server.sockets[0].getsockname()[1]
    people = asyncio.create_task(contacts.run(f"http://{_HOST}:{bound}"), name="people")
    people.add_done_callback(_report)
    try:
        yield bound
    finally:
        server.close()
        contacts.journal.close()
        for connection in network.connections:
            connection.abort()
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)
        for runner in runners:
            await runner.cleanup()


def _control(network: Network, contacts: Contacts, ca_file: Path) -> web.Application:
    control, calls = Control(network, ca_file), Calls(network)
    return control.application(
        *PhoneControl(network).routes(),
        *HistoryControl(network).routes(),
        *ContactControl(contacts).routes(),
        *GroupControl(network, contacts).routes(),
        *PresenceControl(contacts).routes(),
        *CallControl(network, contacts, calls).routes(),
        *OverviewControl(network, contacts, calls, control).routes(),
        *ViewControl().routes(),
    )


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("the virtual persons are gone until a restart", exc_info=task.exception())
