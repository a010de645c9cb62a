"""How each process tells that it serves."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.supervisor.edge import Address

TIMEOUT = 2.0
"""Seconds that one question may take."""

# Whatever proxy the environment names is not for the machine's own loopback.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def get_json(url: str) -> tuple[int, Any] | None:
    """Asks for a JSON document.

    Args:
        url: of a server on this machine.

    Returns:
        The HTTP status and the document, or None while there is no such answer.
    """
    return await asyncio.to_thread(_get_json, url)


async def serves_grpc(address: Address) -> bool:
    """Whether a gRPC server says by the standard health service that it serves."""
    async with grpc.aio.insecure_channel(str(address)) as channel:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=TIMEOUT
            )
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def serves_rest(address: Address) -> bool:
    """Whether the edge and the node behind it answer a REST call."""
    answer = await get_json(f"http://{address}/api/v1/sessions")
    if answer is None:
        return False
    status, document = answer
    # Without a key the node itself refuses, in the envelope; 503 is the edge alone.
    return status != 503 and isinstance(document, dict)


def _get_json(url: str) -> tuple[int, Any] | None:
    try:
        try:
            with _OPENER.open(url, timeout=TIMEOUT) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)
    except (OSError, ValueError):
        return None
