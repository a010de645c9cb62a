"""What history says of chats and messages."""

import hashlib

import pytest
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, PollVoteMessage, ProtocolMessage
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync, Pushname
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import PollUpdate, Reaction, UserReceipt, WebMessageInfo

from server.whatsapp.history import (
    HistoryKind,
    HistoryPiece,
    PastChat,
    PastMessage,
    PastReaction,
    PastReceipt,
    PastVote,
)
from server.whatsapp.history_reading import kind_of_history, read_piece
from server.whatsapp.jid import parse_jid
from server.whatsapp.stored import read_content, secret_of
from tests.support.histories import ADA, ADA_LID, BOB, BOB_LID, SECOND, TEAM, addresses, chat, history, said

MS = SECOND * 1000


def read(chunk: HistorySync) -> HistoryPiece:
    return read_piece(chunk.SerializeToString())


def only_chat(conversation: Conversation) -> PastChat:
    (one,) = read(history(conversation)).chats
    return one


def only(web: WebMessageInfo) -> PastMessage:
    (message,) = only_chat(chat(web, jid=web.key.remoteJID)).messages
    return message


def test_a_chat_is_told_with_its_settings() -> None:
    told = only_chat(
        Conversation(
            ID=ADA_LID,
            pnJID=ADA,
            name="Ada",
            unreadCount=3,
            archived=True,
            pinned=SECOND,
            muteEndTime=SECOND,
            conversationTimestamp=SECOND,
        )
    )
    assert told == PastChat(
        parse_jid(ADA_LID), parse_jid(ADA), "Ada", 3, True, True, MS, MS, messages=(), acts=()
    )
    assert only_chat(Conversation(ID=ADA, lidJID=ADA_LID)).alternative == parse_jid(ADA_LID)
    plain = only_chat(Conversation(ID=TEAM, lidJID=ADA_LID, displayName="Team", lastMsgTimestamp=SECOND))
    assert (plain.alternative, plain.name, plain.muted_until, plain.last_message_at) == (
        None,
        "Team",
        None,
        MS,
    )


@pytest.mark.parametrize(("end", "milliseconds"), [(MS, MS), (2**64 - 1, 253_402_300_799_000), (0, None)])
def test_mutes_end_at_a_time_in_milliseconds_too_or_never(end: int, milliseconds: int | None) -> None:
    assert only_chat(Conversation(ID=ADA, muteEndTime=end)).muted_until == milliseconds


def test_only_people_and_groups_are_chats() -> None:
    others = ("status@broadcast", "1@newsletter", "628120000001", "", "@lid")
    assert read(history(*(Conversation(ID=jid) for jid in others))).chats == ()


def test_messages_are_told_with_who_wrote_them() -> None:
    theirs = only(said("M1", "hello"))
    assert (theirs.id, theirs.sender, theirs.type, theirs.body, theirs.timestamp) == (
        "M1",
        parse_jid(ADA),
        "text",
        "hello",
        MS,
    )
    assert Message.FromString(theirs.content).conversation == "hello"
    assert (theirs.ack_level, theirs.edited_at, theirs.deleted, theirs.reactions) == (0, None, False, ())
    assert only(said("M2", "mine", mine=True)).sender is None
    assert only(said("M3", "hi", chat=TEAM, participant=BOB_LID)).sender == parse_jid(BOB_LID)
    named = said("M4", "hi", chat=TEAM)
    named.participant = "222222222:7@lid"
    assert only(named).sender == parse_jid(BOB_LID)


def test_what_nobody_wrote_or_nobody_can_read_is_no_message() -> None:
    subject = said("M1", chat=TEAM, participant=BOB)
    subject.messageStubType = WebMessageInfo.GROUP_CHANGE_SUBJECT
    keys = said("M2")
    keys.message.senderKeyDistributionMessage.groupID = TEAM
    nobody = said("M3", "from nobody", chat=TEAM)
    for web in (subject, keys, nobody, said("", "no id"), said("M4")):
        told = only_chat(chat(web, jid=web.key.remoteJID))
        assert (told.messages, told.acts) == ((), ())


def test_quotes_and_mentions_are_told() -> None:
    web = said("M1")
    text = web.message.extendedTextMessage
    text.text, text.contextInfo.stanzaID = "@Bob yes", "M0"
    text.contextInfo.mentionedJID.append(BOB)
    told = only(web)
    assert (told.quoted_id, told.mentions) == ("M0", (parse_jid(BOB),))


@pytest.mark.parametrize(
    ("status", "receipts", "level"),
    [
        (None, [], 1),
        (WebMessageInfo.ERROR, [], -1),
        (WebMessageInfo.PENDING, [], 0),
        (WebMessageInfo.SERVER_ACK, [], 1),
        (WebMessageInfo.DELIVERY_ACK, [], 2),
        (WebMessageInfo.READ, [], 3),
        (WebMessageInfo.PLAYED, [], 4),
        (WebMessageInfo.SERVER_ACK, [UserReceipt(userJID=ADA, receiptTimestamp=1)], 2),
        (WebMessageInfo.READ, [UserReceipt(userJID=ADA, receiptTimestamp=1)], 3),
        (None, [UserReceipt(userJID=ADA, readTimestamp=1), UserReceipt(userJID=BOB)], 3),
        (None, [UserReceipt(userJID=ADA, playedTimestamp=1)], 4),
    ],
)
def test_own_messages_are_told_with_how_far_they_came(
    status: WebMessageInfo.Status.ValueType | None, receipts: list[UserReceipt], level: int
) -> None:
    mine = said("M1", "mine", mine=True)
    theirs = said("M1", "theirs")
    for web in (mine, theirs):
        web.userReceipt.extend(receipts)
        if status is not None:
            web.status = status
    assert (only(mine).ack_level, only(theirs).ack_level) == (level, 0)


def test_reactions_are_told_with_who_reacted() -> None:
    web = said("M1", "hello", chat=TEAM, participant=BOB)
    for key, emoji in (
        (MessageKey(remoteJID=TEAM, participant=ADA_LID, ID="R1"), "👍"),
        (MessageKey(remoteJID=TEAM, fromMe=True, ID="R2"), "🎉"),
        (MessageKey(remoteJID=TEAM, participant=BOB, ID="R3"), ""),
        (MessageKey(remoteJID=TEAM, ID="R4"), "👎"),
    ):
        web.reactions.append(Reaction(key=key, text=emoji, senderTimestampMS=MS))
    assert only(web).reactions == (
        PastReaction(parse_jid(ADA_LID), "👍", MS),
        PastReaction(None, "🎉", MS),
    )
    alone = said("M1", "hello")
    alone.reactions.append(Reaction(key=MessageKey(remoteJID=ADA, ID="R1"), text="👍", senderTimestampMS=MS))
    assert only(alone).reactions == (PastReaction(parse_jid(ADA), "👍", MS),)


def test_votes_are_told_by_the_options_texts() -> None:
    web = said("M1", chat=TEAM, participant=BOB)
    poll = web.message.pollCreationMessageV3
    poll.name = "what?"
    for option in ("tea", "coffee"):
        poll.options.add(optionName=option)
    for key, options in (
        (MessageKey(participant=ADA_LID, ID="V1"), ("tea", "water")),
        (MessageKey(fromMe=True, ID="V2"), ()),
        (MessageKey(ID="V3"), ("tea",)),
    ):
        hashes = [hashlib.sha256(option.encode()).digest() for option in options]
        vote = PollVoteMessage(selectedOptions=hashes)
        web.pollUpdates.append(PollUpdate(pollUpdateMessageKey=key, vote=vote, senderTimestampMS=MS))
    assert only(web).votes == (PastVote(parse_jid(ADA_LID), ("tea",), MS), PastVote(None, (), MS))


def test_a_group_s_members_are_told_with_how_far_an_own_message_came_with_them() -> None:
    receipts = [
        UserReceipt(userJID=ADA_LID, receiptTimestamp=SECOND, readTimestamp=SECOND + 1),
        UserReceipt(userJID=BOB, receiptTimestamp=SECOND),
        UserReceipt(userJID="120363000000000009@lid"),
    ]
    own = said("M1", "mine", chat=TEAM, mine=True)
    alone = said("M1", "mine", mine=True)
    theirs = said("M1", "theirs", chat=TEAM, participant=BOB)
    for web in (own, alone, theirs):
        web.userReceipt.extend(receipts)
    assert only(own).receipts == (
        PastReceipt(parse_jid(ADA_LID), 3, MS + 1000),
        PastReceipt(parse_jid(BOB), 2, MS),
    )
    assert (only(alone).receipts, only(theirs).receipts) == ((), ())


def test_sealed_acts_of_the_past_are_left_out() -> None:
    web = said("V1")
    web.message.pollUpdateMessage.pollCreationMessageKey.CopyFrom(MessageKey(ID="M1", fromMe=True))
    web.message.pollUpdateMessage.vote.encPayload = b"x"
    told = only_chat(chat(web))
    assert (told.messages, told.acts) == ((), ())


def test_what_was_deleted_for_everyone_says_nothing() -> None:
    for stub in (WebMessageInfo.REVOKE, WebMessageInfo.ADMIN_REVOKE):
        web = said("M1", "what was said")
        web.messageStubType = stub
        told = only(web)
        assert (told.id, told.sender, told.deleted) == ("M1", parse_jid(ADA), True)
        assert (told.body, told.content) == ("", b"")


def test_deletions_that_are_told_on_their_own_name_their_message() -> None:
    def revoke(web: WebMessageInfo, key: MessageKey) -> PastMessage:
        protocol = ProtocolMessage(type=ProtocolMessage.REVOKE, key=key)
        web.message.protocolMessage.CopyFrom(protocol)
        told = only(web)
        assert (told.id, told.deleted) == ("M1", True)
        return told

    assert revoke(said("D1"), MessageKey(ID="M1", fromMe=True)).sender == parse_jid(ADA)
    assert revoke(said("D1", mine=True), MessageKey(ID="M1", fromMe=True)).sender is None
    by_admin = MessageKey(ID="M1", fromMe=False, participant=BOB)
    assert revoke(said("D1", chat=TEAM, mine=True), by_admin).sender == parse_jid(BOB)


def test_an_edited_message_is_told_as_what_it_says_now() -> None:
    for mine in (False, True):
        web = said("E1", mine=mine)
        protocol = web.message.editedMessage.message.protocolMessage
        protocol.type, protocol.timestampMS = ProtocolMessage.MESSAGE_EDIT, MS + 5
        protocol.key.CopyFrom(MessageKey(ID="M1", fromMe=True))
        protocol.editedMessage.conversation = "better"
        told = only(web)
        assert (told.id, told.body, told.edited_at, told.type) == ("M1", "better", MS + 5, "text")
        assert told.sender == (None if mine else parse_jid(ADA))
        assert Message.FromString(told.content).conversation == "better"


def test_reactions_that_are_told_on_their_own_are_acts() -> None:
    web = said("R1", chat=TEAM, participant=BOB)
    web.message.reactionMessage.text = "👍"
    web.message.reactionMessage.key.CopyFrom(MessageKey(ID="M1", fromMe=False, participant=ADA))
    (act,) = only_chat(chat(web, jid=TEAM)).acts
    assert (act.target_id, act.target_sender, act.sender, act.emoji) == (
        "M1",
        parse_jid(ADA),
        parse_jid(BOB),
        "👍",
    )


def test_addresses_and_names_are_told_where_they_are_any() -> None:
    chunk = HistorySync(
        syncType=HistorySync.PUSH_NAME,
        phoneNumberToLidMappings=addresses((ADA, ADA_LID), (BOB_LID, BOB), ("", BOB_LID), (BOB, "")),
        pushnames=[
            Pushname(ID=ADA, pushname="Ada"),
            Pushname(ID=BOB, pushname=""),
            Pushname(ID="Bob", pushname="Bob"),
        ],
    )
    piece = read(chunk)
    assert piece.kind is HistoryKind.PUSH_NAME
    assert piece.addresses == ((parse_jid(ADA_LID), parse_jid(ADA)),)
    assert piece.names == ((parse_jid(ADA), "Ada"),)


def test_polls_keep_their_secret() -> None:
    web = said("M1")
    web.message.pollCreationMessageV3.name = "tea?"
    web.message.messageContextInfo.messageSecret = hashlib.sha256(b"secret").digest()
    told = only(web)
    assert (told.type, told.body) == ("poll", "tea?")
    assert Message.FromString(told.content).messageContextInfo.messageSecret


def test_a_secret_that_the_phone_keeps_beside_a_message_is_kept_in_it() -> None:
    web = said("M1", "hi")
    web.messageSecret = b"s" * 32
    told = only(web)
    assert (told.body, read_content(told.content).text) == ("hi", "hi")
    assert secret_of(told.content) == b"s" * 32
    # what lies inside is the message's own
    web.message.messageContextInfo.messageSecret = b"i" * 32
    assert secret_of(only(web).content) == b"i" * 32


def test_every_kind_has_a_word() -> None:
    assert {kind_of_history(kind) for kind in HistorySync.HistorySyncType.values()} == set(HistoryKind)


def test_no_protobuf_is_no_piece() -> None:
    with pytest.raises(ValueError, match="no piece of history"):
        read_piece(b"\xff\xff")
