"""The gateway does what its OpenAPI document says: requests made from the document, answers held to it.

A finding prints the request to repeat it with. What may go wrong is documented with its status, and so no
status is excused here: a 500, which no operation documents, fails as much as a field that nobody wrote down.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import api_document
from tests.support.stack import Stack, running

SEED = "20261121"
# Not among them: unsupported methods. Envoy refuses QUERY without a content-type with 400 by itself, as that
# method's RFC wants; 405 has tests in tests/edge.
CHECKS = (
    "status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,positive_data_acceptance"
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product of its own: what is made up here may stop, unlink and delete everything."""
    folder = tmp_path_factory.mktemp("document")
    with running(folder / "data") as product:
        yield product


def document_for(stack: Stack, folder: Path) -> Path:
    """The document with values that exist where only existing ones lead anywhere."""
    document = api_document.closed(api_document.load())
    session = stack.paired("628110000001")
    example = document["components"]["schemas"]["OutgoingMessage"]["properties"]["to"]["examples"][0]
    stack.person(example.partition("@")[0], kind="sink")
    stack.send(session, example, "hello").raise_for_status()
    exists = {"session": [session], "cid": [example], "cursor": [""]}
    for operation in api_document.operations(document).values():
        for parameter in operation.said["parameters"]:
            values = exists.get(parameter["name"])
            # Sessions are made and ended by the run itself; only their own operations may do that.
            own = parameter["name"] == "session" and operation.said["tags"] == ["Sessions"]
            if values and not own:
                parameter["schema"] = {"type": "string", "enum": values}
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    return path


def run(stack: Stack, folder: Path, examples: int) -> None:
    words = [
        *(Path(sys.executable).with_name("schemathesis"), "run", document_for(stack, folder)),
        *("--url", stack.ready["http"], "--header", f"Authorization: Bearer {stack.ready['apiKey']}"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", examples, "--seed", SEED),
        *("--checks", CHECKS, "--continue-on-failure", "--no-color", "--warnings", "off"),
        *("--suppress-health-check", "all"),
    ]
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested
    assert int(tested[1]) == len(api_document.operations(api_document.load())), done.stdout
    sys.stdout.write(done.stdout)


def test_every_answer_is_as_documented(fuzzed: Stack, tmp_path: Path) -> None:
    node = fuzzed.node.pid
    run(fuzzed, tmp_path, examples=15)
    assert fuzzed.node.pid == node


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_answer_is_as_documented_for_long(fuzzed: Stack, tmp_path: Path) -> None:
    node = fuzzed.node.pid
    run(fuzzed, tmp_path, examples=500)
    assert fuzzed.node.pid == node
