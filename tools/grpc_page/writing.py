"""Writes the page: what holds for every call, the services, and the types."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from google.api import annotations_pb2, field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor
from wagate.v1 import operation_pb2

from server.errors import Code
from server.rpc.json_codec import enum_words
from server.rpc.serving import SERVICES
from server.rpc.status import GRPC, HTTP
from tools.gateway import compile_contract
from tools.grpc_page import calls, rendering
from tools.grpc_page.introduction import AFTER_ERRORS, CALLING, ERRORS, INTRODUCTION, METADATA
from tools.openapi.contract import Contract
from tools.openapi.errors import of_operation
from tools.openapi.examples import Examples

ROOT: Final = Path(__file__).resolve().parents[2]
MARKDOWN: Final = Path("docs") / "grpc.md"
PAGE: Final = Path("server") / "pages" / "docs" / "grpc" / "index.html"
PACKAGE: Final = "wagate.v1"
_METHODS: Final = {method.full_name: method for service in SERVICES for method in service.methods}
_NOT_TOLD: Final = frozenset({"Payload", "Operation", "FieldRules"})
"""Messages that nobody sends: they say what others are like."""
_NOT_TOLD_ENUMS: Final = frozenset({"Capability", "Code", "Format", "Header"})
_READ_BY: Final = "<!-- run by: tests/unit/tools/test_grpc_page.py -->"
"""Before each call: the tests of the documents leave it to that one."""
_SCALARS: Final = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_DOUBLE: "double",
}


def main(target: Path) -> None:
    """Writes the page below `target`, as Markdown and as HTML.

    Args:
        target: the repository's root, or a folder to compare it with.
    """
    compiled = compile_contract(ROOT / "protos", comments=True)
    contract = Contract(compiled, PACKAGE, for_rest=False)
    text = "\n".join(_lines(contract, Examples.read())) + "\n"
    for path, content in ((MARKDOWN, text), (PAGE, rendering.page(text))):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(content)


def _lines(contract: Contract, examples: Examples) -> Iterator[str]:
    yield INTRODUCTION
    yield "| service | what it is for |"
    yield "|---|---|"
    for service in contract.services():
        name = service.full_name
        yield f"| [`{name}`](#{rendering.anchor(name)}) | {_cell(contract.about(service))} |"
    yield f"\n{CALLING}\n{METADATA}"
    yield from _headers(contract)
    yield f"\n{ERRORS}"
    yield from _codes(contract)
    yield f"\n{AFTER_ERRORS}"
    for service in contract.services():
        yield f"\n## {service.full_name}\n\n{contract.about(service)}\n\nIn `{service.file.name}`.\n"
        for method in service.methods:
            yield from _method(contract, examples, method)
    yield "## Types\n"
    for message in contract.messages():
        if message.name not in _NOT_TOLD:
            yield from _message(contract, message)
    yield "## Enums\n"
    for enum in contract.enums():
        if enum.name not in _NOT_TOLD_ENUMS:
            yield from _enum(contract, enum)


def _headers(contract: Contract) -> Iterator[str]:
    enum = contract.enum(operation_pb2.Header.DESCRIPTOR.full_name)
    for word, number in enum_words(enum).items():
        if number:
            yield f"| `{word.replace('_', '-')}` | {_cell(contract.prose(enum.values_by_number[number]))} |"


def _codes(contract: Contract) -> Iterator[str]:
    yield "| `reason` | gRPC status | REST | when |"
    yield "|---|---|---|---|"
    enum = contract.enum(operation_pb2.Code.DESCRIPTOR.full_name)
    for word, number in enum_words(enum).items():
        if number:
            code = Code(word)
            prose = _cell(contract.prose(enum.values_by_number[number]))
            yield f"| `{word}` | `{GRPC[code].name}` | {HTTP[code]} | {prose} |"


def _method(contract: Contract, examples: Examples, method: MethodDescriptor) -> Iterator[str]:
    options = method.GetOptions()
    said = options.Extensions[operation_pb2.operation]
    rule = options.Extensions[annotations_pb2.http]
    stream = "stream " if method.server_streaming else ""
    yield f"### {method.name}\n"
    yield f"{contract.prose(method)}\n"
    asked, answered = _link(method.input_type), _link(method.output_type)
    yield f"- takes {asked}, answers {stream}{answered}"
    yield f"- needs the capability `{_capability(said.capability)}`"
    codes = of_operation(method, has_body=bool(rule.body)).values()
    yield f"- can be refused with {', '.join(f'`{code}`' for code in dict.fromkeys(codes))}"
    verb = str(rule.WhichOneof("pattern"))
    yield f"- by REST: `{verb.upper()} {getattr(rule, verb)}`\n"
    done = (
        e for e in examples.operations.get(method.name[0].lower() + method.name[1:], ()) if e["status"] < 400
    )
    generated = _METHODS[method.full_name]
    message = calls.request(generated, next(done, None))
    yield f"{_READ_BY}\n```sh\n{calls.grpcurl(generated, message)}\n```\n"
    yield f"{_READ_BY}\n```python\n{calls.python(generated, message)}\n```\n"


def _capability(number: int) -> str:
    words = {value: word for word, value in enum_words(operation_pb2.Capability.DESCRIPTOR).items()}
    return words[number]


def _message(contract: Contract, message: Descriptor) -> Iterator[str]:
    yield f"### {message.name}\n"
    yield f"{contract.about(message)}\n"
    if not message.fields:
        return
    yield "| field | number | type | what it says |"
    yield "|---|---|---|---|"
    for field in message.fields:
        prose = _cell(contract.prose(field))
        yield f"| `{field.name}` | {field.number} | {_type(field)} | {prose} |"
    yield ""


def _enum(contract: Contract, enum: EnumDescriptor) -> Iterator[str]:
    yield f"### {enum.name}\n"
    yield f"{contract.about(enum)}\n"
    yield "| value | number | what it says |"
    yield "|---|---|---|"
    for value in enum.values:
        yield f"| `{value.name}` | {value.number} | {_cell(contract.prose(value))} |"
    yield ""


def _type(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        pair = field.message_type.fields_by_name
        return f"map of {_type(pair['key'])} to {_type(pair['value'])}"
    shown = _one(field)
    if field.is_repeated:
        return f"repeated {shown}"
    behavior = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    if field_behavior_pb2.REQUIRED in behavior:
        return f"{shown}, required"
    return f"optional {shown}" if field.has_presence and field.message_type is None else shown


def _one(field: FieldDescriptor) -> str:
    if field.enum_type is not None:
        return _link(field.enum_type)
    if field.message_type is not None:
        return _link(field.message_type)
    return _SCALARS[field.type]


def _link(element: Descriptor | EnumDescriptor) -> str:
    if element.file.package != PACKAGE:
        return f"`{element.full_name}`"
    return f"[{element.name}](#{rendering.anchor(element.name)})"


def _cell(prose: str) -> str:
    """Text as a table's cell takes it."""
    return re.sub(r"\s+", " ", prose).replace("|", "\\|")
