"""The API's errors: which of them an operation answers, and how each looks."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.protobuf.descriptor import MethodDescriptor
from wagate.v1 import operation_pb2

from server.errors import Code
from server.rpc.json_codec import enum_words
from server.rpc.status import HTTP
from tools.openapi.contract import Contract
from tools.openapi.examples import Examples, Named

_EVERYWHERE: Final = (
    Code.VALIDATION_ERROR,
    Code.UNAUTHORIZED,
    Code.FORBIDDEN,
    Code.UNAVAILABLE,
    Code.TIMEOUT,
)
"""Errors that no operation can rule out: a bad query, a bad token, a gateway that is down or late."""
_HEADERS: Final[Mapping[Code, Mapping[str, Any]]] = {
    Code.UNAUTHORIZED: {
        "WWW-Authenticate": {
            "description": "How to authenticate: Bearer.",
            "schema": {"type": "string"},
        }
    },
    **{
        code: {
            "Retry-After": {
                "description": "Seconds after which asking again makes sense, where that is known.",
                "schema": {"type": "integer", "minimum": 0},
            }
        }
        for code in (Code.CONFLICT, Code.RATE_LIMITED, Code.UNAVAILABLE, Code.TIMEOUT)
    },
}


def of_operation(method: MethodDescriptor, *, has_body: bool) -> dict[int, Code]:
    """The errors of an operation, by their HTTP status, in its order.

    Args:
        method: its descriptor.
        has_body: whether its rule has a body.
    """
    operation = method.GetOptions().Extensions[operation_pb2.operation]
    codes = {*_EVERYWHERE, *(_code(number) for number in operation.errors)}
    if "session" in method.input_type.fields_by_name:
        codes.add(Code.NOT_FOUND)
    if has_body:
        codes.add(Code.PAYLOAD_TOO_LARGE)
    if method.server_streaming:
        codes.remove(Code.TIMEOUT)  # it may take as long as it likes
    statuses = {HTTP[code]: code for code in codes - {Code.VALIDATION_ERROR}}
    # Without a body nothing can be wrong but path and query, which Envoy or the method refuse with 400.
    statuses[400] = Code.VALIDATION_ERROR
    if operation.invalid_status:
        statuses[operation.invalid_status] = Code.VALIDATION_ERROR
    return dict(sorted(statuses.items()))


def responses(contract: Contract, codes: Iterable[Code], examples: Examples) -> dict[str, Any]:
    """The response of each code, by the name that operations refer to."""
    return {
        response_name(code): response(contract, code, examples.of_code(code)) for code in sorted(set(codes))
    }


def response(contract: Contract, code: Code, examples: Named) -> dict[str, Any]:
    """The response of a code, with its headers and with examples where there are any."""
    enum = contract.enum(operation_pb2.Code.DESCRIPTOR.full_name)
    number = enum_words(enum)[code.value]
    only = {"properties": {"error": {"properties": {"code": {"const": code.value}}}}}
    described: dict[str, Any] = {"description": contract.prose(enum.values_by_number[number])}
    if code in _HEADERS:
        described["headers"] = dict(_HEADERS[code])
    content: dict[str, Any] = {"schema": {"allOf": [{"$ref": "#/components/schemas/Error"}, only]}}
    if examples:
        content["examples"] = examples
    described["content"] = {"application/json": content}
    return described


def response_name(code: Code) -> str:
    """What a code's response is called in the document: NotFound."""
    return code.value.title().replace("_", "")


def schema() -> dict[str, Any]:
    """The envelope of every error."""
    inner = {
        "type": "object",
        "required": ["code", "details", "message"],
        "properties": {
            "code": {"type": "string", "description": "What went wrong, for programs."},
            "details": {"type": "object", "description": "Further facts, for programs."},
            "message": {
                "type": "string",
                "description": "What happened, to what, and what to do; for people.",
            },
        },
    }
    return {
        "type": "object",
        "description": "The envelope of every error.",
        "required": ["error"],
        "properties": {"error": inner},
    }


def _code(number: int) -> Code:
    words = {value: word for word, value in enum_words(operation_pb2.Code.DESCRIPTOR).items()}
    return Code(words[number])
