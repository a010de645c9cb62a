"""What one line of the table is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.rest.conformance.world import World


class By(Enum):
    """How a case is run."""

    BOTH = "REST and gRPC"
    """A case of the domain: both ways in must agree."""
    REST = "REST"
    """About HTTP or JSON, which native callers do not have."""
    EDGE = "REST, edge alone"
    """About the edge when its node is silent or away."""


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        fields: values of path and query by their names in the document.
        body: bytes as they are, anything else as JSON, None for no body.
        token: an api-key, None for none, "" for one with every capability.
        headers: further headers; native calls carry them as metadata.
    """

    fields: Mapping[str, str | int | bool | list[str]] = field(default_factory=dict)
    body: object = None
    token: str | None = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Given = Callable[[World], Request]
"""Makes everything as a case wants it, and returns what is asked."""
Check = Callable[[World, Any], None]
"""Looks at an answer's JSON (None for an empty one) and at the world."""


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        operation: its operationId.
        status: the documented HTTP status.
        name: tells it from other cases of the same two; words and hyphens.
        given: what has to be so, and what is asked.
        then: what the answer and the world are like afterwards.
        by: how it is run.
    """

    operation: str
    status: int
    name: str
    given: Given
    then: Check = lambda _world, _answer: None
    by: By = By.BOTH

    @property
    def id(self) -> str:
        """Its name among all."""
        return f"{self.operation}-{self.status}-{self.name}"
