"""Messages that cannot be read as they come in, and own ones that others cannot read."""

import httpx

from tests.support import golden
from tests.support.stack import Stack, eventually
from tests.support.told import telling

ACCOUNT, ADA, BOB = "628110000071", "628120000071", "628120000072"


def test_what_cannot_be_decrypted_is_shown_and_filled(stack: Stack) -> None:
    # Given a session that has heard from Ada before
    chat = stack.person(ADA, "Ada")
    session = stack.paired(ACCOUNT)
    stack.says(ADA, ACCOUNT, "first")
    path = f"/sessions/{session}/chats/{chat}"
    eventually(lambda: stack.rest.get(path).status_code == httpx.codes.OK, "the first message is stored")
    # When a message comes in damaged
    stack.fault(kind="corrupt", number=ACCOUNT, count=1)
    with telling(stack, ["message", "message.decrypted"]) as events:
        said = stack.says(ADA, ACCOUNT, "Hello")
        placeholder, filled = next(events), next(events)
    # Then readers see that there is one, and what it says when Ada's device has sent it once more
    assert (placeholder["event"], placeholder["payload"]["type"]) == ("message", "undecryptable")
    assert (placeholder["payload"]["waMessageId"], placeholder["payload"]["body"]) == (said, "")
    golden.check(placeholder, name="message.undecryptable")
    assert filled["payload"] == {**placeholder["payload"], "type": "text", "body": "Hello"}
    golden.check(filled)
    newest = stack.stored(session, chat)[0]
    assert (newest["waMessageId"], newest["type"], newest["body"]) == (said, "text", "Hello")
    assert not newest["edited"]


def test_what_others_cannot_decrypt_is_sent_to_them_again(stack: Stack) -> None:
    chat = stack.person(BOB, "Bob")
    session = stack.paired("628110000072")
    stack.send(session, chat, "first").raise_for_status()
    stack.fault(kind="corrupt", number=BOB, count=1)
    sent = stack.send(session, chat, "damaged").json()
    eventually(
        lambda: (sent["waMessageId"], "damaged") in {(m["id"], m["text"]) for m in stack.heard(BOB)},
        "Bob reads it after all",
    )
