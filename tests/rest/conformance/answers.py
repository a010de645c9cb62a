"""Asks in both ways, and holds what comes back to the document."""

import json
from typing import Any

import grpc
import httpx
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from jsonschema import Draft202012Validator
from wagate.v1 import events_pb2

from server.errors import Code
from server.rpc import json_codec, sse
from server.rpc.status import GRPC, HTTP
from tests.rest.conformance.case import Case, Request
from tests.rest.conformance.table import DOCUMENT, OPERATIONS
from tests.support.api_document import answer_schema
from tests.support.caller import METHODS, STREAMS, path_of
from tests.support.sse import frames


def ask(client: httpx.Client, case: Case, request: Request, token: str = "") -> httpx.Response:
    """Asks by REST.

    Args:
        client: its base is the gateway's root.
        case: which operation.
        request: what is asked of it.
        token: an api-key, "" for none.
    """
    operation = OPERATIONS[case.operation]
    query = {name: value for name, value in request.fields.items() if name not in operation.variables}
    headers = {**request.headers, **({"authorization": f"Bearer {token}"} if token else {})}
    body = request.body if isinstance(request.body, bytes | None) else json.dumps(request.body).encode()
    path = operation.path.format(**request.fields)
    if not operation.is_stream:
        return client.request(operation.method, path, params=query, content=body, headers=headers)
    with client.stream(operation.method, path, params=query, headers=headers) as answer:
        if answer.status_code != httpx.codes.OK:
            answer.read()
            return answer
        first = next(frame for frame in frames(answer.iter_raw()) if frame.data)
        return httpx.Response(answer.status_code, headers=answer.headers, content=first.data)


def read(case: Case, answer: httpx.Response) -> Any:
    """Checks status, content type, schema and headers of an answer; returns its JSON, None for none."""
    assert answer.status_code == case.status, answer.text
    schema = answer_schema(DOCUMENT, OPERATIONS[case.operation], case.status)
    if schema is None:
        assert answer.content == b""
        return None
    is_stream = OPERATIONS[case.operation].is_stream and case.status < 300
    assert answer.headers["content-type"] == (sse.CONTENT_TYPE if is_stream else "application/json")
    Draft202012Validator(schema).validate(answer.json())
    assert ("www-authenticate" in answer.headers) == (case.status == 401)
    return answer.json()


def natively(channel: grpc.Channel, case: Case, request: Request, token: str) -> Any:
    """Asks by gRPC; checks status, reason and message; returns what REST would have answered as JSON."""
    operation = OPERATIONS[case.operation]
    kind = channel.unary_stream if operation.is_stream else channel.unary_unary
    call: Any = kind(
        path_of(operation.rpc),
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(_method(case).output_type).FromString,
    )
    metadata = [*request.headers.items(), *([("authorization", f"Bearer {token}")] if token else [])]
    try:
        response = call(_message(case, request), metadata=tuple(metadata), timeout=60)
        if operation.is_stream:
            stream, response = response, next(response)
            stream.cancel()
    except grpc.RpcError as error:
        return _refusal(case, error)
    assert case.status < 300, f"OK instead of {case.status}"
    schema = answer_schema(DOCUMENT, operation, case.status)
    if schema is None:
        return None
    answer = _event(response) if operation.is_stream else json.loads(json_codec.encode(response))
    Draft202012Validator(schema).validate(answer)
    return answer


def _event(event: events_pb2.Event) -> dict[str, object]:
    session = event.session if event.HasField("session") else None
    assert event.HasField("payload")
    rest = json_format.MessageToDict(event, preserving_proto_field_name=True)
    return {**rest, "session": session, "timestamp": event.timestamp, "payload": rest["payload"]}


def _message(case: Case, request: Request) -> Any:
    """The typed request with the same content as the REST one."""
    method = _method(case)
    message = GetMessageClass(method.input_type)()
    names = {field.json_name: field.name for field in method.input_type.fields}
    for name, value in request.fields.items():
        if isinstance(value, list):
            getattr(message, names[name]).extend(value)
        else:
            setattr(message, names[name], value)
    if request.body is not None:
        rule = _body_field(case)
        target = message if rule == "*" else getattr(message, rule)
        json_codec.decode(json.dumps(request.body).encode(), target)
    return message


def _method(case: Case) -> MethodDescriptor:
    return {**METHODS, **STREAMS}[OPERATIONS[case.operation].rpc]


def _body_field(case: Case) -> str:
    """The field that an operation's body fills, "*" for all that are left."""
    rule = _method(case).GetOptions().Extensions[annotations_pb2.http]
    return str(rule.body)


def _refusal(case: Case, error: Any) -> Any:
    code = Code(next(code for code in Code if _status(code, case.status)))
    assert error.code() is GRPC[code], error.details()
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == (code.value, "wagate")
    assert error.details() == status.message != ""
    return {"error": {"code": info.reason, "details": dict(info.metadata), "message": status.message}}


def _status(code: Code, status: int) -> bool:
    return HTTP[code] == (400 if status == 422 else status)
