"""The document as a whole: paths, operations, components."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from google.api import annotations_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from wagate.v1 import operation_pb2

from server.errors import Code
from server.rpc import sse
from server.rpc.json_codec import enum_words
from tools.openapi import errors
from tools.openapi.contract import Contract
from tools.openapi.schemas import Schemas
from tools.rest_descriptor import ContractError

VERSION: Final = "3.1.1"
"""Of OpenAPI."""
_VARIABLE: Final = re.compile(r"\{([a-z_]+)\}")
_VERBS: Final = ("get", "put", "post", "delete", "patch")
_ABOUT: Final = """\
A WhatsApp gateway: sessions are linked devices, and this API sends and receives through them.

Checks come in this order: token (401), capability (403), session (404), body (400), connection (409),
rate (429), WhatsApp (502, 504). What belongs to another organization does not exist for you. Timestamps are
epoch milliseconds, as numbers. Fields that a request does not know are refused; `null` means that a field is
not given, unless the field itself says something else.

Whatever the operation, the gateway answers 404 to a path that it does not have, 405 to a method that a path
does not have, 408 to a request that does not arrive completely in time and 431 to headers that are too large,
all of them in the envelope `Error`.
"""
_SECURITY: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An api-key (`wa_...`) or a login token.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "An api-key (`wa_...`).",
    },
}


def text(compiled: FileDescriptorSet, package: str) -> str:
    """The document of one package, as JSON text.

    Args:
        compiled: the protos with all their imports and with source locations.
        package: its full name.

    Raises:
        ContractError: where the protos say what no REST call can do.
    """
    document = _document(Contract(compiled, package))
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _document(contract: Contract) -> dict[str, Any]:
    schemas = Schemas(contract)
    paths: dict[str, dict[str, Any]] = {}
    tags = []
    codes: set[Code] = set()
    for service in contract.services():
        methods = [method for method in service.methods if _has_rule(method)]
        if not methods:
            continue
        tags.append({"name": service.name, "description": contract.prose(service)})
        for method in methods:
            verb, path, operation = _operation(contract, schemas, method, codes)
            if paths.setdefault(path, {}).setdefault(verb, operation) is not operation:
                raise ContractError(f"{method.full_name}: {verb} {path} is another operation's already")
    return {
        "openapi": VERSION,
        "info": {"title": "wagate", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in _SECURITY],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, "Error": errors.schema()},
            "responses": errors.responses(contract, codes),
            "securitySchemes": _SECURITY,
        },
    }


def _has_rule(method: MethodDescriptor) -> bool:
    """Whether REST callers have the method at all."""
    return bool(method.GetOptions().HasExtension(annotations_pb2.http))


def _operation(
    contract: Contract, schemas: Schemas, method: MethodDescriptor, codes: set[Code]
) -> tuple[str, str, dict[str, Any]]:
    """The HTTP method, the path and the operation of an RPC; adds its errors to `codes`."""
    options = method.GetOptions()
    rule = options.Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    if verb not in _VERBS:
        raise ContractError(f"{method.full_name} has no path of its own for REST")
    template: str = getattr(rule, verb)
    in_path = _VARIABLE.findall(template)
    said = options.Extensions[operation_pb2.operation]
    summary, *rest = re.split(r"\.\s+", contract.prose(method), maxsplit=1)
    operation: dict[str, Any] = {
        "operationId": method.name[0].lower() + method.name[1:],
        "tags": [method.containing_service.name],
        "summary": summary.removesuffix("."),
        "description": "\n\n".join([*rest, _capability(said)]),
        "parameters": list(_parameters(contract, schemas, method, in_path, rule.body)),
    }
    if rule.body:
        operation["requestBody"] = _body(schemas, method, in_path, rule.body)
    failures = errors.of_operation(method, has_body=bool(rule.body))
    codes.update(failures.values())
    operation["responses"] = {
        **_successes(schemas, method, said),
        **{
            str(status): {"$ref": f"#/components/responses/{errors.response_name(code)}"}
            for status, code in failures.items()
        },
    }
    path = _VARIABLE.sub(
        lambda name: "{" + method.input_type.fields_by_name[name[1]].json_name + "}", template
    )
    return verb, path, operation


def _capability(said: operation_pb2.Operation) -> str:
    words = {number: word for word, number in enum_words(operation_pb2.Capability.DESCRIPTOR).items()}
    return f"Needs the capability `{words[said.capability]}`."


def _parameters(
    contract: Contract, schemas: Schemas, method: MethodDescriptor, in_path: list[str], body: str
) -> Iterator[dict[str, Any]]:
    for name in in_path:
        yield _parameter(schemas, method.input_type.fields_by_name[name], "path")
    if body != "*":
        for field in method.input_type.fields:
            if field.name not in {*in_path, body}:
                yield _parameter(schemas, field, "query")
    for number in method.GetOptions().Extensions[operation_pb2.operation].headers:
        yield _header(contract, number)


def _parameter(schemas: Schemas, field: FieldDescriptor, place: str) -> dict[str, Any]:
    parameter: dict[str, Any] = {
        "name": field.json_name,
        "in": place,
        "description": schemas.prose(field),
        "schema": schemas.parameter(field),
    }
    if place == "path":
        parameter["required"] = True
    return parameter


def _header(contract: Contract, number: int) -> dict[str, Any]:
    enum = contract.enum(operation_pb2.Header.DESCRIPTOR.full_name)
    words = {value: word for word, value in enum_words(enum).items()}
    return {
        "name": "-".join(part.capitalize() for part in words[number].split("_")),
        "in": "header",
        "description": contract.prose(enum.values_by_number[number]),
        "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
    }


def _body(schemas: Schemas, method: MethodDescriptor, in_path: list[str], body: str) -> dict[str, Any]:
    whole = body == "*"
    message = method.input_type if whole else method.input_type.fields_by_name[body].message_type
    if message is None:
        raise ContractError(f"{method.full_name}: its body is no message")
    without = in_path if whole else []
    reference = schemas.request(message, without)
    return {
        "required": bool(schemas.components[message.name].get("required")),
        "content": {"application/json": {"schema": reference}},
    }


def _successes(
    schemas: Schemas, method: MethodDescriptor, said: operation_pb2.Operation
) -> dict[str, dict[str, Any]]:
    status = said.success_status or 200
    if status == 204:
        return {"204": {"description": "Done."}}
    if method.server_streaming:
        # OpenAPI has a word for what a stream is made of only since 3.2 (itemSchema).
        stream = {"schema": {"type": "string"}, "x-itemSchema": schemas.answer(method.output_type)}
        return {
            str(status): {
                "description": "Goes on until one side ends it. The `data` of each event: `x-itemSchema`.",
                "content": {sse.CONTENT_TYPE: stream},
            }
        }
    content = {"application/json": {"schema": schemas.answer(method.output_type)}}
    successes = {str(status): {"description": "Done.", "content": content}}
    if said.async_status:
        successes[str(said.async_status)] = {"description": "Accepted, not done yet.", "content": content}
    return successes
