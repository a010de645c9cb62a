"""Keeps one process running: starts it, waits until it serves, starts it again when it ends."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from server.sessions.backoff import Backoff
from server.supervisor import launch
from server.supervisor.logs import Log
from server.supervisor.program import Program
from server.supervisor.progress import Progress

POLL_SECONDS = 0.05
"""How often a process that was started is asked whether it serves."""
START_SECONDS = 60.0
"""How long it may take to serve before it is killed and started again."""
SOUND_SECONDS = 5.0
"""After serving that long its next end is treated as the first."""
_BOUND_SECONDS = 30.0


class Keeper:
    """Runs a program for as long as it is wanted.

    The first restart comes at once, because most ends are accidents; those after it wait longer and
    longer, up to a cap, and never stop coming.
    """

    def __init__(self, program: Program, log: Log, progress: Progress, *, cap: float) -> None:
        """Starts nothing yet.

        Args:
            program: what to run.
            log: takes its output and errors.
            progress: is told of every start and end.
            cap: the longest wait before a restart, seconds.
        """
        self._program = program
        self._log = log
        self._progress = progress
        self._cap = cap
        self._serving = asyncio.Event()
        self._hurry = asyncio.Event()
        self._renew = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begins to keep the process running, as a task of `group`."""
        self._task = group.create_task(self._keep(), name=f"keeper of {self._program.name}")

    async def serving(self) -> None:
        """Waits until the process serves."""
        await self._serving.wait()

    def restart(self, reason: str) -> None:
        """Ends the process, if one runs, and starts it anew at once.

        Args:
            reason: for people: why.
        """
        self._progress.note(self._program.name, f"restarts: {reason}")
        self._renew.set()

    async def stop(self) -> None:
        """Ends the process and keeps it ended: SIGTERM, then after its grace SIGKILL."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._progress.note(self._program.name, "stopped")

    def hurry(self) -> None:
        """Spares the process no more time to end by itself, now or later."""
        self._hurry.set()

    async def _keep(self) -> None:
        backoff = Backoff(self._cap)
        accidents = 0
        while True:
            self._renew.clear()
            served, end = await self._run_once()
            if self._renew.is_set():
                continue
            if served >= SOUND_SECONDS:
                backoff.reset()
                accidents = 0
            accidents += 1
            wait = 0.0 if accidents == 1 else backoff.seconds()
            self._tell(end, wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._renew.wait(), wait)

    async def _run_once(self) -> tuple[float, str]:
        """Returns how many seconds the process served and how it ended."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        self._progress.starting(self._program.name)
        try:
            process = await self._spawned()
        except OSError as error:  # the machine is short of processes or memory, perhaps for a moment
            return 0.0, f"could not be started: {error}"
        try:
            ended = asyncio.create_task(process.wait())
            if not await self._serves(ended, begun + START_SECONDS):
                if ended.done():
                    return 0.0, _how(ended.result())
                return 0.0, f"did not serve within {START_SECONDS:.0f} s and was killed"
            self._progress.serves(self._program.name, self._program.address, clock() - begun)
            self._serving.set()
            begun = clock()
            await self._watch(ended)
        finally:
            self._serving.clear()
            await self._end(process)
        return clock() - begun, _how(await ended)

    async def _spawned(self) -> asyncio.subprocess.Process:
        environment = await self._program.environment()
        launcher = [sys.executable, "-I", "-S", str(Path(launch.__file__)), str(os.getpid())]
        output = self._log.open()
        try:
            spawning = asyncio.create_task(
                asyncio.create_subprocess_exec(
                    *launcher,
                    *self._program.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=dict(environment),
                    # A group of its own: Ctrl+C reaches the supervisor alone, which then ends the
                    # processes in order, and what a process has started can be found by its group.
                    start_new_session=True,
                )
            )
            try:
                return await asyncio.shield(spawning)
            except asyncio.CancelledError:
                await self._end(await spawning)
                raise
        finally:
            os.close(output)

    async def _serves(self, ended: asyncio.Task[int], deadline: float) -> bool:
        while not ended.done() and asyncio.get_running_loop().time() < deadline and not self._renew.is_set():
            if await self._program.serves() and not ended.done():
                return True
            await asyncio.wait({ended}, timeout=POLL_SECONDS)
        return False

    async def _watch(self, ended: asyncio.Task[int]) -> None:
        """Returns when the process has ended or has to."""
        renewal = asyncio.create_task(self._renew.wait())
        try:
            while not ended.done() and not renewal.done():
                await asyncio.wait(
                    {ended, renewal}, timeout=_BOUND_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                await asyncio.to_thread(self._log.bound)
        finally:
            renewal.cancel()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            ending = asyncio.create_task(process.wait())
            hurry = asyncio.create_task(self._hurry.wait())
            await asyncio.wait(
                {ending, hurry}, timeout=self._program.grace, return_when=asyncio.FIRST_COMPLETED
            )
            hurry.cancel()
        # Also what it had started itself and could not end, when it was killed.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    def _tell(self, end: str, wait: float) -> None:
        parts = [end, f"starts again in {wait:.1f} s" if wait else "starts again", f"log: {self._log.path}"]
        if said := self._log.last_line():
            parts.append(f"last words: {said}")
        self._progress.note(self._program.name, "; ".join(parts))


def _how(code: int) -> str:
    """An end for people: `ended with exit code 3`, `was killed by SIGKILL`."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
