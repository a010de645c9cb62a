"""The API's own OpenAPI document, for tests that follow it."""

import json
from dataclasses import dataclass
from typing import Any

from tools.gateway import OPENAPI, ROOT

Document = dict[str, Any]

_EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True)
class Operation:
    """An operation as the document has it.

    Attributes:
        name: its operationId.
        method: upper case.
        path: with variables in braces.
        said: everything that the document says of it.
    """

    name: str
    method: str
    path: str
    said: Document

    @property
    def statuses(self) -> list[int]:
        """The documented statuses."""
        return [int(status) for status in self.said["responses"]]

    @property
    def takes_body(self) -> bool:
        """Whether it has a body."""
        return "requestBody" in self.said

    @property
    def is_stream(self) -> bool:
        """Whether its answer goes on without end."""
        return _EVENT_STREAM in self.said["responses"].get("200", {}).get("content", {})

    @property
    def variables(self) -> list[str]:
        """Names of what its path needs."""
        return [parameter["name"] for parameter in self.said["parameters"] if parameter["in"] == "path"]

    @property
    def rpc(self) -> str:
        """The name of its RPC."""
        return self.name[0].upper() + self.name[1:]


def load() -> Document:
    """The document."""
    document: Document = json.loads((ROOT / OPENAPI).read_text())
    return document


def operations(document: Document) -> dict[str, Operation]:
    """Its operations by name."""
    return {
        said["operationId"]: Operation(said["operationId"], method.upper(), path, said)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }


def without_examples(document: Document) -> Document:
    """The document without examples of whole requests and answers, which name what another run made."""

    def stripped(value: Any) -> Any:
        if isinstance(value, list):
            return [stripped(item) for item in value]
        if not isinstance(value, dict):
            return value
        whole = "schema" in value and isinstance(value.get("examples"), dict)
        return {key: stripped(inner) for key, inner in value.items() if not (whole and key == "examples")}

    result: Document = stripped(document)
    return result


def without_streams(document: Document) -> Document:
    """The document without operations whose answers never end, for what reads answers to their end."""
    result: Document = json.loads(json.dumps(document))
    for operation in operations(document).values():
        if operation.is_stream:
            del result["paths"][operation.path]
    return result


def answer_schema(document: Document, operation: Operation, status: int) -> Document | None:
    """The JSON Schema of an answer, whole in itself; None where the answer has no body.

    For an answer without end it is that of each event.
    """
    response = operation.said["responses"][str(status)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    if "content" not in response:
        return None
    content = response["content"]
    schema = content[_EVENT_STREAM]["x-itemSchema"] if _EVENT_STREAM in content else None
    return {**(schema or content["application/json"]["schema"]), "components": document["components"]}


def closed(document: Document) -> Document:
    """The document with answers that may hold nothing but what it names.

    For callers an answer may grow; a test wants to hear of every field that nobody wrote down.
    """
    result: Document = json.loads(json.dumps(document))
    for name, schema in result["components"]["schemas"].items():
        if name != "Error":
            schema["additionalProperties"] = False
    error = result["components"]["schemas"]["Error"]
    error["additionalProperties"] = False
    error["properties"]["error"]["additionalProperties"] = False
    return result
