"""What is sealed with a message's secret: votes, reactions and edits."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    DeviceSentMessage,
    ExtendedTextMessage,
    FutureProofMessage,
    ImageMessage,
    Message,
    MessageContextInfo,
    PollCreationMessage,
    ProtocolMessage,
    ReactionMessage,
)

from server.chats.reading import WhatsAppContents
from server.whatsapp.sealing import SealedAct, open_edit, open_reaction, open_vote, seal_vote
from server.whatsapp.stored import describe, parse, read_content, secret_of

SECRET = bytes(range(32))
OPTIONS = ("yes", "no", "שלום")
ADA, BOB = "62811@s.whatsapp.net", "911@lid"


def secret_info() -> MessageContextInfo:
    return MessageContextInfo(messageSecret=SECRET)


def a_poll() -> Message:
    options = [PollCreationMessage.Option(optionName=option) for option in OPTIONS]
    return Message(pollCreationMessage=PollCreationMessage(name="lunch?", options=options))


def content_of(message: Message) -> bytes:
    message.messageContextInfo.CopyFrom(secret_info())
    content: bytes = message.SerializeToString()
    return content


def a_vote(*options: str) -> SealedAct:
    payload, iv = seal_vote(SECRET, "P1", options, author=ADA, voter=BOB)
    return SealedAct("P1", content_of(a_poll()), payload, iv, authors=[ADA], actors=[BOB])


def sealed(word: str, plain: bytes, content: bytes) -> SealedAct:
    """An act of Bob on a message of Ada, sealed as clients do: by WhatsApp's scheme."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"M1{ADA}{BOB}{word}".encode()).derive(SECRET)
    iv = bytes(12)
    return SealedAct("M1", content, AESGCM(key).encrypt(iv, plain, None), iv, authors=[ADA], actors=[BOB])


@pytest.mark.parametrize("options", [(), ("no",), OPTIONS])
def test_a_vote_is_read_with_the_poll_s_secret(options: tuple[str, ...]) -> None:
    assert open_vote(a_vote(*reversed(options))) == options


def test_a_vote_is_read_under_any_of_the_names_of_its_people() -> None:
    vote = replace(a_vote("no"), authors=["900@lid", ADA], actors=["62899@s.whatsapp.net", "1@lid", BOB])
    assert open_vote(vote) == ("no",)


def test_what_the_poll_does_not_have_is_not_chosen() -> None:
    assert open_vote(a_vote("no", "pizza")) == ("no",)


@pytest.mark.parametrize(
    "change",
    [
        {"authors": [BOB]},
        {"actors": [ADA]},
        {"authors": []},
        {"message_id": "P2"},
        {"payload": b"x" * 40},
        {"payload": b""},
        {"iv": b""},
        {"iv": b"x"},
        {"iv": b"x" * 200},
        {"content": b""},
        {"content": b"\xff"},
        {"content": a_poll().SerializeToString()},
    ],
    ids=str,
)
def test_what_was_not_sealed_for_this_message_is_not_read(change: dict[str, object]) -> None:
    vote = replace(a_vote("no"), **change)  # type: ignore[arg-type] # fields by name
    assert open_vote(vote) is None
    assert open_reaction(vote) is None
    assert open_edit(vote) is None


def test_what_is_sealed_as_something_else_is_not_read() -> None:
    assert open_reaction(a_vote("no")) is None
    assert open_edit(a_vote("no")) is None


def test_garbage_that_was_sealed_well_is_not_read() -> None:
    content = content_of(Message(conversation="hi"))
    assert open_reaction(sealed("Enc Reaction", b"\xff\xff", content)) is None
    assert open_edit(sealed("Message Edit", b"\xff\xff", content)) is None
    assert open_edit(sealed("Message Edit", b"", content)) is None


@pytest.mark.parametrize("emoji", ["👍", ""])
def test_a_sealed_reaction_is_read(emoji: str) -> None:
    plain = ReactionMessage(text=emoji).SerializeToString()
    assert open_reaction(sealed("Enc Reaction", plain, content_of(Message(conversation="hi")))) == emoji


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_sealed_edit_is_read_and_the_next_one_can_be(*, wrapped: bool) -> None:
    text = Message(extendedTextMessage=ExtendedTextMessage(text="better"))
    if wrapped:
        text = Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.MESSAGE_EDIT, editedMessage=text))
    edit = sealed("Message Edit", text.SerializeToString(), content_of(Message(conversation="hi")))
    edited = open_edit(edit)
    assert edited is not None
    assert edited.body == read_content(edited.content).text == "better"
    kept = WhatsAppContents().edited(edit.content, edited.content)
    assert read_content(kept).text == "better"
    assert open_edit(replace(edit, content=kept)) == edited


def test_a_caption_s_edit_keeps_no_picture() -> None:
    picture = Message(imageMessage=ImageMessage(caption="better", mediaKey=b"k"))
    edited = open_edit(sealed("Message Edit", picture.SerializeToString(), content_of(picture)))
    assert edited is not None
    assert (edited.body, edited.content) == ("better", b"")
    kept = WhatsAppContents().edited(content_of(picture), b"")
    assert secret_of(kept) == SECRET
    assert not read_content(kept).is_forwardable
    assert WhatsAppContents().edited(b"", kept) == kept


@pytest.mark.parametrize(
    "message",
    [
        Message(conversation="hi", messageContextInfo=secret_info()),
        Message(ephemeralMessage=FutureProofMessage(message=a_poll()), messageContextInfo=secret_info()),
        Message(deviceSentMessage=DeviceSentMessage(message=a_poll()), messageContextInfo=secret_info()),
        Message(
            ephemeralMessage=FutureProofMessage(
                message=Message(conversation="hi", messageContextInfo=secret_info())
            )
        ),
    ],
)
def test_the_secret_is_found_wherever_it_lies(message: Message) -> None:
    assert secret_of(message.SerializeToString()) == SECRET
    assert describe(message).type in ("text", "poll")


def test_what_has_no_secret_has_none() -> None:
    assert [secret_of(content) for content in (b"", b"\xff", b"\x0a\x02hi")] == [b"", b"", b""]
    assert parse(b"\xff") is None
