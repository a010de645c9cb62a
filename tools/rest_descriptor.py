"""Envoy's own view of the contract: what it binds, and nothing of what the node parses.

Envoy's transcoder gets a descriptor set in which every method that has a `google.api.http` rule
answers `google.api.HttpBody`, and in which a request has only the fields that path and query bind.
Numbers and types stay, so the node reads what Envoy writes; names become what a REST caller may say:

- Query parameters have their JSON name alone (`async`, not `run_async`).
- Fields of the path begin with `rest_`, and so does the body. The transcoder would otherwise let
  `?session=B` replace the session of the path. The edge refuses parameters of that name.
- Where the rule has a body, its fields are left out and `rest_body` takes the raw bytes: Envoy's
  JSON reader would drop unknown fields and hide nulls, so the node parses them.
- Where it has none, `rest_ignored` takes them: the transcoder would otherwise read fields from a
  body that the operation does not have. The node knows no field of that number and skips it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

REST_BODY = "rest_body"
"""The field that carries a request's raw body."""
REST_BODY_NUMBER = 10000
"""Its number, agreed with the node (`server.rpc`)."""
RESERVED = "rest_"
"""How the names begin that no query parameter may have."""

_RULES_FILE = "google/api/annotations.proto"
_HTTP_BODY_FILE = "google/api/httpbody.proto"
_HTTP_BODY = ".google.api.HttpBody"
_IGNORED_BODY = "rest_ignored"
_IGNORED_BODY_NUMBER = 10001
_VARIABLE = re.compile(r"(?<=\{)([^}=.]+)")


@dataclass(frozen=True)
class Binding:
    """One HTTP method and path template that reaches an RPC.

    Attributes:
        rpc: the RPC's path, `/package.Service/Method`.
        method: the HTTP method, upper case.
        template: the path template of the rule, `/v1/things/{thing}:start`.
        streaming: whether the RPC answers with a stream.
    """

    rpc: str
    method: str
    template: str
    streaming: bool


class ContractError(Exception):
    """A rule in the protos that cannot be presented over REST; says which and why."""


def bindings(contract: FileDescriptorSet) -> list[Binding]:
    """Lists every REST binding of a contract, in the order of its declaration.

    Args:
        contract: the compiled protos with all their imports.
    """
    return [
        Binding(f"/{service}/{method.name}", *_verb_and_path(rule), method.server_streaming)
        for file in contract.file
        for service, method in _annotated(file)
        for rule in _rules(method)
    ]


def services(contract: FileDescriptorSet) -> list[str]:
    """Full names of the services that have at least one REST binding."""
    return sorted({service for file in contract.file for service, _ in _annotated(file)})


def descriptor_set(contract: FileDescriptorSet) -> FileDescriptorSet:
    """Builds Envoy's descriptor set.

    Args:
        contract: the compiled protos with all their imports, `json_name`s filled in.

    Returns:
        Files in the order of their imports. It depends on the contract's REST surface alone: a
        change elsewhere leaves it as it is, byte for byte.

    Raises:
        ContractError: where a rule names a field that is not there, bindings of one method differ
            in their body, or a request is a stream.
    """
    files = {file.name: file for file in contract.file}
    messages = {name: found for file in contract.file for name, found in _messages(file)}
    homes = {name: file.name for file in contract.file for name in _type_names(file)}
    reduced = [
        _reduced(file, messages, homes) for file in contract.file if any(True for _ in _annotated(file))
    ]
    needed: dict[str, FileDescriptorProto] = {}
    for file in reduced:
        for name in file.dependency:
            _require(name, files, needed)
    return FileDescriptorSet(file=[*needed.values(), *reduced])


def _require(name: str, files: dict[str, FileDescriptorProto], found: dict[str, FileDescriptorProto]) -> None:
    """Adds a file behind everything that it imports; its services are ours to define anew."""
    if name in found:
        return
    for dependency in files[name].dependency:
        _require(dependency, files, found)
    copy = FileDescriptorProto()
    copy.CopyFrom(files[name])
    del copy.service[:]
    found[name] = copy


def _reduced(
    file: FileDescriptorProto, messages: dict[str, DescriptorProto], homes: dict[str, str]
) -> FileDescriptorProto:
    result = FileDescriptorProto(
        name=file.name.removesuffix(".proto") + "_rest.proto", package=file.package, syntax="proto3"
    )
    dependencies = {_RULES_FILE, _HTTP_BODY_FILE}
    for service in file.service:
        methods = [method for method in service.method if _has_rule(method)]
        if not methods:
            continue
        target = result.service.add(name=service.name)
        for method in methods:
            request = _request(f"{service.name}{method.name}Rest", method, messages)
            dependencies.update(homes[field.type_name] for field in request.field if field.type_name)
            result.message_type.append(request)
            target.method.append(_method(method, f".{file.package}.{request.name}"))
    result.dependency.extend(sorted(dependencies))
    return result


def _method(method: MethodDescriptorProto, request: str) -> MethodDescriptorProto:
    if method.client_streaming:
        raise ContractError(f"{method.name}: a REST call cannot stream its request")
    result = MethodDescriptorProto(
        name=method.name, input_type=request, output_type=_HTTP_BODY, server_streaming=method.server_streaming
    )
    rule = result.options.Extensions[annotations_pb2.http]
    rule.CopyFrom(method.options.Extensions[annotations_pb2.http])
    for binding in (rule, *rule.additional_bindings):
        if binding.response_body:
            raise ContractError(f"{method.name}: response_body is the node's business, not the rule's")
        binding.body = REST_BODY if binding.body else _IGNORED_BODY
        _, template = _verb_and_path(binding)
        _set_path(binding, _VARIABLE.sub(RESERVED + r"\1", template))
    return result


def _request(
    name: str, method: MethodDescriptorProto, messages: dict[str, DescriptorProto]
) -> DescriptorProto:
    original = messages[method.input_type]
    in_path, in_body = _bound(method, {field.name for field in original.field})
    result = DescriptorProto(name=name)
    kept = [field for field in original.field if field.name not in in_body]
    # In their old order: those that `optional` stands for have to come last.
    oneofs = sorted({field.oneof_index for field in kept if field.HasField("oneof_index")})
    for index in oneofs:
        result.oneof_decl.add(name=original.oneof_decl[index].name)
    for field in kept:
        copy = result.field.add()
        copy.CopyFrom(field)
        copy.ClearField("options")  # rules about values, which are the node's to check
        copy.name = copy.json_name = RESERVED + field.name if field.name in in_path else field.json_name
        if field.HasField("oneof_index"):
            copy.oneof_index = oneofs.index(field.oneof_index)
    has_body = any(rule.body for rule in _rules(method))
    body_name = REST_BODY if has_body else _IGNORED_BODY
    result.field.add(
        name=body_name,
        json_name=body_name,
        number=REST_BODY_NUMBER if has_body else _IGNORED_BODY_NUMBER,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=_HTTP_BODY,
    )
    return result


def _bound(method: MethodDescriptorProto, known: set[str]) -> tuple[set[str], set[str]]:
    """The names of the request's fields that come from the path, and of those from the body."""
    if reserved := sorted(name for name in known if name.startswith(RESERVED)):
        raise ContractError(
            f"{method.name}: names that begin with {RESERVED} are taken: {', '.join(reserved)}"
        )
    found = {(frozenset(_VARIABLE.findall(_verb_and_path(rule)[1])), rule.body) for rule in _rules(method)}
    if len(found) > 1:
        raise ContractError(f"{method.name}: its bindings must have the same variables and the same body")
    in_path, body = found.pop()
    if missing := sorted((in_path | {body}) - known - {"", "*"}):
        raise ContractError(f"{method.name}: its rule names what its request lacks: {', '.join(missing)}")
    return set(in_path), known - in_path if body == "*" else {body} & known


def _annotated(file: FileDescriptorProto) -> Iterator[tuple[str, MethodDescriptorProto]]:
    for service in file.service:
        for method in service.method:
            if _has_rule(method):
                yield f"{file.package}.{service.name}", method


def _has_rule(method: MethodDescriptorProto) -> bool:
    return method.options.HasExtension(annotations_pb2.http)


def _rules(method: MethodDescriptorProto) -> list[HttpRule]:
    rule = method.options.Extensions[annotations_pb2.http]
    return [rule, *rule.additional_bindings]


def _verb_and_path(rule: HttpRule) -> tuple[str, str]:
    kind = rule.WhichOneof("pattern")
    if kind is None:
        raise ContractError("a google.api.http rule without a path")
    if kind == "custom":
        return rule.custom.kind.upper(), rule.custom.path
    return kind.upper(), str(getattr(rule, kind))


def _set_path(rule: HttpRule, template: str) -> None:
    kind = rule.WhichOneof("pattern")
    if kind == "custom":
        rule.custom.path = template
    elif kind is not None:
        setattr(rule, kind, template)


def _messages(file: FileDescriptorProto) -> Iterator[tuple[str, DescriptorProto]]:
    for message in file.message_type:
        yield f".{file.package}.{message.name}", message


def _type_names(file: FileDescriptorProto) -> Iterator[str]:
    def below(prefix: str, message: DescriptorProto) -> Iterator[str]:
        name = f"{prefix}.{message.name}"
        yield name
        yield from (f"{name}.{enum.name}" for enum in message.enum_type)
        for nested in message.nested_type:
            yield from below(name, nested)

    package = f".{file.package}" if file.package else ""
    yield from (f"{package}.{enum.name}" for enum in file.enum_type)
    for message in file.message_type:
        yield from below(package, message)
