"""What the audit has kept when the node is killed."""

import json

import httpx

from tests.support.stack import Stack, eventually


def test_a_change_that_was_answered_is_in_the_audit_after_a_kill(stack: Stack) -> None:
    made = []
    for _ in range(5):
        # given a session that was made, and a node that is killed as soon as it has said so
        answer = stack.rest.post("/sessions", json={})
        old = stack.node
        old.kill()
        assert answer.status_code == httpx.codes.CREATED
        made.append(answer.json()["id"])
        eventually(lambda pid=old.pid: stack.node.pid != pid, "the node is replaced")  # type: ignore[misc] # mypy cannot infer a lambda with a default
        eventually(lambda: stack.rest.get("/sessions").status_code == httpx.codes.OK, "the node serves")
    # then every one of them is there
    lines = [json.loads(line) for line in stack.cli("audit", "list", "--json").splitlines()]
    assert [line["target"] for line in lines if line["operation"] == "createSession"] == made
