"""One running product for all pages, and what the quickstart leaves in a terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.docs.reader import QUICKSTART, Reader
from tests.support.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product, whose webhooks may lead to loopback: that is where a page's receiver listens."""
    folder = tmp_path_factory.mktemp("documents")
    with running(folder / "data", WAGATE_WEBHOOK_ALLOW_PRIVATE="1") as product:
        yield product


def checkout(folder: Path, stack: Stack) -> Path:
    """Makes a folder look like one in which `make up` runs, as far as commands look at it."""
    (folder / "data").symlink_to(stack.data_dir)
    for kept in (".venv", "protos", "gateway-config", "tests", "examples"):
        if (ROOT / kept).exists():
            (folder / kept).symlink_to(ROOT / kept)
    return folder


@pytest.fixture(scope="session")
def beginning(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The variables that the quickstart exports, after its commands were run."""
    folder = checkout(tmp_path_factory.mktemp("quickstart"), stack)
    with Reader(stack, folder, {}) as person:
        person.does(blocks(QUICKSTART))
        return person.exported()


@pytest.fixture
def reader(stack: Stack, beginning: Mapping[str, str], tmp_path: Path) -> Iterator[Reader]:
    """Somebody who has been through the quickstart, and opens another page."""
    with Reader(stack, checkout(tmp_path, stack), beginning) as person:
        yield person
