"""The calls of docs/grpc.md, which are generated, can be made: the Python ones as they stand."""

import ast
import inspect
import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from wagate.v1 import (
    chats_pb2,
    chats_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    groups_pb2,
    groups_pb2_grpc,
    messages_pb2,
    messages_pb2_grpc,
    realtime_pb2,
    realtime_pb2_grpc,
    sessions_pb2,
    sessions_pb2_grpc,
    webhooks_pb2,
    webhooks_pb2_grpc,
)

from server.rpc.serving import SERVICES
from tests.docs.pages import ROOT, Block, blocks
from tests.support.stack import Stack

PAGE: Final = ROOT / "docs" / "grpc.md"
METHODS: Final = {method.full_name: method for service in SERVICES for method in service.methods}
GIVEN: Final[Mapping[str, object]] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        *(chats_pb2, events_pb2, groups_pb2, messages_pb2, realtime_pb2, sessions_pb2, webhooks_pb2),
        *(chats_pb2_grpc, events_pb2_grpc, groups_pb2_grpc, messages_pb2_grpc, realtime_pb2_grpc),
        *(sessions_pb2_grpc, webhooks_pb2_grpc, json_format, struct_pb2),
    )
}
"""What the page's calls take for imported."""
NOT_HERE: Final = {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION}
"""The answers that recorded ids may get from another gateway: what they name is not there."""

ALL: Final = blocks(PAGE)
COMMANDS: Final = [block for block in ALL if block.language == "sh" and " -d " in block.code]
CALLS: Final = [block for block in ALL if block.language == "python" and block.code.startswith("stub = ")]


def sent(block: Block) -> tuple[str, Message]:
    """The method that a command names, and the request that it sends."""
    words = shlex.split(block.code.replace("\\\n", " "))
    service, method = words[-1].split("/")
    found = METHODS[f"{service}.{method}"]
    request = GetMessageClass(found.input_type)()
    json_format.Parse(words[words.index("-d") + 1], request)
    return found.full_name, request


def test_every_method_has_both_calls() -> None:
    assert {sent(block)[0] for block in COMMANDS} == METHODS.keys()
    assert len(CALLS) == len(METHODS)


async def made(block: Block, channel: grpc.aio.Channel, key: str) -> tuple[Message, grpc.StatusCode]:
    """Runs a call as a coroutine would that has `channel` and `metadata`; gives its request and its end."""
    scope: dict[str, Any] = {**GIVEN, "channel": channel, "metadata": (("authorization", f"Bearer {key}"),)}
    code = block.code.replace("metadata=metadata)", "metadata=metadata, timeout=3)")
    try:
        coroutine = eval(compile(code, block.place, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), scope)
        if inspect.isawaitable(coroutine):
            await coroutine
    except grpc.aio.AioRpcError as error:
        return scope["request"], error.code()
    return scope["request"], grpc.StatusCode.OK


@pytest.mark.parametrize(("command", "call"), [*zip(COMMANDS, CALLS, strict=True)], ids=lambda b: b.place)
async def test_a_call_is_one_that_the_gateway_understands(stack: Stack, command: Block, call: Block) -> None:
    name, request = sent(command)
    async with grpc.aio.insecure_channel(stack.ready["grpc"]) as channel:
        typed, status = await made(call, channel, stack.ready["apiKey"])
    assert json.loads(json_format.MessageToJson(typed)) == json.loads(json_format.MessageToJson(request))
    is_stream = METHODS[name].server_streaming
    assert status in {grpc.StatusCode.OK, *NOT_HERE} or (
        is_stream and status is grpc.StatusCode.DEADLINE_EXCEEDED
    )


@pytest.mark.parametrize(
    "block", [b for b in ALL if b.language == "python" and b not in CALLS], ids=lambda b: b.place
)
def test_other_pieces_are_python(block: Block) -> None:
    assert ast.parse(block.code).body


def test_commands_without_a_body_ask_for_what_there_is() -> None:
    named = {
        name
        for block in ALL
        if block.language == "sh" and block not in COMMANDS
        for name in re.findall(r"wagate\.v1\.\w+\.\w+", block.code)
    }
    assert named
    assert named <= METHODS.keys()
