"""The API's own OpenAPI document, for tests that follow it."""

import json
from dataclasses import dataclass
from typing import Any

from tools.gateway import OPENAPI, ROOT

Document = dict[str, Any]


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
