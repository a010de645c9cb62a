"""What stored content says to whoever knows no protobufs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    AudioMessage,
    ContactMessage,
    ContextInfo,
    DeviceSentMessage,
    DocumentMessage,
    ExtendedTextMessage,
    FutureProofMessage,
    ImageMessage,
    LocationMessage,
    Message,
    MessageContextInfo,
    PollCreationMessage,
    ProtocolMessage,
    ReactionMessage,
    SenderKeyDistributionMessage,
)

from server.whatsapp.jid import LID, PHONE, Jid
from server.whatsapp.stored import read_content

POLL = PollCreationMessage(
    name="lunch?",
    options=[PollCreationMessage.Option(optionName="yes"), PollCreationMessage.Option(optionName="no")],
)
PHOTO = Message(imageMessage=ImageMessage(caption="a cat"))


@pytest.mark.parametrize(
    ("message", "type_", "text"),
    [
        (Message(conversation="hi"), "text", "hi"),
        (Message(extendedTextMessage=ExtendedTextMessage(text="hi")), "text", "hi"),
        (PHOTO, "image", "a cat"),
        (Message(documentMessage=DocumentMessage(fileName="a.pdf")), "document", "a.pdf"),
        (Message(audioMessage=AudioMessage(seconds=3)), "audio", ""),
        (Message(locationMessage=LocationMessage(name="here")), "location", "here"),
        (Message(contactMessage=ContactMessage(displayName="Ada")), "contact", "Ada"),
        (Message(pollCreationMessage=POLL), "poll", "lunch?"),
        (Message(pollCreationMessageV3=POLL), "poll", "lunch?"),
        (Message(ephemeralMessage=FutureProofMessage(message=PHOTO)), "image", "a cat"),
        (Message(deviceSentMessage=DeviceSentMessage(message=PHOTO)), "image", "a cat"),
        (Message(viewOnceMessageV2=FutureProofMessage(message=PHOTO)), "image", "a cat"),
        (
            Message(
                conversation="hi",
                messageContextInfo=MessageContextInfo(messageSecret=b"s"),
                senderKeyDistributionMessage=SenderKeyDistributionMessage(groupID="g"),
            ),
            "text",
            "hi",
        ),
    ],
)
def test_the_type_and_the_words_are_the_message_s_own(message: Message, type_: str, text: str) -> None:
    found = read_content(message.SerializeToString())
    assert (found.type, found.text, found.is_text) == (type_, text, type_ == "text")


@pytest.mark.parametrize("field", ["", "V2", "V3", "V5"])
def test_a_poll_names_its_options(field: str) -> None:
    message = Message()
    getattr(message, f"pollCreationMessage{field}").CopyFrom(POLL)
    assert read_content(message.SerializeToString()).options == ("yes", "no")


def test_what_is_no_poll_has_no_options() -> None:
    assert read_content(Message(conversation="hi").SerializeToString()).options is None


@pytest.mark.parametrize(
    "message",
    [
        Message(conversation="hi"),
        PHOTO,
        Message(ephemeralMessage=FutureProofMessage(message=PHOTO)),
        Message(pollCreationMessageV3=POLL),
        Message(contactMessage=ContactMessage(displayName="Ada")),
    ],
)
def test_what_can_be_forwarded(message: Message) -> None:
    assert read_content(message.SerializeToString()).is_forwardable


@pytest.mark.parametrize(
    "message",
    [
        Message(viewOnceMessage=FutureProofMessage(message=PHOTO)),
        Message(viewOnceMessageV2=FutureProofMessage(message=PHOTO)),
        Message(viewOnceMessageV2Extension=FutureProofMessage(message=PHOTO)),
        Message(
            ephemeralMessage=FutureProofMessage(
                message=Message(viewOnceMessage=FutureProofMessage(message=PHOTO))
            )
        ),
        Message(imageMessage=ImageMessage(viewOnce=True)),
        Message(audioMessage=AudioMessage(viewOnce=True)),
        Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.REVOKE)),
        Message(reactionMessage=ReactionMessage(text="x")),
        Message(pollCreationMessageV5=POLL),
        Message(ephemeralMessage=FutureProofMessage()),
        Message(),
    ],
)
def test_what_cannot_be_forwarded(message: Message) -> None:
    assert not read_content(message.SerializeToString()).is_forwardable


def test_quotes_and_mentions_are_told() -> None:
    context = ContextInfo(
        stanzaID="3EB0AA",
        mentionedJID=["62811:3@s.whatsapp.net", "123@lid", "nonsense", "@lid", "62811@"],
    )
    content = Message(extendedTextMessage=ExtendedTextMessage(text="@62811", contextInfo=context))
    found = read_content(content.SerializeToString())
    assert found.quoted_id == "3EB0AA"
    assert found.mentions == (Jid("62811", PHONE), Jid("123", LID))


@given(st.binary(max_size=300))
def test_content_that_is_no_message_is_no_error(content: bytes) -> None:
    found = read_content(content)
    assert isinstance(found.type, str)
    assert isinstance(found.text, str)


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x0a\x05ab"])
def test_content_that_cannot_be_read_is_unknown(content: bytes) -> None:
    found = read_content(content)
    assert (found.type, found.text, found.is_text) == ("unknown", "", False)
    assert (found.options, found.is_forwardable, found.quoted_id, found.mentions) == (None, False, None, ())
