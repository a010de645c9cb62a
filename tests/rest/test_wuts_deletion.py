"""`DELETE /messages/delete` over the whole product: what it does to the message."""

import json

import httpx

from tests.support.stack import Stack, eventually


def token_for(stack: Stack, session: str) -> str:
    return stack.cli("tokens", "create", "--session", session, "--user", "ada@acme.example")


def delete(stack: Stack, token: str, **body: object) -> httpx.Response:
    return httpx.request(
        "DELETE",
        f"{stack.ready['http']}/messages/delete",
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        content=json.dumps(body),
        timeout=30,
    )


def shown(stack: Stack, session: str, chat: str, message: str) -> dict[str, object] | None:
    return next((m for m in stack.stored(session, chat) if m["waMessageId"] == message), None)


def test_for_everyone_the_person_hears_the_revocation(stack: Stack, session: str, ada: str) -> None:
    message = stack.send(session, ada, "sent to the wrong contact").json()["waMessageId"]
    before = len(stack.heard("628120000001"))

    answer = delete(
        stack, token_for(stack, session), messageId=message, chatJid=ada, deleteType="for_everyone",
        validateOwnership=True,
    )  # fmt: skip

    assert answer.status_code == 200, answer.text
    assert answer.json()["metadata"]["within_time_limit"] is True
    eventually(lambda: len(stack.heard("628120000001")) > before, "the person hears of it")
    kept = shown(stack, session, ada, message)
    assert kept is not None
    assert (kept["deleted"], kept["body"]) == (True, "")


def test_for_me_it_is_hidden_here_and_nobody_hears_of_it(stack: Stack, session: str, ada: str) -> None:
    message = stack.send(session, ada, "to be hidden").json()["waMessageId"]

    answer = delete(stack, token_for(stack, session), messageId=message, chatJid=ada, deleteType="for_me")

    assert answer.status_code == 200, answer.text
    assert shown(stack, session, ada, message) is None
    later = stack.send(session, ada, "what came next").json()["waMessageId"]
    eventually(lambda: later in [m["id"] for m in stack.heard("628120000001")], "the person hears the next")
    heard = [m["id"] for m in stack.heard("628120000001")]
    assert heard.index(later) == heard.index(message) + 1


def test_a_token_opens_its_own_session_alone(stack: Stack, session: str, ada: str) -> None:
    other = stack.rest.post("/sessions", json={"label": "of somebody else"}).json()["id"]
    message = stack.send(session, ada, "not yours").json()["waMessageId"]

    answer = delete(stack, token_for(stack, other), messageId=message, chatJid=ada)

    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    assert shown(stack, session, ada, message) is not None


def test_a_received_message_is_not_the_sessions_own(stack: Stack, session: str, ada: str) -> None:
    message = stack.says("628120000001", "628110000001", "mine")
    eventually(lambda: shown(stack, session, ada, message), "it is stored")

    answer = delete(stack, token_for(stack, session), messageId=message, chatJid=ada, validateOwnership=True)

    assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN")


def test_a_session_that_is_not_connected_is_a_device_that_is_not_ready(stack: Stack, ada: str) -> None:
    session = stack.paired("628110000031")
    message = stack.send(session, ada, "soon stopped").json()["waMessageId"]
    stack.rest.post(f"/sessions/{session}:stop").raise_for_status()
    token = token_for(stack, session)

    refused = delete(stack, token, messageId=message, chatJid=ada)
    assert (refused.status_code, refused.json()["error_code"]) == (503, "DEVICE_NOT_READY")
    assert delete(stack, token, messageId=message, chatJid=ada, deleteType="for_me").status_code == 200


def test_it_is_audited_with_its_user(stack: Stack, session: str) -> None:
    answer = delete(stack, token_for(stack, session), messageId="3EB0C0FFEE", chatJid="628120000001@lid")
    assert answer.status_code == 404

    def line() -> dict[str, object] | None:
        lines = [json.loads(text) for text in stack.cli("audit", "list", "--json").splitlines()]
        return next((found for found in lines if found["operation"] == "deleteMessage"
                     and "3EB0C0FFEE" in str(found["target"])), None)  # fmt: skip

    found = eventually(line, "the audit has it")
    assert (found["actor"], found["outcome"]) == ("ada@acme.example", "not_found")
