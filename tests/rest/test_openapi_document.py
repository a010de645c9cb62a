"""The gateway does what its OpenAPI document says: requests made from the document, answers held to it.

A finding prints the request to repeat it with. What may go wrong is documented with its status, and so no
status is excused here: a 500, which no operation documents, fails as much as a field that nobody wrote down.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import api_document
from tests.support.databases import NewDatabase
from tests.support.stack import Stack, running

SEED = "20261121"
# Not among them: unsupported methods. Envoy refuses QUERY without a content-type with 400 by itself, as that
# method's RFC wants; 405 has tests in tests/edge.
CHECKS = (
    "status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance"
)
ACCEPTANCE = {"negative": "negative_data_rejection", "positive": "positive_data_acceptance"}
VCARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nTEL:+628120000001\nEND:VCARD"
RECEIVER = "http://127.0.0.1:9/"
"""Where nobody listens."""
LONG_AFTER = 4_102_444_800_000
"""The year 2100, epoch milliseconds."""


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Stack]:
    """A product of its own: what is made up here may stop, unlink and delete everything."""
    folder = tmp_path_factory.mktemp("document")
    settings = {
        "WAGATE_RATE_PER_MIN": "0",
        "WAGATE_RATE_PER_HOUR": "0",
        "WAGATE_WEBHOOK_ALLOW_PRIVATE": "1",  # webhooks that are made up lead to this machine alone
        **new_database(),
    }
    with running(folder / "data", **settings) as product:
        yield product


@dataclass(frozen=True)
class Found:
    """What there is to talk about.

    Attributes:
        session: one that works.
        chat: a chat of it.
        poll: the WhatsApp id of a poll in that chat.
        invite: the code of a group.
        webhook: the id of one.
    """

    session: str
    chat: str
    poll: str
    invite: str
    webhook: str


@pytest.fixture(scope="module")
def found(fuzzed: Stack) -> Found:
    session = fuzzed.paired("628110000001")
    schemas = api_document.load()["components"]["schemas"]
    chat: str = schemas["OutgoingMessage"]["properties"]["to"]["examples"][0]
    fuzzed.person(chat.partition("@")[0], kind="sink")
    poll = {"to": chat, "type": "poll", "name": "Tea?", "options": ["yes", "no"]}
    answer = fuzzed.rest.post(f"/sessions/{session}/messages", json=poll)
    answer.raise_for_status()
    fuzzed.person("628120000001")
    group = fuzzed.sandbox.post("/groups", json={"by": "628120000001", "subject": "Friends", "members": []})
    group.raise_for_status()
    webhook = fuzzed.rest.post("/webhooks", json={"url": RECEIVER, "active": False})
    webhook.raise_for_status()
    poll_id, invite = answer.json()["waMessageId"], group.json()["inviteCode"]
    return Found(session, chat, poll_id, invite, webhook.json()["id"])


def narrowed(document: api_document.Document, found: Found) -> api_document.Document:
    """The document, with values that exist where only existing ones lead anywhere."""
    exists = {
        "session": [found.session],
        "cid": [found.chat],
        "mid": [found.poll],
        "id": [found.webhook],
        "cursor": [""],
    }
    for operation in api_document.operations(document).values():
        for parameter in operation.said["parameters"]:
            values = exists.get(parameter["name"])
            # Sessions are made and ended by the run itself; only their own operations may do that.
            own = parameter["name"] == "session" and operation.said["tags"] == ["Sessions"]
            if values and not own:
                parameter["schema"] = {"type": "string", "enum": values}
    return document


def sensible(document: api_document.Document, found: Found) -> api_document.Document:
    """The document, without what no schema can say: what fields mean to each other, and to what is stored."""
    schemas = document["components"]["schemas"]
    for path in [path for path, said in document["paths"].items() if path.endswith(("{mid}", "/vote"))]:
        document["paths"][path].pop("patch", None)  # editing needs a text, not a poll
    for schema in schemas.values():
        for name, values in (
            ("chat", [found.chat]),
            ("sender", [""]),
            ("invite", [found.invite]),
        ):
            if name in schema.get("properties", {}):
                schema["properties"][name] = {"enum": values}
    outgoing = schemas["OutgoingMessage"]
    outgoing["properties"]["replyTo"] = {"enum": ["", None]}
    text = json.dumps(outgoing["allOf"])
    # A poll has fewer characters for its question than a place for its label, and at least two options.
    text = text.replace('"maxLength": 1000', '"maxLength": 255, "pattern": "^[^ ]+$"').replace(
        '"maximum": 12', '"maximum": 2'
    )
    outgoing["allOf"] = json.loads(text.replace('{"type": "string"}', json.dumps({"enum": [VCARD]})))
    schemas["VoteMessageRequest"]["properties"]["options"]["items"] = {"enum": ["yes", "no"]}
    for name in ("CreateWebhookRequest", "UpdateWebhookRequest"):
        webhook = schemas[name]["properties"]
        # Nothing is posted to anybody, and the sessions of examples are nobody's.
        webhook["url"] = {"enum": [RECEIVER]}
        webhook["active"] = {"enum": [False]}
        webhook["sessionId"] = {"enum": ["", None]}
        webhook["customHeaders"] = {"enum": [{}, {"X-Tenant": "7"}]}
    chat = schemas["UpdateChatRequest"]["properties"]
    chat["archived"] = {"enum": [False, None]}
    chat["mutedUntil"].update(minimum=LONG_AFTER, maximum=2 * LONG_AFTER)
    return document


def run(stack: Stack, folder: Path, found: Found, examples: int) -> None:
    """Asks for everything, good and bad.

    Bad requests need the whole document: what breaks a narrowed rule may be good. The sessions' own
    operations come last, because they end those that they find.
    """
    # It reads answers to their end: the streams are for the table of tests/rest/conformance.
    bare = api_document.without_examples(api_document.closed(api_document.load()))
    whole = narrowed(api_document.without_streams(bare), found)
    documents = {"negative": whole, "positive": sensible(json.loads(json.dumps(whole)), found)}
    for which in ("--exclude-tag", "--include-tag"):
        for mode, document in documents.items():
            path = folder / f"{mode}.json"
            path.write_text(json.dumps(document))
            told = ask(stack, path, mode, which, "Sessions", "--max-examples", str(examples))
            asked = [
                operation.name
                for operation in api_document.operations(document).values()
                if (operation.said["tags"] == ["Sessions"]) is (which == "--include-tag")
            ]
            tested = re.search(r"Tested: (\d+)", told)
            assert tested, told
            assert int(tested[1]) == len(asked), told
            sys.stdout.write(told)


def ask(stack: Stack, document: Path, mode: str, *words: str) -> str:
    """Runs schemathesis on a document; returns what it said."""
    # Its examples are good requests, whatever the mode.
    phases = "examples,coverage,fuzzing" if mode == "positive" else "coverage,fuzzing"
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(document), "--mode", mode),
        *("--url", stack.ready["http"], "--header", f"Authorization: Bearer {stack.ready['apiKey']}"),
        *("--phases", phases, "--seed", SEED, "--checks", f"{CHECKS},{ACCEPTANCE[mode]}", *words),
        *("--continue-on-failure", "--no-color", "--warnings", "off", "--suppress-health-check", "all"),
    ]
    done = subprocess.run(command, cwd=document.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    return done.stdout


@pytest.mark.timeout(600)
def test_every_answer_is_as_documented(fuzzed: Stack, found: Found, tmp_path: Path) -> None:
    node = fuzzed.node.pid
    run(fuzzed, tmp_path, found, examples=10)
    assert fuzzed.node.pid == node


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_answer_is_as_documented_for_long(fuzzed: Stack, found: Found, tmp_path: Path) -> None:
    node = fuzzed.node.pid
    run(fuzzed, tmp_path, found, examples=150)
    assert fuzzed.node.pid == node
