"""The examples in TypeScript, at the running product."""

from tests.examples.program import Setting, command
from tests.examples.receivers import ReceiverCase
from tests.support.stack import Stack, eventually

REPLY = command("typescript/src/reply.ts")


def heard(stack: Stack, person: str) -> list[str]:
    """The texts that a person has read."""
    return [message["text"] for message in stack.heard(person.partition("@")[0])]


def test_reply_replies_once_whatever_dies(setting: Setting, stack: Stack) -> None:
    stack.paired("628110000003")
    carol = stack.person("628120000003", "Carol")
    number = carol.partition("@")[0]
    replies = [f"You said: {word}" for word in ("one", "two", "three")]
    position = setting.folder / "position"
    with setting.running(REPLY) as program:
        eventually(position.exists, "it follows")
        stack.says(number, "628110000003", "one")
        program.line_with("replied to evt_")
        eventually(lambda: heard(stack, carol) == replies[:1], "the first reply")
        dealt_with = position.read_text()
        # The node dies under it, with nothing in the outbox: what was being sent might be lost.
        old = stack.node
        old.kill()
        eventually(lambda: stack.node.pid != old.pid, "the node is replaced")
        stack.says(number, "628110000003", "two")
        eventually(lambda: heard(stack, carol) == replies[:2], "the second reply")
    # It dies itself, having forgotten what it did last.
    position.write_text(dealt_with)
    with setting.running(REPLY) as program:
        stack.says(number, "628110000003", "three")
        eventually(lambda: replies[2] in heard(stack, carol), "the third reply")
    assert heard(stack, carol) == replies


def test_reply_ends_where_there_is_no_point(setting: Setting) -> None:
    done = setting.run(REPLY, WAGATE_API_KEY="wa_wrong")
    assert done.returncode == 1
    assert "unauthorized" in done.stderr


def test_the_receiver_takes_what_is_genuine(setting: Setting, stack: Stack, session: str, ada: str) -> None:
    case = ReceiverCase(setting, stack, command("typescript/src/webhook_receiver.ts"))
    case.takes_what_is_genuine(
        session, ada, lambda: [path.stem for path in (setting.folder / "events").glob("*.json")]
    )
