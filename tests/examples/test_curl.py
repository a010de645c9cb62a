"""The examples with curl, at the running product."""

import json
import shutil

import pytest

from tests.examples.program import Setting, command
from tests.support.stack import Stack, eventually, free_port

SEND, FOLLOW = command("curl/send.sh"), command("curl/follow.sh")


@pytest.fixture(scope="module", autouse=True)
def _curl() -> None:
    assert shutil.which("curl"), "these tests run what people type: install curl"


def test_send_sends(setting: Setting, stack: Stack, session: str, ada: str) -> None:
    text = 'It\'s "quoted", $HOME, \\ and\ntwo lines \N{WAVING HAND SIGN}'
    done = setting.run([*SEND, session, ada, text])
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["status"], result["replayed"]) == ("sent", False)
    eventually(
        lambda: text in [message["text"] for message in stack.heard(ada.partition("@")[0])], "Ada has it"
    )


def test_send_finds_a_gateway_that_was_away(setting: Setting, stack: Stack, session: str, ada: str) -> None:
    """The node is killed; until there is another one the answer is 503."""
    old = stack.node
    old.kill()
    done = setting.run([*SEND, session, ada, "after a while"])
    if done.returncode:  # the node is back before its sessions are
        assert json.loads(done.stdout)["error"]["code"] == "conflict"
    eventually(lambda: stack.node.pid != old.pid, "the node is replaced")
    stack.await_status(session, "working")
    assert setting.run([*SEND, session, ada, "later"]).returncode == 0


def test_send_says_why_not(setting: Setting, session: str) -> None:
    done = setting.run([*SEND, session, "nobody", "Hello"])
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "validation_error"
    done = setting.run([*SEND, session, "nobody", "Hello"], WAGATE_API_KEY="wa_wrong")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "unauthorized"


def test_follow_goes_on_where_it_was(setting: Setting, stack: Stack, session: str, ada: str) -> None:
    names = "message"
    (setting.folder / "position").write_text("evt_" + "0" * 26)
    stack.send(session, ada, "one").raise_for_status()
    with setting.running([*FOLLOW, names]) as program:
        while (told := json.loads(program.line()))["payload"]["body"] != "one":
            assert told["event"] == "message"
        old = stack.node
        old.kill()
        eventually(lambda: stack.node.pid != old.pid, "the node is replaced")
        stack.await_status(session, "working")
        stack.send(session, ada, "two").raise_for_status()
        assert json.loads(program.line())["payload"]["body"] == "two"
    stack.send(session, ada, "three").raise_for_status()
    with setting.running([*FOLLOW, names]) as program:
        bodies = [json.loads(program.line())["payload"]["body"]]
        while bodies[-1] != "three":
            bodies.append(json.loads(program.line())["payload"]["body"])
    assert bodies in (["three"], ["two", "three"])  # killed behind printing it and before keeping its id


def test_follow_ends_where_there_is_no_point(setting: Setting) -> None:
    done = setting.run(FOLLOW, WAGATE_API_KEY="wa_wrong")
    assert done.returncode == 1
    assert json.loads(done.stderr)["error"]["code"] == "unauthorized"


def test_nobody_there_is_tried_again(setting: Setting) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    aloud = ["sh", "-c", 'exec 2>&1; . "$0"', FOLLOW[1]]
    with setting.running(aloud, WAGATE_URL=nobody) as program:
        for _ in range(2):
            program.line_with("curl: (7)")
