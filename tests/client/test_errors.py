"""Errors of the client are those of the contract."""

import wagate.client
from wagate.client import GatewayError, UnreachableError
from wagate.v1 import operation_pb2

from server.errors import Code


def kinds() -> dict[str, type[GatewayError]]:
    return {kind.code: kind for kind in GatewayError.__subclasses__()}


def test_there_is_a_kind_for_every_word_of_the_contract() -> None:
    contract = {name.removeprefix("CODE_").lower() for name, _ in operation_pb2.Code.items()} - {
        "unspecified"
    }
    assert contract == set(Code)
    assert set(kinds()) == contract | {UnreachableError.code}


def test_every_kind_can_be_imported() -> None:
    assert {kind.__name__ for kind in kinds().values()} < set(wagate.client.__all__)
