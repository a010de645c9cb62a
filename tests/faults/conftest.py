"""A product of its own for each module of this folder: these tests break things."""

from collections.abc import Iterator, Mapping

import pytest

from tests.support.stack import Stack, running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, product_database: Mapping[str, str]) -> Iterator[Stack]:
    settings = {"WAGATE_SEND_TIMEOUT": "3", **product_database}
    with running(tmp_path_factory.mktemp("faults") / "data", **settings) as product:
        yield product
