"""The API's document says what each thing is, and shows each thing once at least."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support import api_document
from tests.support.api_document import Operation

API = api_document.load()
OPERATIONS = list(api_document.operations(API).values())
SUMMARY = 100
"""Characters that a list of operations has place for."""

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def response(operation: Operation, status: int) -> dict[str, Any]:
    said: dict[str, Any] = operation.said["responses"][str(status)]
    if "$ref" in said:
        said = API["components"]["responses"][said["$ref"].rpartition("/")[2]]
    return said


def content(of: dict[str, Any]) -> dict[str, Any]:
    """What there is of the one media type of a body."""
    (found,) = of["content"].values()
    assert isinstance(found, dict)
    return found


def values(of: dict[str, Any]) -> list[object]:
    return [example["value"] for example in content(of).get("examples", {}).values()]


def whole(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": api_document.closed(API)["components"]})


def test_every_group_of_operations_is_described() -> None:
    assert [tag["name"] for tag in API["tags"]][:2] == ["Sessions", "Messages"]
    assert all(tag["description"] for tag in API["tags"])
    assert all(scheme["description"] for scheme in API["components"]["securitySchemes"].values())


@every_operation
def test_an_operation_says_what_it_does_and_needs(operation: Operation) -> None:
    said = operation.said
    assert 5 < len(said["summary"]) <= SUMMARY
    assert "Needs the capability" in said["description"]
    for parameter in said["parameters"]:
        assert parameter["description"], parameter["name"]
    if operation.takes_body:
        assert said["requestBody"]["description"]
    for status in operation.statuses:
        assert response(operation, status)["description"], status


def test_every_field_says_what_it_is() -> None:
    for name, schema in API["components"]["schemas"].items():
        assert schema["description"], name
        for field, inner in schema["properties"].items():
            assert name == "Error" or inner.get("description"), f"{name}.{field}"


def test_comments_for_grpc_callers_do_not_show() -> None:
    assert "gRPC:" not in json.dumps(API)
    assert "REST:" not in json.dumps(API)


@every_operation
def test_every_body_is_shown_and_is_a_good_one(operation: Operation) -> None:
    if not operation.takes_body:
        return
    body = operation.said["requestBody"]
    assert values(body)
    for value in values(body):
        whole(content(body)["schema"]).validate(value)


@every_operation
def test_every_answer_is_shown_and_is_as_its_schema_says(operation: Operation) -> None:
    for status in operation.statuses:
        said = response(operation, status)
        if "content" not in said:
            assert status == 204
            continue
        assert values(said), status
        for value in values(said):
            whole(content(said)["schema"]).validate(value)
            if operation.is_stream and status < 300:
                for event in events(value):
                    whole(content(said)["x-itemSchema"]).validate(event)


def events(stream: object) -> Iterator[object]:
    assert isinstance(stream, str)
    for line in stream.splitlines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
