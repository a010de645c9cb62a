"""Faults to plant for `wagate doctor`, each on the real thing."""

import os
import shutil
import socket
import socketserver
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from email.utils import formatdate
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import trustme

from server.supervisor.edge import Address, write_config
from tests.cli.shell import Shell
from tests.support.stack import Stack, free_port

Plant = Callable[["Garden"], AbstractContextManager[Shell]]


class Garden:
    """Where faults are planted.

    Attributes:
        stack: a product that runs, to be put right again.
        beside: a shell with its settings.
        at_rest: a shell with a data directory of its own in which nothing runs.
        folder: an empty one.
    """

    def __init__(self, stack: Stack, folder: Path) -> None:
        """Plants nothing yet."""
        wire = stack.sandbox.get("/wire").json()
        self.stack = stack
        self.folder = folder
        self.beside = Shell(stack.environment)
        self.at_rest = self.beside.but(
            WAGATE_DATA_DIR=str(folder / "data"),
            WAGATE_HTTP_PORT=str(free_port()),
            WAGATE_GRPC_PORT=str(free_port()),
            WAGATE_REALTIME_PORT=str(free_port()),
            WAGATE_SANDBOX_PORT=str(free_port()),
            WAGATE_WIRE_PROXY=wire["proxy"],
            WAGATE_WIRE_ROOT_KEY=wire["rootKey"],
            SSL_CERT_FILE=wire["caFile"],
        )

    @property
    def database(self) -> Path:
        """The database of the shell at rest, made where there was none."""
        self.at_rest.well("keys", "list")
        return self.folder / "data" / "wagate.db"


@contextmanager
def port_taken_by_a_stranger(garden: Garden) -> Iterator[Shell]:
    with closing(socket.create_server(("127.0.0.1", 0))) as stranger:
        yield garden.at_rest.but(WAGATE_GRPC_PORT=str(stranger.getsockname()[1]))


@contextmanager
def port_taken_by_another_wagate(garden: Garden) -> Iterator[Shell]:
    yield garden.at_rest.but(WAGATE_REALTIME_PORT=garden.stack.environment["WAGATE_REALTIME_PORT"])


@contextmanager
def one_port_twice(garden: Garden) -> Iterator[Shell]:
    yield garden.at_rest.but(WAGATE_GRPC_PORT=garden.at_rest.environment["WAGATE_HTTP_PORT"])


@contextmanager
def database_unreachable(garden: Garden) -> Iterator[Shell]:
    url = f"postgresql+asyncpg://wagate:s3cret@127.0.0.1:{free_port()}/wagate"
    yield garden.at_rest.but(WAGATE_DATABASE_URL=url)


@contextmanager
def database_of_a_later_release(garden: Garden) -> Iterator[Shell]:
    with closing(sqlite3.connect(garden.database)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    yield garden.at_rest


@contextmanager
def database_damaged(garden: Garden) -> Iterator[Shell]:
    garden.database.write_bytes(b"not a database, or not any more " * 100)
    yield garden.at_rest


@contextmanager
def data_folder_unwritable(garden: Garden) -> Iterator[Shell]:
    if os.geteuid() == 0:  # whom no mode keeps from writing
        yield garden.at_rest.but(WAGATE_DATA_DIR="/proc/wagate")
        return
    folder = garden.folder / "read-only"
    folder.mkdir(mode=0o500)
    yield garden.at_rest.but(WAGATE_DATA_DIR=str(folder / "data"))


@contextmanager
def data_folder_is_a_file(garden: Garden) -> Iterator[Shell]:
    (garden.folder / "file").touch()
    yield garden.at_rest.but(WAGATE_DATA_DIR=str(garden.folder / "file"))


@contextmanager
def envoy_missing(garden: Garden) -> Iterator[Shell]:
    """Its package without the program, as a broken installation leaves it."""
    package = _package("envoy")
    shutil.copytree(package, garden.folder / "site" / "envoy", ignore=shutil.ignore_patterns("_bin"))
    yield garden.at_rest.but(PYTHONPATH=str(garden.folder / "site"))


@contextmanager
def envoy_configuration_damaged(garden: Garden) -> Iterator[Shell]:
    anywhere = Address("127.0.0.1", 1)
    run = garden.folder / "data" / "run"
    config = write_config(run, listener=anywhere, node=anywhere, realtime=anywhere)
    config.write_text(config.read_text().replace("route_config:", "route_confusion:"))
    yield garden.at_rest


@contextmanager
def libmagic_missing(garden: Garden) -> Iterator[Shell]:
    """The system's is damaged, and the package that brings another one is not whole."""
    libraries = garden.folder / "lib"
    libraries.mkdir()
    (libraries / "libmagic.so.1").write_bytes(b"")
    shutil.copytree(
        _package("pylibmagic"),
        garden.folder / "site" / "pylibmagic",
        ignore=shutil.ignore_patterns("*.so*", "*.mgc"),
    )
    yield garden.at_rest.but(LD_LIBRARY_PATH=str(libraries), PYTHONPATH=str(garden.folder / "site"))


@contextmanager
def client_library_of_another_version(garden: Garden) -> Iterator[Shell]:
    """As pip leaves it behind when it is told to install another one."""
    about = garden.folder / "site" / "neonize-9.9.9.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: neonize\nVersion: 9.9.9\n")
    yield garden.at_rest.but(PYTHONPATH=str(garden.folder / "site"))


@contextmanager
def clock_skewed(garden: Garden) -> Iterator[Shell]:
    """Not this machine's clock is wrong, but that of all others: nobody can tell the difference."""
    with _stand_in(garden.folder, time.time() - 3600) as shell_settings:
        yield garden.at_rest.but(**shell_settings)


@contextmanager
def whatsapp_unreachable(garden: Garden) -> Iterator[Shell]:
    yield garden.at_rest.but(WAGATE_WIRE_PROXY=f"http://127.0.0.1:{free_port()}")


@contextmanager
def whatsapp_silent(garden: Garden) -> Iterator[Shell]:
    """Connections are taken, and nothing is answered."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        yield garden.at_rest.but(WAGATE_WIRE_PROXY=f"http://127.0.0.1:{silent.getsockname()[1]}")


@contextmanager
def stand_in_half_set(garden: Garden) -> Iterator[Shell]:
    yield garden.at_rest.but(WAGATE_WIRE_ROOT_KEY=None)


@contextmanager
def setting_misspelt(garden: Garden) -> Iterator[Shell]:
    yield garden.at_rest.but(WAGATE_HTTP_PROT="8081")


@contextmanager
def setting_impossible(garden: Garden) -> Iterator[Shell]:
    yield garden.at_rest.but(WAGATE_HTTP_PORT="99999")


@contextmanager
def private_webhooks_for_everybody(garden: Garden) -> Iterator[Shell]:
    yield garden.at_rest.but(WAGATE_HTTP_HOST="0.0.0.0", WAGATE_WEBHOOK_ALLOW_PRIVATE="1")


@contextmanager
def key_readable_by_others(garden: Garden) -> Iterator[Shell]:
    key = garden.stack.data_dir / "up.key"
    key.chmod(0o644)
    try:
        yield garden.beside
    finally:
        key.chmod(0o600)


@contextmanager
def key_wrong(garden: Garden) -> Iterator[Shell]:
    yield garden.beside.but(WAGATE_API_KEY="wa_of_somebody_else")


@contextmanager
def session_logged_out(garden: Garden) -> Iterator[Shell]:
    number = "628310000077"
    session = garden.stack.paired(number)
    garden.stack.sandbox.delete(f"/phones/{number}/devices/1").raise_for_status()
    garden.stack.await_status(session, "logged_out")
    try:
        yield garden.beside
    finally:
        garden.stack.rest.delete(f"/sessions/{session}").raise_for_status()


@contextmanager
def node_frozen(garden: Garden) -> Iterator[Shell]:
    node = garden.stack.node
    node.suspend()
    try:
        yield garden.beside
    finally:
        node.resume()


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@contextmanager
def _stand_in(folder: Path, at: float) -> Iterator[dict[str, str]]:
    """Answers one request with a date, in WhatsApp's place; gives the settings that lead there."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("web.whatsapp.com").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    class Handler(socketserver.BaseRequestHandler):
        request: Any

        def handle(self) -> None:
            _head(self.request)
            self.request.sendall(b"HTTP/1.1 200 Connection Established\r\n\r\n")
            with context.wrap_socket(self.request, server_side=True) as inner:
                _head(inner)
                inner.sendall(f"HTTP/1.1 400 No\r\nDate: {formatdate(at, usegmt=True)}\r\n\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield {
                "WAGATE_WIRE_PROXY": f"http://127.0.0.1:{server.server_address[1]}",
                "WAGATE_WIRE_ROOT_KEY": "11" * 32,
                "SSL_CERT_FILE": str(folder / "ca.pem"),
            }
        finally:
            server.shutdown()
            thread.join()


def _head(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received and (chunk := connection.recv(4096)):
        received += chunk
