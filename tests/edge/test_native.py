"""Native gRPC through the same port: typed calls, streams, reflection, health."""

import json
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from wagate.v1 import sessions_pb2

from tests.edge.gateway import Gateway

GET = "/wagate.v1.Sessions/GetSession"
REQUEST = sessions_pb2.GetSessionRequest(session="S1").SerializeToString()


def calling(channel: grpc.aio.Channel, method: str) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
    return channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)


@pytest.fixture
async def channel(gateway: Gateway) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(gateway.target) as opened:
        yield opened


async def test_a_call_passes_untouched(channel: grpc.aio.Channel) -> None:
    answer = await calling(channel, GET)(
        REQUEST, metadata=(("authorization", "Bearer wa_x"), ("a-bin", b"\xff"))
    )

    seen = json.loads(answer)
    assert (seen["native"], bytes.fromhex(seen["request"])) == (GET, REQUEST)
    assert seen["metadata"]["authorization"] == "Bearer wa_x"


@pytest.mark.parametrize("header", ["x-envoy-original-path", "x-envoy-original-method"])
async def test_a_native_caller_cannot_pass_for_rest(channel: grpc.aio.Channel, header: str) -> None:
    answer = await calling(channel, GET)(REQUEST, metadata=((header, "/api/v1/sessions/S1"),))

    seen = json.loads(answer)
    assert seen["native"] == GET
    assert not [name for name in seen["metadata"] if name.startswith("x-envoy-original")]


async def test_an_error_keeps_its_grpc_status(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await calling(channel, GET)(REQUEST, metadata=(("x-test-grpc-error", "NOT_FOUND"),))

    assert failure.value.code() is grpc.StatusCode.NOT_FOUND
    assert failure.value.details() == "an inner detail that no caller may see"


async def test_an_unknown_method_is_unimplemented(channel: grpc.aio.Channel) -> None:
    for method in ("/nothing.Here/Call", "/api/v1/sessions"):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await calling(channel, method)(b"")

        assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_stream_passes(channel: grpc.aio.Channel) -> None:
    stream = channel.unary_stream(GET, request_serializer=bytes, response_deserializer=bytes)
    received = [item async for item in stream(REQUEST, metadata=(("x-test-stream", "1"),))]

    assert received == [b"0", b"1", b"2"]


async def test_a_callers_deadline_ends_the_call(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await calling(channel, GET)(REQUEST, timeout=0.3, metadata=(("x-test-delay", "30"),))

    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_request_above_the_limit_is_refused(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await calling(channel, GET)(b"x" * (3 << 20))

    assert failure.value.code() in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNKNOWN}


async def test_health_and_reflection_answer(channel: grpc.aio.Channel) -> None:
    health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    listing = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]))
    names = {service.name async for answer in listing for service in answer.list_services_response.service}

    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert {"wagate.v1.Sessions", "wagate.v1.Messages", "wagate.v1.Chats", "grpc.health.v1.Health"} <= names
