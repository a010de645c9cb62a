"""Runs the table: by REST through Envoy, natively through Envoy, and against the edge alone."""

import grpc
import httpx
import pytest

from tests.rest.conformance.answers import ask, natively, read
from tests.rest.conformance.case import By, Case
from tests.rest.conformance.table import OPERATIONS, TABLE, run_by
from tests.rest.conformance.world import World


def test_the_table_has_every_documented_status_and_no_other() -> None:
    documented = {(o.name, status) for o in OPERATIONS.values() for status in o.statuses}
    tested = {(case.operation, case.status) for case in TABLE}
    assert documented - tested == set(), "documented, but there is no case for it"
    assert tested - documented == set(), "there is a case, but it is not documented"


def test_no_two_cases_have_the_same_name() -> None:
    assert len({case.id for case in TABLE}) == len(TABLE)


@pytest.mark.parametrize("case", run_by(By.BOTH, By.REST), ids=lambda case: case.id)
def test_rest(world: World, client: httpx.Client, case: Case) -> None:
    request = case.given(world)
    token = world.stack.ready["apiKey"] if request.token == "" else request.token or ""
    case.then(world, read(case, ask(client, case, request, token)))


@pytest.mark.parametrize("case", run_by(By.BOTH), ids=lambda case: case.id)
def test_native(world: World, channel: grpc.Channel, case: Case) -> None:
    request = case.given(world)
    token = world.stack.ready["apiKey"] if request.token == "" else request.token or ""
    case.then(world, natively(channel, case, request, token))


@pytest.mark.parametrize("case", run_by(By.EDGE), ids=lambda case: case.id)
def test_edge(edge_answers: dict[str, httpx.Response], case: Case) -> None:
    answer = edge_answers[case.id]
    error = read(case, answer)["error"]
    assert ("retry-after" in answer.headers) == (case.status == 503)
    # What a node that is late has done nobody knows; what no node has got was not done.
    assert error["details"] == ({"outcome": "indeterminate"} if case.status == 504 else {})
