"""Limits of the process."""

import os
import resource
import sys
from typing import Final

GO_PROCESSORS: Final = 16
"""Goroutines that may run at the same time, at least; see `give_go_processors`."""


def raise_open_files() -> None:
    """Lets the process open as many files as the system allows it to.

    A session needs about six, and the client library leaves a few behind with each connect that
    replaces another (docs/decisions/0003).
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def give_go_processors() -> None:
    """Starts this command again with GOMAXPROCS, unless it is set.

    The library's goroutines hold one of Go's processors while they are in SQLite. With one processor
    per core, as Go has by itself, a few sessions keep all of them, and nobody reads the network until
    Go's monitor looks, up to 10 ms later (docs/decisions/0008). Go reads the variable from what its
    process was started with, so that setting it later does nothing.
    """
    if "GOMAXPROCS" not in os.environ:
        os.environ["GOMAXPROCS"] = str(max(GO_PROCESSORS, 4 * (os.cpu_count() or 1)))
        command = [sys.executable, "-m", "server.cli", *sys.argv[1:]]
        os.execv(sys.executable, command)  # noqa: S606 - this very command, with its own arguments
