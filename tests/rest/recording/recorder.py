"""Asks the product and notes down what was asked and answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from server.rpc import sse
from tests.support import api_document
from tests.support.api_document import Operation
from tests.support.stack import Stack

Fields = Mapping[str, str | int | bool | list[str]]
Example = dict[str, Any]


@dataclass
class Recorder:
    """Notes examples by their operation, and those that stand for an error wherever it comes.

    Attributes:
        examples: by operationId, in the order in which they were taken.
        errors: by the error's code, its answers alone.
        aliases: what stands in the product's answers because of this machine, and what to write instead.
    """

    stack: Stack
    examples: dict[str, list[Example]] = field(default_factory=dict)
    errors: dict[str, list[Example]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    operations: dict[str, Operation] = field(
        default_factory=lambda: api_document.operations(api_document.load())
    )

    def take(
        self,
        operation: str,
        summary: str,
        status: int = 200,
        *,
        fields: Fields | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        everywhere: bool = False,
    ) -> Any:
        """Asks once, checks the status, and keeps both as an example.

        Args:
            operation: its operationId.
            summary: what it shows, in a few words; the example's name is made of it.
            status: what must come.
            fields: values of path and query by their names in the document.
            body: as JSON; None for none.
            headers: further headers; the product's own key unless they have an `authorization`, none at all
                where that is empty.
            everywhere: whether the answer also stands for its error at every other operation.

        Returns:
            The answer's JSON, None for an empty one.
        """
        given = dict(fields or {})
        found = self.operations[operation]
        query = {name: value for name, value in given.items() if name not in found.variables}
        request = self.stack.rest.build_request(
            found.method,
            found.path.removeprefix("/api/v1").format(**given),
            params=query,
            json=body,
            headers={"authorization": f"Bearer {self.stack.ready['apiKey']}", **(headers or {})},
        )
        if not request.headers["authorization"]:
            del request.headers["authorization"]
        answer = self.stack.rest.send(request)
        assert answer.status_code == status, f"{operation}, {summary}: {answer.status_code} {answer.text}"
        said = answer.json() if answer.content else None
        example: Example = {"name": _name(summary), "summary": summary, "status": status}
        example["path"] = {name: given[name] for name in found.variables}
        example["query"] = query
        example["headers"] = {k: v for k, v in (headers or {}).items() if k != "authorization"}
        example["body"] = body
        example["answer"] = said
        self._keep(operation, example)
        if everywhere:
            self.keep_error(summary, answer)
        return said

    def take_stream(self, operation: str, summary: str, *, fields: Fields, events: int) -> None:
        """Follows a stream until so many events have come, and keeps its text."""
        path = self.operations[operation].path.removeprefix("/api/v1")
        text = ""
        with self.stack.rest.stream("GET", path, params=dict(fields)) as answer:
            assert answer.status_code == httpx.codes.OK
            assert answer.headers["content-type"] == sse.CONTENT_TYPE
            parts = answer.iter_text()
            while text.count("\ndata: ") < events or not text.endswith("\n\n"):
                text += next(parts)
        frames = [f"{frame}\n\n" for frame in text.split("\n\n") if frame]
        wanted = [index for index, frame in enumerate(frames) if "data: " in frame][events - 1]
        example: Example = {"name": _name(summary), "summary": summary, "status": 200, "path": {}}
        example.update(query=dict(fields), headers={}, body=None, answer="".join(frames[: wanted + 1]))
        self._keep(operation, example)

    def keep_error(self, summary: str, answer: httpx.Response) -> None:
        """Keeps an answer as what its error looks like everywhere."""
        said = json.loads(answer.content)
        kept = self.errors.setdefault(said["error"]["code"], [])
        kept.append({"name": _name(summary), "summary": summary, "answer": said})

    def _keep(self, operation: str, example: Example) -> None:
        kept = self.examples.setdefault(operation, [])
        assert example["name"] not in {other["name"] for other in kept}, "two examples of one name"
        kept.append(example)


def _name(summary: str) -> str:
    """A summary as a name: "A text" becomes "a-text"."""
    words = "".join(letter if letter.isalnum() else " " for letter in summary.lower()).split()
    return "-".join(words)
