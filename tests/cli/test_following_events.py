"""`wagate events tail`: live, from a moment on, filtered, and through a restart of the node."""

import json

from tests.cli.shell import Shell
from tests.support.stack import Stack, eventually


def test_events_are_shown_as_they_happen(stack: Stack, at_work: Shell, ada: str) -> None:
    with at_work.starting("events", "tail", "--event", "message") as running:

        def shown() -> bool:  # the stream begins some time after the command
            stack.says(ada, "628210000001", "live?")
            return "live?" in running.text

        eventually(shown, "a message is shown")
        assert "628220000001@s.whatsapp.net <- live?" in running.text


def test_events_since_a_moment_as_json(stack: Stack, at_work: Shell, session: str, ada: str) -> None:
    stack.says(ada, "628210000001", "for the log")
    words = ("events", "tail", "--since", "1h", "--session", session, "--event", "message", "--json")
    with at_work.starting(*words) as running:
        running.shows("for the log")
    events = [json.loads(line) for line in running.text.splitlines() if line.endswith("}")]
    assert {event["event"] for event in events} == {"message"}
    with stack.rest.stream(
        "GET", "/events", params={"since": "evt_" + "0" * 26, "events": "message"}
    ) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: ") and json.loads(line[6:])["id"] == events[0]["id"]:
                assert json.loads(line[6:]) == events[0]  # every field, null where there is nothing
                break

    behind = at_work.well(
        "events", "tail", "--since", events[0]["id"], "--event", "message", "--count", "1", "--json"
    )
    assert behind.lines[0]["id"] > events[0]["id"]


def test_since_a_moment_behind_everything(stack: Stack, at_work: Shell, ada: str) -> None:
    """Nothing has happened since: what happens from now on is shown."""
    with at_work.starting("events", "tail", "--since", "2099-01-01", "--event", "message") as running:

        def shown() -> bool:
            stack.says(ada, "628210000001", "in the future")
            return "in the future" in running.text

        eventually(shown, "a message is shown")


def test_it_goes_on_where_the_node_was_killed(stack: Stack, at_work: Shell, session: str, ada: str) -> None:
    with at_work.starting("events", "tail", "--since", "1h", "--event", "message", "--json") as running:
        stack.says(ada, "628210000001", "before the kill")
        running.shows("before the kill")
        old = stack.node
        old.kill()
        eventually(lambda: stack.node.pid != old.pid, "the node is replaced")
        stack.await_status(session, "working")
        stack.says(ada, "628210000001", "after the kill")
        running.shows("after the kill")
    ids = [json.loads(line)["id"] for line in running.text.splitlines() if line.endswith("}")]
    assert len(ids) == len(set(ids))
    assert ids == sorted(ids)
