"""The examples in Python, at the running product."""

import contextlib
import sqlite3

from tests.examples.program import Setting, command
from tests.examples.receivers import ReceiverCase
from tests.support.stack import Stack, eventually

SEND, REPLY, FOLLOW = (command(f"python/{name}.py") for name in ("send", "reply", "follow_with_grpc"))


def heard(stack: Stack, person: str) -> list[str]:
    """The texts that a person has read."""
    return [message["text"] for message in stack.heard(person.partition("@")[0])]


def test_send_sends(setting: Setting, stack: Stack, session: str, ada: str) -> None:
    done = setting.run([*SEND, session, ada, 'She said: "Hello"'])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sent: 3EB0")
    eventually(lambda: 'She said: "Hello"' in heard(stack, ada), "Ada has it")


def test_send_says_why_not(setting: Setting, stack: Stack, session: str) -> None:
    done = setting.run(SEND)
    assert (done.returncode, done.stdout) == (1, "")
    assert "send.py <session> <to> <text>" in done.stderr
    done = setting.run([*SEND, session, "nobody", "Hello"])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("not sent: validation_error: ")
    done = setting.run([*SEND, session, "628120000009@s.whatsapp.net", "Hello"], WAGATE_API_KEY="wa_wrong")
    assert done.stderr.startswith("not sent: unauthorized: ")
    bob = stack.person("628120000002", "Bob")
    stack.fault(kind="ack_error", number="628110000001", code=463, count=1)
    done = setting.run([*SEND, session, bob, "Hello"])
    assert done.returncode == 1
    assert done.stderr.startswith("WhatsApp refused: "), done.stderr


def test_reply_replies_once_whatever_dies(setting: Setting, stack: Stack) -> None:
    stack.paired("628110000003")
    carol = stack.person("628120000003", "Carol")
    number = carol.partition("@")[0]
    replies = [f"You said: {word}" for word in ("one", "two", "three", "four")]
    with setting.running(REPLY) as program:
        program.line_with("following after evt_")
        stack.says(number, "628110000003", "one")
        eventually(lambda: heard(stack, carol) == replies[:1], "the first reply")
        # The node dies under it, with nothing in the outbox: what was being sent might be lost.
        old = stack.node
        old.kill()
        eventually(lambda: stack.node.pid != old.pid, "the node is replaced")
        stack.says(number, "628110000003", "two")
        eventually(lambda: heard(stack, carol) == replies[:2], "the second reply")
        program.line_with("sent")
    # It dies itself, having forgotten what it did last.
    position = setting.folder / "reply.position"
    dealt_with = position.read_text()
    stack.says(number, "628110000003", "three")
    with setting.running(REPLY) as program:
        program.line_with(f"following after {dealt_with}")
        eventually(lambda: heard(stack, carol) == replies[:3], "the third reply")
    position.write_text(dealt_with)
    with setting.running(REPLY) as program:
        program.line_with(f"following after {dealt_with}")
        stack.says(number, "628110000003", "four")
        eventually(lambda: replies[3] in heard(stack, carol), "the fourth reply")
        assert heard(stack, carol) == replies


def test_reply_ends_with_what_to_know(setting: Setting) -> None:
    done = setting.run(REPLY, WAGATE_API_KEY="wa_wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("unauthorized: ")


def test_following_with_grpc_alone(setting: Setting, stack: Stack, ada: str, session: str) -> None:
    (setting.folder / "position").write_text("evt_" + "0" * 26)
    with setting.running(FOLLOW) as program:
        assert "session.status" in program.line_with("session.status")
        stack.send(session, ada, "followed").raise_for_status()
        last = program.line_with(" message ").split()[-1]
    with setting.running(FOLLOW) as program:
        stack.send(session, ada, "followed again").raise_for_status()
        # Killed behind printing it and before keeping its id, it prints the last one again.
        while (found := program.line_with(" message ").split()[-1]) == last:
            pass
        assert found > last


def test_the_receiver_takes_what_is_genuine(setting: Setting, stack: Stack, session: str, ada: str) -> None:
    def kept() -> list[str]:
        if not (setting.folder / "events.db").exists():
            return []
        with contextlib.closing(sqlite3.connect(setting.folder / "events.db")) as database:
            try:
                return [str(row[0]) for row in database.execute("SELECT id FROM events ORDER BY rowid")]
            except sqlite3.OperationalError:  # it is being made
                return []

    case = ReceiverCase(setting, stack, command("python/webhook_receiver.py"))
    case.takes_what_is_genuine(session, ada, kept)
