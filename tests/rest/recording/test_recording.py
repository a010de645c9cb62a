"""The examples of the API's document are what the product answers.

All of them are taken anew from a product of their own, and must be those that are kept in
tests/golden/operations. `make examples` writes them instead; look at the difference before keeping it.
"""

import json
import os

import pytest

from tests.rest.recording import chats, messages, refusals, sessions, webhooks
from tests.rest.recording.recorder import Recorder
from tests.rest.recording.steadying import Steadying
from tests.rest.recording.story import RATE, Story
from tests.support import api_document
from tests.support.receiver import receiving_aside
from tests.support.stack import running
from tools.openapi.examples import ERRORS, FOLDER, ROOT

SETTINGS = {
    "WAGATE_NODE_ID": "gateway-1",
    "WAGATE_SEND_TIMEOUT": "2",
    "WAGATE_PROBE_SECONDS": "2",
    "WAGATE_RATE_PER_MIN": str(RATE),
    "WAGATE_RATE_PER_HOUR": "600",
    "WAGATE_WEBHOOK_ALLOW_PRIVATE": "1",
}


CHAPTERS = (
    sessions.pairing,
    webhooks.making,
    messages.sending,
    messages.acting,
    chats.reading,
    chats.groups,
    chats.following,
    webhooks.delivering,
    refusals.refused,
    refusals.over_the_rate,
    refusals.without_acknowledgement,
    sessions.ending,
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the files of the folder must hold, by their names."""
    folder = tmp_path_factory.mktemp("recording")
    with running(folder / "data", **SETTINGS) as stack, receiving_aside() as receiver:
        recorder = Recorder(stack)
        story = Story(recorder, receiver)
        for chapter in CHAPTERS:
            chapter(story)
    refusals.without_a_node(recorder, folder)
    steadying = Steadying(recorder.aliases)
    # Each by itself: what different ones say of time has nothing to do with each other.
    steady: dict[str, object] = {
        name: [steadying.steady(example) for example in examples]
        for name, examples in recorder.examples.items()
    }
    steady[ERRORS] = steadying.steady(recorder.errors)
    return {
        f"{name}.json": json.dumps(kept, ensure_ascii=False, indent=2) + "\n" for name, kept in steady.items()
    }


def test_the_kept_examples_are_what_the_product_answers(recorded: dict[str, str]) -> None:
    folder = ROOT / FOLDER
    if os.environ.get("WAGATE_GOLDEN") == "write":
        folder.mkdir(exist_ok=True)
        for path in folder.glob("*.json"):
            path.unlink()
        for name, text in recorded.items():
            (folder / name).write_text(text)
    kept = {path.name: path.read_text() for path in folder.glob("*.json")}
    assert kept.keys() == recorded.keys()
    for name, text in recorded.items():
        assert json.loads(kept[name]) == json.loads(text), f"{name}: see `make examples`"


def test_every_operation_is_in_the_recording(recorded: dict[str, str]) -> None:
    names = {f"{name}.json" for name in api_document.operations(api_document.load())}
    assert recorded.keys() == names | {f"{ERRORS}.json"}
