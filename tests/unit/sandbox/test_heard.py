"""Messages as records, for what no person of the sandbox sends."""

from typing import Any

import pytest
from neonize.proto import Neonize_pb2 as events
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContextInfo,
    ExtendedTextMessage,
    FutureProofMessage,
    ImageMessage,
    Message,
    MessageContextInfo,
    PollCreationMessage,
    ProtocolMessage,
    ReactionMessage,
    SenderKeyDistributionMessage,
)

from sandbox.person_heard import described

OWN, SENDER = "491701@s.whatsapp.net", "42@lid"
KEYS = SenderKeyDistributionMessage(groupID="1@g.us")


def heard(message: Message) -> dict[str, Any] | None:
    source = events.MessageSource(
        Chat=events.JID(User="42", Server="lid"), Sender=events.JID(User="42", Server="lid", Device=3)
    )
    info = events.MessageInfo(MessageSource=source, ID="A", Timestamp=7)
    return described(events.Message(Info=info, Message=message), OWN)


def told(message: Message) -> dict[str, Any]:
    record = heard(message)
    assert record is not None
    assert {name: record.pop(name) for name in ("id", "from", "chat", "timestamp")} == {
        "id": "A",
        "from": SENDER,
        "chat": SENDER,
        "timestamp": 7,
    }
    return record


def test_keys_alone_are_no_message() -> None:
    assert heard(Message(senderKeyDistributionMessage=KEYS)) is None
    secret = MessageContextInfo(messageSecret=b"s")
    assert heard(Message(senderKeyDistributionMessage=KEYS, messageContextInfo=secret)) is None


def test_a_message_that_brings_keys_along_is_shown() -> None:
    record = told(Message(senderKeyDistributionMessage=KEYS, conversation="hi"))
    assert record == {"type": "text", "kind": "text", "text": "hi"}


@pytest.mark.parametrize(
    "field",
    ["pollCreationMessage", "pollCreationMessageV2", "pollCreationMessageV3", "pollCreationMessageV5"],
)
def test_polls_of_every_version_are_polls(field: str) -> None:
    poll = PollCreationMessage(name="Q", options=[PollCreationMessage.Option(optionName="A")])
    message = Message()
    getattr(message, field).CopyFrom(poll)
    record = told(message)
    assert record == {
        "type": field,
        "kind": "poll",
        "poll": {"name": "Q", "options": ["A"], "selectableCount": 0},
    }


def test_what_has_no_words_of_its_own_is_named() -> None:
    image = ImageMessage(contextInfo=ContextInfo(isForwarded=True, forwardingScore=2))
    assert told(Message(imageMessage=image)) == {
        "type": "imageMessage",
        "kind": "image",
        "forwarded": True,
        "forwardingScore": 2,
    }
    settings = ProtocolMessage(type=ProtocolMessage.EPHEMERAL_SETTING)
    assert told(Message(protocolMessage=settings))["kind"] == "protocol"
    assert told(Message()) == {"type": "unknown", "kind": "unknown"}


def test_an_edit_of_an_answer_is_read() -> None:
    edited = Message(extendedTextMessage=ExtendedTextMessage(text="new"))
    edit = ProtocolMessage(
        type=ProtocolMessage.MESSAGE_EDIT, key=MessageKey(fromMe=True, ID="B"), editedMessage=edited
    )
    assert told(Message(protocolMessage=edit))["edit"] == {"target": "B", "sender": SENDER, "text": "new"}


def test_the_target_s_author_is_whom_the_key_names() -> None:
    for key, author in (
        (MessageKey(ID="B", fromMe=True), SENDER),
        (MessageKey(ID="B", fromMe=False), OWN),
        (MessageKey(ID="B", fromMe=False, participant="43@lid"), "43@lid"),
    ):
        reaction = told(Message(reactionMessage=ReactionMessage(key=key, text="!")))["reaction"]
        assert reaction == {"target": "B", "sender": author, "emoji": "!"}


def test_a_quoted_poll_is_shown_by_its_question() -> None:
    quoted = Message(pollCreationMessageV3=PollCreationMessage(name="Q"))
    context = ContextInfo(stanzaID="B", participant=SENDER, quotedMessage=quoted)
    record = told(Message(extendedTextMessage=ExtendedTextMessage(text="x", contextInfo=context)))
    assert record["quoted"] == {"id": "B", "participant": SENDER, "text": "Q"}
    wrapped = Message(ephemeralMessage=FutureProofMessage(message=quoted))
    assert told(wrapped) == {"type": "ephemeralMessage", "kind": "ephemeral"}
