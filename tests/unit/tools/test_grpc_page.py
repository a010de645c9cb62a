"""The gRPC reference: every method with calls that can be made as they stand there."""

import ast
import json
import re
import shlex
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from wagate.v1 import (
    chats_pb2,
    events_pb2,
    groups_pb2,
    messages_pb2,
    realtime_pb2,
    sessions_pb2,
    webhooks_pb2,
)

from server.rpc.serving import SERVICES
from tools.grpc_page import MARKDOWN, PAGE
from tools.grpc_page.writing import ROOT

MARKDOWN_TEXT = (ROOT / MARKDOWN).read_text()
HTML = (ROOT / PAGE).read_text()
METHODS = [method for service in SERVICES for method in service.methods]
GENERATED = {
    "chats_pb2": chats_pb2,
    "events_pb2": events_pb2,
    "groups_pb2": groups_pb2,
    "messages_pb2": messages_pb2,
    "realtime_pb2": realtime_pb2,
    "sessions_pb2": sessions_pb2,
    "webhooks_pb2": webhooks_pb2,
    "json_format": json_format,
    "struct_pb2": struct_pb2,
}
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def section(method: MethodDescriptor) -> str:
    return MARKDOWN_TEXT.partition(f"\n### {method.name}\n")[2].partition("\n### ")[0]


def by_grpcurl(method: MethodDescriptor) -> Message:
    """The request of the command."""
    command = re.search(r"\n```sh\n(.*?)```", section(method), re.DOTALL)
    assert command
    words = shlex.split(command[1].replace("\\\n", " "))
    assert words[-1] == f"{method.containing_service.full_name}/{method.name}"
    message = GetMessageClass(method.input_type)()
    return json_format.ParseDict(json.loads(words[words.index("-d") + 1]), message)


def by_python(method: MethodDescriptor) -> Any:
    """The request of the program."""
    code = re.search(r"\n```python\n(.*?)```", section(method), re.DOTALL)
    assert code
    # The rest awaits, which a program may do in a coroutine alone.
    parsed = ast.parse(f"async def main():\n    {code[1].replace(chr(10), chr(10) + '    ')}")
    (request,) = (
        node.value
        for node in ast.walk(parsed)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "request"
    )
    return eval(ast.unparse(request), dict(GENERATED))


@every_method
def test_both_calls_are_the_same_good_request(method: MethodDescriptor) -> None:
    assert by_python(method) == by_grpcurl(method)


@every_method
def test_calls_with_a_request_of_their_own_show_one(method: MethodDescriptor) -> None:
    if method.input_type.fields and method.name != "ListWebhooks":
        assert by_grpcurl(method).ListFields()


def test_every_link_leads_somewhere() -> None:
    headings = set(re.findall(r' id="([^"]+)"', HTML))
    links = set(re.findall(r'href="#([^"]+)"', HTML))
    assert links
    assert links <= headings


def test_the_page_needs_nothing_from_elsewhere_and_no_script() -> None:
    assert set(re.findall(r'(?:src|href)="(?!#)([^"]+)"', HTML)) == {
        "data:,",
        "../reference.css",
        "../",
        "./",
        "../openapi.json",
        "../../console/",
        "https://github.com/fullstorydev/grpcurl",  # a link, for those who want to follow it
    }
    assert "<script" not in HTML
    assert "style=" not in HTML
