"""Cases that every operation has because of what it is, made from the document: nobody has to add them."""

from collections.abc import Iterator
from typing import Any

from wagate.v1 import operation_pb2

from tests.rest.conformance.case import By, Case, Request
from tests.rest.conformance.world import World
from tests.support.api_document import Operation
from tests.support.caller import METHODS, STREAMS

NO_SESSION = "01ZZZZZZZZZZZZZZZZZZZZZZZZ"
ANY = {"cid": "628120000001@s.whatsapp.net", "mid": "3EB0C0FFEE"}
"""Values of path variables where the call does not get as far as them."""


def cases(operation: Operation) -> Iterator[Case]:
    """The general cases of an operation."""
    name, statuses = operation.name, operation.statuses
    yield Case(name, 401, "no-token", lambda w: _plain(w, operation, token=None))
    yield Case(name, 401, "wrong-token", lambda w: _plain(w, operation, token="wa_wrong"))
    yield Case(name, 403, "missing-capability", lambda w: _plain(w, operation, token=_lacking(w, operation)))
    yield Case(name, 400, "unknown-parameter", lambda w: _plain(w, operation, colour="red"), _named, By.REST)
    if "session" in operation.variables:
        yield Case(name, 404, "no-session", lambda w: _plain(w, operation, session=NO_SESSION))
        yield Case(name, 404, "others-session", lambda w: _plain(w, operation, token=w.stranger))
    if operation.takes_body:
        invalid = 422 if 422 in statuses else 400
        unknown, broken, huge = {"colour": "red"}, b"{", b" " * (2 * 1024 * 1024 + 1)
        yield Case(name, invalid, "unknown-field", lambda w: _plain(w, operation, unknown), _named, By.REST)
        yield Case(name, invalid, "broken-json", lambda w: _plain(w, operation, broken), by=By.REST)
        yield Case(name, 413, "too-large", lambda w: _plain(w, operation, huge), by=By.REST)
    yield Case(name, 503, "node-away", lambda _: _nowhere(operation), by=By.EDGE)
    if 504 in statuses:
        yield Case(name, 504, "node-silent", lambda _: _nowhere(operation), by=By.EDGE)


def _plain(
    world: World, operation: Operation, body: object = None, *, token: str | None = "", **fields: str
) -> Request:
    """A request that gets as far as the session, and no further."""
    path: dict[str, str | int | bool | list[str]] = {name: ANY.get(name, "x") for name in operation.variables}
    if "session" in path:
        path["session"] = world.idle
    return Request({**path, **fields}, body, token)


def _nowhere(operation: Operation) -> Request:
    return Request({name: ANY.get(name, NO_SESSION) for name in operation.variables})


def _lacking(world: World, operation: Operation) -> str:
    """A key without the capability that the operation needs."""
    method = METHODS.get(operation.rpc) or STREAMS[operation.rpc]
    needed = method.GetOptions().Extensions[operation_pb2.operation].capability
    return world.only_manage if needed == operation_pb2.CAPABILITY_READ else world.only_read


def _named(_world: World, answer: Any) -> None:
    assert set(answer["error"]["details"]) == {"colour"}
