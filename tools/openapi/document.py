"""The document as a whole: paths, operations, components."""

import json
import re
from collections.abc import Iterator, Mapping
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
from tools.openapi.examples import Examples, Named
from tools.openapi.introduction import ABOUT, SECURITY, SERVERS
from tools.openapi.schemas import Schemas
from tools.rest_descriptor import ContractError

VERSION: Final = "3.1.1"
"""Of OpenAPI."""
_VARIABLE: Final = re.compile(r"\{([a-z_]+)\}")
_VERBS: Final = ("get", "put", "post", "delete", "patch")


def text(compiled: FileDescriptorSet, package: str, examples: Examples | None = None) -> str:
    """The document of one package, as JSON text.

    Args:
        compiled: the protos with all their imports and with source locations.
        package: its full name.
        examples: of its operations; None for none.

    Raises:
        ContractError: where the protos say what no REST call can do.
    """
    document = _Document(Contract(compiled, package), examples or Examples()).whole()
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


class _Document:
    """Puts the document together."""

    def __init__(self, contract: Contract, examples: Examples) -> None:
        self._contract = contract
        self._examples = examples
        self._schemas = Schemas(contract)
        self._codes: set[Code] = set()

    def whole(self) -> dict[str, Any]:
        """All of it."""
        paths: dict[str, dict[str, Any]] = {}
        tags = []
        for service in self._contract.services():
            methods = [method for method in service.methods if _has_rule(method)]
            if not methods:
                continue
            tags.append({"name": service.name, "description": self._contract.about(service)})
            for method in methods:
                verb, path, operation = self._operation(method)
                if paths.setdefault(path, {}).setdefault(verb, operation) is not operation:
                    raise ContractError(f"{method.full_name}: {verb} {path} is another operation's already")
        return {
            "openapi": VERSION,
            "info": {"title": "wagate", "version": "1", "description": ABOUT},
            "servers": SERVERS,
            "security": [{name: []} for name in SECURITY],
            "tags": tags,
            "paths": paths,
            "components": {
                "schemas": {**self._schemas.components, "Error": errors.schema()},
                "responses": errors.responses(self._contract, self._codes, self._examples),
                "securitySchemes": SECURITY,
            },
        }

    def _operation(self, method: MethodDescriptor) -> tuple[str, str, dict[str, Any]]:
        """The HTTP method, the path and the operation of an RPC; notes its errors."""
        options = method.GetOptions()
        rule = options.Extensions[annotations_pb2.http]
        verb = rule.WhichOneof("pattern")
        if verb not in _VERBS:
            raise ContractError(f"{method.full_name} has no path of its own for REST")
        template: str = getattr(rule, verb)
        in_path = _VARIABLE.findall(template)
        said = options.Extensions[operation_pb2.operation]
        summary, *rest = re.split(r"\.\s+", self._contract.prose(method), maxsplit=1)
        operation: dict[str, Any] = {
            "operationId": _operation_id(method),
            "tags": [method.containing_service.name],
            "summary": summary.removesuffix("."),
            "description": "\n\n".join([*rest, _capability(said)]),
            "parameters": list(_parameters(self._contract, self._schemas, method, in_path, rule.body)),
        }
        if rule.body:
            operation["requestBody"] = self._body(method, in_path, rule.body)
        operation["responses"] = {
            **self._successes(method, said),
            **self._failures(method, errors.of_operation(method, has_body=bool(rule.body))),
        }
        path = _VARIABLE.sub(
            lambda name: "{" + method.input_type.fields_by_name[name[1]].json_name + "}", template
        )
        return verb, path, operation

    def _body(self, method: MethodDescriptor, in_path: list[str], body: str) -> dict[str, Any]:
        whole = body == "*"
        message = method.input_type if whole else method.input_type.fields_by_name[body].message_type
        if message is None:
            raise ContractError(f"{method.full_name}: its body is no message")
        content = {"schema": self._schemas.request(message, in_path if whole else [])}
        return {
            "description": self._contract.about(message),
            "required": bool(self._schemas.components[message.name].get("required")),
            "content": {"application/json": _shown(content, self._examples.bodies(_operation_id(method)))},
        }

    def _successes(
        self, method: MethodDescriptor, said: operation_pb2.Operation
    ) -> dict[str, dict[str, Any]]:
        status = said.success_status or 200
        if status == 204:
            return {"204": {"description": "Done. There is nothing more to say: the answer has no body."}}
        answer = self._schemas.answer(method.output_type)
        if method.server_streaming:
            # OpenAPI has a word for what a stream is made of only since 3.2 (itemSchema).
            stream = {"schema": {"type": "string"}, "x-itemSchema": answer}
            return {
                str(status): {
                    "description": "Goes on until one side ends it. Each event's `data`: `x-itemSchema`.",
                    "content": {sse.CONTENT_TYPE: self._answered(method, status, stream)},
                }
            }
        told = self._contract.about(method.output_type)
        meanings = {status: told}
        if said.async_status:
            meanings[said.async_status] = f"Accepted, not done yet. {told}"
        return {
            str(number): {
                "description": meaning,
                "content": {"application/json": self._answered(method, number, {"schema": answer})},
            }
            for number, meaning in meanings.items()
        }

    def _failures(self, method: MethodDescriptor, failures: Mapping[int, Code]) -> dict[str, dict[str, Any]]:
        """What each code looks like everywhere, but for those with examples of the operation's own."""
        self._codes.update(failures.values())
        described = {}
        for status, code in failures.items():
            if own := self._examples.answers(_operation_id(method), status):
                described[str(status)] = errors.response(self._contract, code, own)
            else:
                described[str(status)] = {"$ref": f"#/components/responses/{errors.response_name(code)}"}
        return described

    def _answered(self, method: MethodDescriptor, status: int, content: dict[str, Any]) -> dict[str, Any]:
        return _shown(content, self._examples.answers(_operation_id(method), status))


def _shown(content: dict[str, Any], examples: Named) -> dict[str, Any]:
    return {**content, "examples": examples} if examples else content


def _operation_id(method: MethodDescriptor) -> str:
    return method.name[0].lower() + method.name[1:]


def _has_rule(method: MethodDescriptor) -> bool:
    """Whether REST callers have the method at all."""
    return bool(method.GetOptions().HasExtension(annotations_pb2.http))


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
