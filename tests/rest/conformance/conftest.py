"""The world of the table's cases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx
import psutil
import pytest

from tests.edge.gateway import Gateway
from tests.rest.conformance.answers import ask
from tests.rest.conformance.case import By
from tests.rest.conformance.table import run_by
from tests.rest.conformance.world import World
from tests.support.databases import NewDatabase
from tests.support.stack import Stack, running

RATE = 150
"""Messages per minute: more than any session needs but the one that uses its rate up."""
SEND_SECONDS = "2"
"""How long a send waits for WhatsApp here: cases in which it never answers need not take 20 s."""

WEBHOOKS = 25
"""Webhooks that an organization may have: more than the cases make."""


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("conformance")
    settings = {
        "WAGATE_SEND_TIMEOUT": SEND_SECONDS,
        "WAGATE_RATE_PER_MIN": str(RATE),
        "WAGATE_WEBHOOK_COUNT": str(WEBHOOKS),
        **new_database(),
    }
    with running(folder / "data", **settings) as stack:
        yield stack


@pytest.fixture(scope="package")
def node(product: Stack) -> psutil.Process:
    return product.node


@pytest.fixture(scope="package")
def whole_world(product: Stack) -> World:
    return World(product, RATE, WEBHOOKS)


@pytest.fixture
def world(whole_world: World, node: psutil.Process) -> Iterator[World]:
    """The world, in which a case may switch faults on, and in which no node dies."""
    yield whole_world
    whole_world.stack.clear_faults()
    assert node.is_running()


@pytest.fixture(scope="package")
def client(product: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=product.ready["http"], timeout=60) as opened:
        yield opened


@pytest.fixture(scope="package")
def channel(product: Stack) -> Iterator[grpc.Channel]:
    """Native gRPC through Envoy."""
    with grpc.insecure_channel(product.ready["grpc"]) as opened:
        yield opened


@pytest.fixture(scope="package")
def edge_answers(whole_world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, httpx.Response]:
    """What the edge says while its node is away (503) or silent (504), by the case's id.

    All at once, because each waits: for a node that may come back, and for an answer.
    """
    cases = run_by(By.EDGE)
    away, silent = tmp_path_factory.mktemp("away"), tmp_path_factory.mktemp("silent")
    with Gateway(away, stream_retries=2) as without_node, Gateway(silent, rest_timeout="0.3s") as waiting:
        without_node.kill_node()
        slow = {"x-test-delay": "30"}
        with (
            httpx.Client(base_url=without_node.url, timeout=60) as no_node,
            httpx.Client(base_url=waiting.url, timeout=60, headers=slow) as no_answer,
            ThreadPoolExecutor(len(cases)) as pool,
        ):
            clients = {503: no_node, 504: no_answer}
            asked = {
                case.id: pool.submit(ask, clients[case.status], case, case.given(whole_world))
                for case in cases
            }
            return {name: future.result() for name, future in asked.items()}
