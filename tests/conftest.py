"""Loads neonize once, before any test; and gives the tests of the whole product both databases.

On its first import neonize asks a shell for the system's name and forgets the shell: Python keeps it until
the next process is started, and the test that starts it would be blamed for a pipe that was left open.
"""

import itertools
import os
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator

import pytest

from tests.support.databases import NewDatabase, postgres

_FIGURES = "figures"
"""Under which name a test's report carries what it counted."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background, this process ignores Ctrl+C, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)
    import server.whatsapp.stored  # noqa: F401 - imported for what it loads

    while subprocess._active:  # type: ignore[attr-defined] # noqa: SLF001 - where Python keeps them
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        subprocess._cleanup()  # type: ignore[attr-defined] # noqa: SLF001 - what it does before a next one


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def product_engine(request: pytest.FixtureRequest) -> str:
    """Which database the product runs on; see `pytest_collection_modifyitems`."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def new_database(product_engine: str) -> Iterator[NewDatabase]:
    """Makes the settings of a product that runs on that engine, with an empty database each time."""
    if product_engine == "sqlite":
        yield dict
        return
    numbers = itertools.count()
    with postgres() as server:
        yield lambda: {"WAGATE_DATABASE_URL": server.create(f"product_{next(numbers)}")}


@pytest.fixture
def show_figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Has a line printed at the end of the run, whichever process the test ran in."""
    return lambda line: record_property(_FIGURES, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests have counted."""
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, line in report.user_properties:
            if name == _FIGURES:
                terminalreporter.write_line(f"{report.nodeid}: {line}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves the whole product on PostgreSQL to the slow run, but for the tests that are marked."""
    for item in items:
        parameters = (
            item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        if parameters.get("product_engine") == "postgresql" and not item.get_closest_marker("both_engines"):
            item.add_marker("slow")
