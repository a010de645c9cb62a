"""What a person's client asks for again after the node that sent it has ended."""

import pytest

from tests.support.stack import Stack, eventually

BOB = "628140000042"


@pytest.mark.slow  # it watches for what a later release of the library can
def test_the_library_cannot_encrypt_anew_what_an_earlier_process_sent(stack: Stack) -> None:
    """The day this fails the library remembers what it sent: docs/decisions/0356 is out of date then."""
    session = stack.paired("628130000042")
    chat = stack.person(BOB, "Bob")
    stack.send(session, chat, "first").raise_for_status()
    eventually(lambda: stack.heard(BOB), "Bob hears the first one")
    # Given a message that reaches Bob, damaged, when the node that sent it is gone
    stack.fault(kind="silence", number=BOB)
    stack.fault(kind="corrupt", number=BOB, count=1)
    sent = stack.send(session, chat, "damaged").json()["waMessageId"]
    old = stack.node
    old.kill()
    eventually(lambda: stack.node.pid != old.pid, "the node is replaced")
    stack.await_status(session, "working")
    stack.clear_faults()
    # Then it is not known any more, and Bob waits for it in vain
    log = stack.data_dir / "logs" / "node.log"
    eventually(lambda: f"couldn't find message {sent}" in log.read_text(), "the node is asked for it")
    # and what is sent from now on arrives, so that the two can still talk
    later = stack.send(session, chat, "later").json()["waMessageId"]
    eventually(lambda: later in {message["id"] for message in stack.heard(BOB)}, "Bob hears the later one")
    assert sent not in {message["id"] for message in stack.heard(BOB)}
