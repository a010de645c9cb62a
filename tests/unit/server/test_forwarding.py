"""Copies for others to see."""

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContextInfo,
    DocumentMessage,
    ExtendedTextMessage,
    FutureProofMessage,
    ImageMessage,
    Message,
    MessageContextInfo,
    PollCreationMessage,
    StickerMessage,
)

from server.whatsapp.forwarding import forwarded_copy
from server.whatsapp.port import NotForwardableError

SURROUNDINGS = ContextInfo(
    stanzaID="3EB0AA",
    participant="123@lid",
    quotedMessage=Message(conversation="secret"),
    mentionedJID=["123@lid"],
    forwardingScore=4,
    isForwarded=True,
    expiration=86400,
)
MARK = ContextInfo(isForwarded=True, forwardingScore=5)


def copied(message: Message) -> Message:
    return forwarded_copy(message.SerializeToString())


def test_a_photo_keeps_all_that_is_needed_to_see_it() -> None:
    photo = ImageMessage(
        URL="https://mmg.whatsapp.net/x",
        mediaKey=b"k" * 32,
        fileSHA256=b"h",
        caption="a cat",
        contextInfo=SURROUNDINGS,
    )
    expected = ImageMessage()
    expected.CopyFrom(photo)
    expected.contextInfo.CopyFrom(MARK)
    secret = MessageContextInfo(messageSecret=b"s" * 32)
    assert copied(Message(imageMessage=photo, messageContextInfo=secret)) == Message(imageMessage=expected)


def test_a_link_preview_is_kept() -> None:
    text = ExtendedTextMessage(text="see https://a.example", matchedText="https://a.example", title="A")
    copy = copied(Message(extendedTextMessage=text)).extendedTextMessage
    assert (copy.matchedText, copy.title, copy.contextInfo.forwardingScore) == ("https://a.example", "A", 1)


@pytest.mark.parametrize("field", ["pollCreationMessage", "pollCreationMessageV2", "pollCreationMessageV3"])
def test_every_form_of_poll_becomes_the_one_that_the_library_marks_as_a_poll(field: str) -> None:
    poll = PollCreationMessage(
        name="lunch?",
        options=[PollCreationMessage.Option(optionName="yes")],
        selectableOptionsCount=1,
        encKey=b"old",
        contextInfo=SURROUNDINGS,
    )
    original = Message(messageContextInfo=MessageContextInfo(messageSecret=b"s" * 32))
    getattr(original, field).CopyFrom(poll)
    copy = copied(original)
    assert [name.name for name, _ in copy.ListFields()] == ["messageContextInfo", "pollCreationMessage"]
    assert (copy.pollCreationMessage.name, copy.pollCreationMessage.selectableOptionsCount) == ("lunch?", 1)
    assert not copy.pollCreationMessage.HasField("encKey")
    assert copy.pollCreationMessage.contextInfo == MARK
    assert copy.messageContextInfo.messageSecret not in (b"", b"s" * 32)


def test_what_travels_wrapped_is_wrapped_again() -> None:
    document = Message(documentMessage=DocumentMessage(fileName="a.pdf", caption="read this"))
    inner = copied(Message(documentWithCaptionMessage=FutureProofMessage(message=document)))
    assert inner.documentWithCaptionMessage.message.documentMessage.caption == "read this"
    # as the library hands it on, without its wrapper
    assert copied(document).HasField("documentWithCaptionMessage")
    assert copied(Message(documentMessage=DocumentMessage(fileName="a.pdf"))).HasField("documentMessage")
    sticker = Message(stickerMessage=StickerMessage(isLottie=True))
    assert copied(sticker).lottieStickerMessage.message.stickerMessage.isLottie


@pytest.mark.parametrize("content", [b"", b"\xff\xff", Message().SerializeToString()])
def test_nothing_is_not_forwarded(content: bytes) -> None:
    with pytest.raises(NotForwardableError):
        forwarded_copy(content)
