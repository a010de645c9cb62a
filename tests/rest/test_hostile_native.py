"""Native gRPC calls that nobody means well with, through Envoy. No process may die of one."""

import gzip
import struct
from collections import Counter
from collections.abc import Iterator
from random import Random
from urllib.parse import urlsplit

import grpc
import h2.config
import h2.connection
import httpx
import psutil
import pytest
from google.protobuf import struct_pb2
from wagate.v1 import messages_pb2

from tests.support.caller import METHODS, path_of
from tests.support.hostile import Wire
from tests.support.stack import Stack

SEED = 20261121
SEND = path_of("SendMessage")


@pytest.fixture(autouse=True)
def everybody_lives_on(stack: Stack) -> Iterator[None]:
    processes = (stack.node, stack.envoy)
    yield
    assert all(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)
    assert stack.rest.get("/sessions", params={"limit": 1}).status_code == 200


def call(
    stack: Stack, channel: grpc.Channel, path: str, raw: bytes, *more: tuple[str, str | bytes]
) -> grpc.StatusCode:
    """Sends bytes as a request, with a good key; returns the status."""
    send = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
    metadata = (("authorization", f"Bearer {stack.ready['apiKey']}"), *more)
    try:
        send(raw, metadata=metadata, timeout=30)
    except grpc.RpcError as error:
        code = error.code()
        assert isinstance(code, grpc.StatusCode)
        return code
    return grpc.StatusCode.OK


def test_bytes_that_are_no_protobuf(stack: Stack, session: str, channel: grpc.Channel) -> None:
    random = Random(SEED)
    seen: Counter[grpc.StatusCode] = Counter()
    named = b"\x0a\x1a" + session.encode()
    # Sessions' own methods could end the session that others use.
    methods = [name for name, method in METHODS.items() if method.containing_service.name != "Sessions"]
    for number in range(600):
        garbage = random.randbytes(random.choice((1, 3, 10, 100, 5000)))
        raw = garbage if number % 2 else named + garbage
        seen[call(stack, channel, path_of(methods[number % len(methods)]), raw)] += 1
    expected = {
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.UNIMPLEMENTED,
    }
    assert set(seen) <= expected, seen
    assert seen[grpc.StatusCode.INVALID_ARGUMENT] > 0


WRONG = {
    "a number for a text": b"\x08\x01",
    "a group": b"\x0b\x0c",
    "an end without a beginning": b"\x0c",
    "a length beyond the end": b"\x0a\xff\xff\xff\x7f",
    "an endless number": b"\x08" + b"\xff" * 20,
    "field zero": b"\x02\x00",
    "a text that is no UTF-8": b"\x0a\x02\xff\xfe",
    "an unknown wire type": b"\x0f",
}


@pytest.mark.parametrize("raw", WRONG.values(), ids=WRONG.keys())
def test_wrong_wire_types(stack: Stack, channel: grpc.Channel, raw: bytes) -> None:
    code = call(stack, channel, path_of("GetSession"), raw)
    assert code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}


def nested(depth: int) -> bytes:
    """A contact of lists in lists."""
    value = struct_pb2.Value(string_value="x").SerializeToString()
    for _ in range(depth):
        inner = b"\x0a" + varint(len(value)) + value
        value = b"\x32" + varint(len(inner)) + inner
    return value


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


@pytest.mark.parametrize("depth", [20, 40, 90, 200, 5000])
def test_deep_values(stack: Stack, session: str, channel: grpc.Channel, depth: int) -> None:
    draft = messages_pb2.OutgoingMessage(
        to="628120000001@s.whatsapp.net", type=messages_pb2.MESSAGE_TYPE_CONTACT
    )
    contact = nested(depth)
    message = draft.SerializeToString() + b"\x5a" + varint(len(contact)) + contact
    raw = b"\x0a\x1a" + session.encode() + b"\x1a" + varint(len(message)) + message
    assert call(stack, channel, SEND, raw) is grpc.StatusCode.INVALID_ARGUMENT


def test_enums_and_numbers_out_of_range(stack: Stack, session: str, channel: grpc.Channel) -> None:
    for kind in (99, -1, 2**31 - 1):
        message = b"\x0a\x1b628120000001@s.whatsapp.net\x10" + varint(kind & (2**64 - 1)) + b"\x1a\x01x"
        raw = b"\x0a\x1a" + session.encode() + b"\x1a" + varint(len(message)) + message
        assert call(stack, channel, SEND, raw) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "path",
    [
        "/wagate.v1.Sessions/Nothing", "/wagate.v1.Nothing/GetSession", "/x/y", "/", "/wagate.v1.Sessions/",
        "/grpc.reflection.v1alpha.ServerReflection/Nothing", "/a" * 3000,
    ],
)  # fmt: skip
def test_unknown_methods(stack: Stack, channel: grpc.Channel, path: str) -> None:
    assert call(stack, channel, path, b"") is grpc.StatusCode.UNIMPLEMENTED


def test_messages_that_are_too_large(stack: Stack, channel: grpc.Channel) -> None:
    raw = b"\x0a" + varint(5_000_000) + b"x" * 5_000_000
    assert call(stack, channel, path_of("GetSession"), raw) is not grpc.StatusCode.OK


def test_metadata_floods(stack: Stack, channel: grpc.Channel) -> None:
    get = path_of("ListSessions")
    many: list[tuple[str, str | bytes]] = [(f"x-{number}", "v") for number in range(500)]
    assert call(stack, channel, get, b"", *many) is not grpc.StatusCode.OK
    assert call(stack, channel, get, b"", ("x-long", "v" * 60_000)) is not grpc.StatusCode.OK
    assert call(stack, channel, get, b"", ("x-bytes-bin", bytes(range(256)) * 10)) is grpc.StatusCode.OK
    assert call(stack, channel, get, b"", ("x-envoy-original-path", "/api/v1/x")) is grpc.StatusCode.OK


def test_a_compressed_bomb(stack: Stack) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    before = stack.node.memory_info().rss
    headers = {
        "content-type": "application/grpc",
        "te": "trailers",
        "grpc-encoding": "gzip",
        "authorization": f"Bearer {stack.ready['apiKey']}",
    }
    with httpx.Client(http1=False, http2=True, timeout=30) as client:
        url = f"{stack.ready['http']}{path_of('GetSession')}"
        answer = client.post(url, headers=headers, content=b"\x01" + struct.pack(">I", len(bomb)) + bomb)
    assert answer.headers["grpc-status"] != "0"
    assert stack.node.memory_info().rss - before < 100_000_000


def test_streams_opened_and_reset_at_once(stack: Stack) -> None:
    url = urlsplit(stack.ready["http"])
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    wire = Wire((url.hostname or "", url.port or 0), seconds=5)
    for number in range(3000):
        stream = 2 * number + 1
        client.send_headers(
            stream,
            [
                (":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", SEND),
                ("content-type", "application/grpc"), ("te", "trailers"),
            ],
        )  # fmt: skip
        client.reset_stream(stream)
    wire.send(client.data_to_send())
    wire.close()


@pytest.mark.parametrize("frame", range(0, 256, 17))
def test_frames_that_are_none(stack: Stack, frame: int) -> None:
    url = urlsplit(stack.ready["http"])
    wire = Wire((url.hostname or "", url.port or 0), seconds=5)
    random = Random(SEED + frame)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
    for stream in (0, 1, 2**31 - 1):
        payload = random.randbytes(200)
        header = struct.pack(">I", len(payload))[1:] + bytes([frame, 0xFF]) + struct.pack(">I", stream)
        wire.send(preface + header + payload)
        wire.close()
