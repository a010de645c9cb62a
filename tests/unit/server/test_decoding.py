"""From the library's messages to the port's."""

import pytest
from neonize.proto.Neonize_pb2 import JID, MessageInfo, MessageSource
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.Neonize_pb2 import Receipt as ReceiptEvent
from neonize.proto.Neonize_pb2 import UndecryptableMessage as UndecryptableEvent
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    FutureProofMessage,
    ImageMessage,
    Message,
    PollUpdateMessage,
    ProtocolMessage,
    ReactionMessage,
    SenderKeyDistributionMessage,
)

from server.whatsapp.decoding import decode_act, decode_message, decode_receipt, decode_undecryptable
from server.whatsapp.incoming import Edited, Reacted, Receipt, ReceiptKind, Revoked
from server.whatsapp.jid import GROUP, LID, PHONE, Jid
from server.whatsapp.stored import read_content

ADA, ADA_LID, OWN_LID = Jid("62811", PHONE), Jid("911", LID), Jid("900", LID)
TEAM = Jid("120363000000000001", GROUP)
NOBODY = Jid("", "")


def event(
    message: Message, *, once: bool = False, from_me: bool = False, group: bool = False
) -> MessageEvent:
    sender = OWN_LID if from_me else ADA_LID
    source = MessageSource(
        Chat=jid(TEAM if group else ADA_LID),
        Sender=jid(sender),
        IsFromMe=from_me,
        IsGroup=group,
        SenderAlt=jid(NOBODY if from_me else ADA),
        RecipientAlt=jid(ADA if from_me and not group else NOBODY),
        BroadcastListOwner=jid(NOBODY),
    )
    info = MessageInfo(MessageSource=source, ID="3EB0AA", Pushname="Ada", Timestamp=1_700_000_000_000)
    return MessageEvent(Info=info, Message=message, IsViewOnce=once)


def jid(of: Jid) -> JID:
    return JID(User=of.user, Server=of.server)


def test_a_person_s_message_names_the_person_both_ways() -> None:
    received = decode_message(event(Message(conversation="hi")))
    assert received is not None
    assert (received.chat, received.chat_alternative) == (ADA_LID, ADA)
    assert (received.sender, received.sender_alternative, received.from_me) == (ADA_LID, ADA, False)
    assert (received.type, received.body, received.timestamp) == ("text", "hi", 1_700_000_000_000)


def test_what_another_device_of_the_account_sent_belongs_to_the_recipient_s_chat() -> None:
    received = decode_message(event(Message(conversation="hi"), from_me=True))
    assert received is not None
    assert (received.chat, received.chat_alternative, received.from_me) == (ADA_LID, ADA, True)
    assert (received.sender, received.sender_alternative) == (OWN_LID, None)


def test_a_group_has_no_other_name() -> None:
    received = decode_message(event(Message(conversation="hi"), group=True))
    assert received is not None
    assert (received.chat, received.chat_alternative) == (TEAM, None)
    assert (received.sender, received.sender_alternative) == (ADA_LID, ADA)


def test_what_may_be_seen_once_stays_so_in_the_stored_copy() -> None:
    photo = Message(imageMessage=ImageMessage(caption="a secret"))
    received = decode_message(event(photo, once=True))
    assert received is not None
    assert (received.type, received.body) == ("image", "a secret")
    assert not read_content(received.content).is_forwardable
    again = decode_message(event(photo))
    assert again is not None
    assert read_content(again.content).is_forwardable


@pytest.mark.parametrize(
    "message",
    [
        Message(),
        Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.REVOKE)),
        Message(editedMessage=FutureProofMessage(message=Message(conversation="hi"))),
        Message(reactionMessage=ReactionMessage(text="x")),
        Message(pollUpdateMessage=PollUpdateMessage()),
        Message(senderKeyDistributionMessage=SenderKeyDistributionMessage(groupID="g")),
        Message(
            ephemeralMessage=FutureProofMessage(message=Message(reactionMessage=ReactionMessage(text="x")))
        ),
    ],
)
def test_what_is_no_message_of_its_own_is_left_out(message: Message) -> None:
    assert decode_message(event(message)) is None


OTHER_LID = Jid("922000000", LID)
EDIT = ProtocolMessage(
    type=ProtocolMessage.MESSAGE_EDIT,
    key=MessageKey(ID="3EB0BB", fromMe=True, participant=str(OTHER_LID)),
    editedMessage=Message(conversation="better"),
    timestampMS=1_700_000_000_123,
)


def revoke(*, from_me: bool, participant: str = str(OTHER_LID)) -> Message:
    key = MessageKey(ID="3EB0BB", fromMe=from_me, participant=participant)
    return Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.REVOKE, key=key))


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_edit_is_of_what_its_sender_wrote_whatever_it_claims(*, wrapped: bool) -> None:
    message = Message(protocolMessage=EDIT)
    if wrapped:
        message = Message(editedMessage=FutureProofMessage(message=message))
    act = decode_act(event(message, group=True))
    assert isinstance(act, Edited)
    assert (act.target_id, act.target_sender, act.body) == ("3EB0BB", ADA_LID, "better")
    assert (act.chat, act.chat_alternative, act.sender_alternative) == (TEAM, None, ADA)
    assert act.timestamp == 1_700_000_000_123
    assert read_content(act.content).text == "better"


def test_the_new_caption_of_a_picture_is_not_all_of_it() -> None:
    edit = ProtocolMessage()
    edit.CopyFrom(EDIT)
    edit.editedMessage.CopyFrom(Message(imageMessage=ImageMessage(caption="better")))
    edit.ClearField("timestampMS")
    act = decode_act(event(Message(protocolMessage=edit)))
    assert isinstance(act, Edited)
    assert (act.body, act.content, act.timestamp) == ("better", b"", 1_700_000_000_000)


def test_own_messages_are_revoked_by_their_writers() -> None:
    act = decode_act(event(revoke(from_me=True), group=True))
    assert isinstance(act, Revoked)
    assert (act.target_id, act.target_sender, act.sender) == ("3EB0BB", ADA_LID, ADA_LID)


def test_only_admins_of_groups_revoke_what_others_wrote() -> None:
    def as_admin(message: Message, *, group: bool = True) -> MessageEvent:
        marked = event(message, group=group)
        marked.Info.Edit = "8"
        return marked

    act = decode_act(as_admin(revoke(from_me=False)))
    assert isinstance(act, Revoked)
    assert (act.target_sender, act.sender) == (OTHER_LID, ADA_LID)
    assert decode_act(event(revoke(from_me=False), group=True)) is None
    assert decode_act(as_admin(revoke(from_me=False), group=False)) is None
    assert decode_act(as_admin(revoke(from_me=False, participant="nobody"))) is None


@pytest.mark.parametrize(
    ("key", "event_of", "writer"),
    [
        (MessageKey(ID="3EB0BB", fromMe=True), {}, ADA_LID),
        (MessageKey(ID="3EB0BB", fromMe=False), {}, None),
        (MessageKey(ID="3EB0BB", fromMe=False), {"from_me": True}, ADA_LID),
        (MessageKey(ID="3EB0BB", fromMe=True), {"from_me": True}, OWN_LID),
        (MessageKey(ID="3EB0BB", participant=str(OTHER_LID)), {"group": True}, OTHER_LID),
    ],
)
def test_a_reaction_is_about_whom_its_key_names(
    key: MessageKey, event_of: dict[str, bool], writer: Jid | None
) -> None:
    act = decode_act(event(Message(reactionMessage=ReactionMessage(key=key, text="👍")), **event_of))
    assert isinstance(act, Reacted)
    assert (act.target_id, act.target_sender, act.emoji) == ("3EB0BB", writer, "👍")


@pytest.mark.parametrize(
    "message",
    [
        Message(conversation="hi"),
        Message(protocolMessage=ProtocolMessage(key=MessageKey(ID="3EB0BB", fromMe=True))),
        Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.REVOKE)),
        Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.MESSAGE_EDIT, key=EDIT.key)),
        Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.EPHEMERAL_SETTING, key=EDIT.key)),
        Message(reactionMessage=ReactionMessage(text="x")),
    ],
)
def test_what_does_nothing_to_a_message_is_no_act(message: Message) -> None:
    assert decode_act(event(message)) is None


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (ReceiptEvent.DELIVERED, ReceiptKind.DELIVERED),
        (ReceiptEvent.READ, ReceiptKind.READ),
        (ReceiptEvent.PLAYED, ReceiptKind.PLAYED),
        (ReceiptEvent.INACTIVE, None),
        (ReceiptEvent.RETRY, None),
        (ReceiptEvent.SENDER, None),
        (ReceiptEvent.READ_SELF, None),
    ],
)
def test_a_receipt_tells_how_far_messages_came(
    kind: ReceiptEvent.ReceiptType.ValueType, told: ReceiptKind | None
) -> None:
    source = event(Message(), group=True).Info.MessageSource
    receipt = decode_receipt(
        ReceiptEvent(MessageSource=source, MessageIDs=["A", "B"], Timestamp=1_700_000_000, Type=kind)
    )
    if told is None:
        assert receipt is None
    else:
        assert receipt == Receipt(("A", "B"), told, TEAM, None, ADA_LID, ADA, 1_700_000_000_000)


def test_what_the_account_s_own_devices_tell_is_no_receipt() -> None:
    source = event(Message(), from_me=True).Info.MessageSource
    read = ReceiptEvent(MessageSource=source, MessageIDs=["A"], Timestamp=1, Type=ReceiptEvent.READ)
    assert decode_receipt(read) is None


def test_what_could_not_be_decrypted_is_a_placeholder() -> None:
    whole = event(Message(conversation="hi"), group=True)
    received = decode_undecryptable(UndecryptableEvent(Info=whole.Info))
    assert received is not None
    assert (received.id, received.type, received.body, received.content) == (
        "3EB0AA",
        "undecryptable",
        "",
        b"",
    )
    readable = decode_message(whole)
    assert readable is not None
    for name in ("chat", "chat_alternative", "sender", "sender_alternative", "sender_name", "timestamp"):
        assert getattr(received, name) == getattr(readable, name)


@pytest.mark.parametrize(
    ("info", "mode"),
    [
        ({}, UndecryptableEvent.DECRYPT_FAIL_HIDE),
        ({"Edit": "1"}, UndecryptableEvent.DECRYPT_FAIL_SHOW),
        ({"Category": "peer"}, UndecryptableEvent.DECRYPT_FAIL_SHOW),
    ],
)
def test_what_would_be_no_message_is_no_placeholder(
    info: dict[str, str], mode: UndecryptableEvent.DecryptFailModeT.ValueType
) -> None:
    of = event(Message(conversation="hi")).Info
    of.MergeFrom(MessageInfo(**info))  # type: ignore[arg-type] # all of them are texts
    assert decode_undecryptable(UndecryptableEvent(Info=of, DecryptFailMode=mode)) is None
