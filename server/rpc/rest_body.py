"""How a REST call arrives: marked by Envoy, and with its body beside the fields of path and query."""

from collections.abc import Iterable
from typing import Any, Final, cast

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

REST_MARK: Final = "x-envoy-original-path"
"""Envoy sets it on the calls that it transcoded, and removes it from those that it did not."""
REST_BODY: Final = 10_000
"""The field that Envoy's descriptors have for the raw body; see gateway-config."""


def body_of(request: Message) -> HttpBody:
    """The body of a REST call, with its content type; empty where the call has none.

    Args:
        request: read from what Envoy sent, with the fields that its class does not know.
    """
    body = HttpBody()
    # Envoy writes the field more than once (its parts merge), and the stubs do not know that the set can
    # be iterated.
    for field in cast("Iterable[Any]", UnknownFieldSet(request)):
        if field.field_number == REST_BODY:
            body.MergeFromString(field.data)
    return body
