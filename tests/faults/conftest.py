"""A product of its own for each module of this folder: these tests break things."""

from collections.abc import Iterator

import pytest

from tests.support.databases import NewDatabase
from tests.support.stack import Stack, running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Stack]:
    settings = {"WAGATE_SEND_TIMEOUT": "3", "WAGATE_WEBHOOK_ALLOW_PRIVATE": "1"}
    # Who kills again and again does not wait for the restarts.
    settings |= {"WAGATE_RESTART_SECONDS": "1", **new_database()}
    with running(tmp_path_factory.mktemp("faults") / "data", **settings) as product:
        yield product
