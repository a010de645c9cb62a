"""Examples of requests and answers: `tests/golden/operations`, taken by a test from the running product."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = Path("tests") / "golden" / "operations"
"""A file for each operation, called as its operationId."""
ERRORS: Final = "errors"
"""The file of answers that stand for an error wherever it comes, by its code."""

Named = dict[str, dict[str, Any]]
"""Examples as OpenAPI has them: by name."""


@dataclass(frozen=True)
class Examples:
    """What was recorded.

    Attributes:
        operations: requests with their answers, by operationId.
        errors: answers by the error's code.
    """

    operations: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    errors: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path = ROOT / FOLDER) -> Self:
        """Those that are kept."""
        found = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
        errors: Mapping[str, list[dict[str, Any]]] = found.pop(ERRORS, {})
        return cls(found, errors)

    def bodies(self, operation: str) -> Named:
        """Bodies of requests that were done, each once."""
        different: dict[str, Mapping[str, Any]] = {}
        for one in self._of(operation):
            if one["status"] < 400 and one["body"] is not None:
                different.setdefault(json.dumps(one["body"]), one)
        return _named(different.values(), "body")

    def answers(self, operation: str, status: int) -> Named:
        """Answers of one status."""
        return _named([one for one in self._of(operation) if one["status"] == status], "answer")

    def of_code(self, code: str) -> Named:
        """Answers that stand for an error everywhere."""
        return _named(self.errors.get(code, ()), "answer")

    def _of(self, operation: str) -> Iterable[dict[str, Any]]:
        return self.operations.get(operation, ())


def _named(examples: Iterable[Mapping[str, Any]], part: str) -> Named:
    return {one["name"]: {"summary": one["summary"], "value": one[part]} for one in examples}
