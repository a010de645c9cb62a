"""Every kind of message that `waE2E` knows arrives as something sensible."""

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message as AnyMessage
from neonize.proto.Neonize_pb2 import JID, MessageInfo, MessageSource
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import FutureProofMessage, Message
from wagate.v1 import messages_pb2

from server.rpc.json_codec import enum_words
from server.whatsapp.decoding import decode_act, decode_message
from server.whatsapp.jid import GROUP, LID, PHONE, Jid
from server.whatsapp.stored import is_message, read_content
from server.whatsapp.words import PLACES

ADA = JID(User="911", Server="lid")
DEPTH = 4
"""How deep messages in messages are filled."""

ACTS = {
    "protocolMessage",
    "editedMessage",
    "reactionMessage",
    "encReactionMessage",
    "pollUpdateMessage",
    "pollAddOptionMessage",
    "keepInChatMessage",
    "pinInChatMessage",
    "encEventResponseMessage",
    "secretEncryptedMessage",
    "scheduledCallEditMessage",
    "declinePaymentRequestMessage",
    "cancelPaymentRequestMessage",
    "splitPaymentUpdateMessage",
}
HIDDEN = {
    "senderKeyDistributionMessage",
    "fastRatchetKeySenderKeyDistributionMessage",
    "messageContextInfo",
    "stickerSyncRmrMessage",
    "groupRootKeyShare",
    "rootSecretDistributeMessage",
    "statusNotificationMessage",
    "statusStickerInteractionMessage",
    "statusLinkPreviewMetadata",
    "messageHistoryBundle",
    "messageHistoryNotice",
    "acp2SettingMessage",
}
WORDLESS = {
    "audioMessage",
    "stickerMessage",
    "call",
    "paymentInviteMessage",
    "requestPhoneNumberMessage",
    "callLogMesssage",
    "encCommentMessage",
    "placeholderMessage",
    "albumMessage",
    "conditionalRevealMessage",
}
PLAIN_TEXTS = {"conversation", "extendedTextMessage", "deviceSentMessage", "commentMessage"}
TYPES = {
    # Two of them are messages in messages: each is what that is.
    **dict.fromkeys(PLAIN_TEXTS, "text"),
    **dict.fromkeys(["templateMessage", "highlyStructuredMessage", "buttonsMessage", "listMessage"], "text"),
    **dict.fromkeys(["interactiveMessage", "templateButtonReplyMessage", "buttonsResponseMessage"], "text"),
    **dict.fromkeys(["listResponseMessage", "interactiveResponseMessage"], "text"),
    **dict.fromkeys(["questionResponseMessage", "richResponseMessage"], "text"),
    "imageMessage": "image",
    **dict.fromkeys(["videoMessage", "ptvMessage"], "video"),
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
    **dict.fromkeys(["locationMessage", "liveLocationMessage"], "location"),
    **dict.fromkeys(["contactMessage", "contactsArrayMessage"], "contact"),
    **dict.fromkeys([f"pollCreationMessage{version}" for version in ("", "V2", "V3", "V5", "V6")], "poll"),
}
"""What is not here is "unknown"."""
WRAPPERS = {
    field.name: field
    for field in Message.DESCRIPTOR.fields
    if field.message_type is FutureProofMessage.DESCRIPTOR and field.name not in ACTS | HIDDEN
}
KINDS = sorted({field.name for field in Message.DESCRIPTOR.fields} - set(WRAPPERS))


def filled(message: AnyMessage, depth: int = DEPTH) -> None:
    """Gives every field something, each text its own name."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is Message.DESCRIPTOR:
            inner = getattr(message, field.name)
            (inner.add() if field.is_repeated else inner).conversation = field.name
            continue
        value: object = field.enum_type.values[0].number if field.enum_type is not None else 1
        if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            value = field.name if field.type == FieldDescriptor.TYPE_STRING else b"x"
        if field.message_type is not None:
            if depth:
                inner = getattr(message, field.name)
                filled(inner.add() if field.is_repeated else inner, depth - 1)
        elif field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)


def with_field(name: str) -> Message:
    message = Message()
    if name == "conversation":
        message.conversation = "words"
    else:
        value = getattr(message, name)
        value.SetInParent()
        filled(value)
    return message


def event(message: Message, chat: JID = ADA, *, from_me: bool = False) -> MessageEvent:
    nobody = JID(User="", Server="")
    source = MessageSource(
        Chat=chat,
        Sender=ADA,
        IsFromMe=from_me,
        IsGroup=chat.Server in ("g.us", "broadcast"),
        SenderAlt=JID(User="62811", Server="s.whatsapp.net"),
        RecipientAlt=nobody,
        BroadcastListOwner=nobody,
    )
    return MessageEvent(Info=MessageInfo(MessageSource=source, ID="3EB0AA", Timestamp=1), Message=message)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_arrives(name: str) -> None:
    message = with_field(name)
    received = decode_message(event(message))
    decode_act(event(message))  # nothing that strangers send is an error
    if name in ACTS | HIDDEN:
        assert received is None
        return
    assert received is not None
    assert received.type == TYPES.get(name, "unknown")
    assert bool(received.body) == (name not in WORDLESS), received.body
    assert Message.FromString(received.content) == message
    found = read_content(received.content)
    assert (found.type, found.text) == (received.type, received.body)
    assert found.is_text == (name in PLAIN_TEXTS)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_arrives_also_where_nothing_is_filled_in(name: str) -> None:
    message = Message()
    if name != "conversation":
        getattr(message, name).SetInParent()
    received = decode_message(event(message))
    decode_act(event(message))
    assert received is None or isinstance(received.body, str)


@pytest.mark.parametrize("name", sorted(WRAPPERS))
def test_what_is_around_a_message_does_not_hide_it(name: str) -> None:
    message = Message()
    getattr(message, name).message.CopyFrom(Message(conversation="words"))
    received = decode_message(event(message))
    assert received is not None
    assert (received.type, received.body) == ("text", "words")


def test_a_wrapped_poll_is_a_poll() -> None:
    inner = with_field("pollCreationMessageV3")
    message = Message(pollCreationMessageV4=FutureProofMessage(message=inner))
    found = read_content(message.SerializeToString())
    assert (found.type, found.options) == ("poll", ("optionName",))


@pytest.mark.parametrize(
    "name", ["limitSharingMessage", "spoilerMessage", "viewOnceMessage", "botInvokeMessage"]
)
def test_what_was_meant_in_a_special_way_is_not_forwarded(name: str) -> None:
    message = Message()
    getattr(message, name).message.CopyFrom(Message(conversation="words"))
    assert not read_content(message.SerializeToString()).is_forwardable


def test_a_kind_that_the_library_does_not_know_yet_is_kept_and_shown() -> None:
    later = b"\xc2\x3e\x02hi"  # field 1000
    received = decode_message(event(Message.FromString(later)))
    assert received is not None
    assert (received.type, received.body, received.content) == ("unknown", "", later)
    # also beside a group's keys, but not beside an act
    assert is_message(Message.FromString(later + with_field("messageContextInfo").SerializeToString()))
    assert not is_message(Message.FromString(later + with_field("reactionMessage").SerializeToString()))
    assert not is_message(Message())


def test_the_words_are_a_business_s_and_a_person_s_own() -> None:
    table = {
        "buttonsMessage": "contentText",
        "listResponseMessage": "title",
        "buttonsResponseMessage": "selectedDisplayText",
        "templateMessage": "hydratedContentText",
        "interactiveMessage": "text",
        "sendPaymentMessage": "noteMessage",
        "eventMessage": "name",
        "groupInviteMessage": "caption",
        "richResponseMessage": "messageText",
    }
    assert {name: read_content(with_field(name).SerializeToString()).text for name in table} == table


def test_every_word_of_a_type_is_the_api_s() -> None:
    assert {*TYPES.values(), "unknown"} <= set(enum_words(messages_pb2.MessageType.DESCRIPTOR))


@pytest.mark.parametrize(
    ("kind", "place"), [(kind, place) for kind, all_ in PLACES.items() for place in all_]
)
def test_every_place_of_words_exists(kind: str, place: str) -> None:
    descriptor = Message.DESCRIPTOR.fields_by_name[kind].message_type
    for step in place.split("."):
        assert descriptor is not None
        field = descriptor.fields_by_name[step]
        descriptor = field.message_type
    assert descriptor in (None, Message.DESCRIPTOR)


@pytest.mark.parametrize("server", ["newsletter", "bot", "msgr"])
def test_what_is_no_chat_with_a_person_or_group_is_left_out(server: str) -> None:
    assert decode_message(event(Message(conversation="hi"), JID(User="123", Server=server))) is None
    assert decode_act(event(with_field("reactionMessage"), JID(User="123", Server=server))) is None


@pytest.mark.parametrize("from_me", [False, True])
def test_status_updates_are_left_out(*, from_me: bool) -> None:
    status = JID(User="status", Server="broadcast")
    assert decode_message(event(Message(conversation="hi"), status, from_me=from_me)) is None


def test_what_came_by_a_broadcast_list_belongs_to_its_writer() -> None:
    broadcast = JID(User="1690000000", Server="broadcast")
    received = decode_message(event(Message(conversation="hi"), broadcast))
    assert received is not None
    assert (received.chat, received.chat_alternative) == (Jid("911", LID), Jid("62811", PHONE))
    assert (received.sender, received.sender_alternative) == (received.chat, received.chat_alternative)
    assert decode_message(event(Message(conversation="hi"), broadcast, from_me=True)) is None


def test_groups_are_groups() -> None:
    received = decode_message(event(Message(conversation="hi"), JID(User="12036", Server="g.us")))
    assert received is not None
    assert (received.chat, received.chat_alternative) == (Jid("12036", GROUP), None)
