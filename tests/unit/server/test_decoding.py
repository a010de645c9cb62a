"""From the library's messages to the port's."""

import pytest
from neonize.proto.Neonize_pb2 import JID, MessageInfo, MessageSource
from neonize.proto.Neonize_pb2 import Message as MessageEvent
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    FutureProofMessage,
    ImageMessage,
    Message,
    PollUpdateMessage,
    ProtocolMessage,
    ReactionMessage,
    SenderKeyDistributionMessage,
)

from server.whatsapp.decoding import decode_message
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
