"""Every kind of content, in what the person who reads it has decrypted."""

from hashlib import sha256

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    FutureProofMessage,
    ImageMessage,
    Message,
    ProtocolMessage,
)

from server.whatsapp.content import (
    Contact,
    Content,
    Edit,
    Forward,
    Location,
    Poll,
    Quote,
    Reaction,
    Revoke,
    Target,
    Text,
    Vote,
)
from server.whatsapp.jid import PHONE, Jid
from server.whatsapp.port import NotForwardableError, RefusedError
from server.whatsapp.refusals import Refusal
from tests.contract.port.pair import SECONDS, Pair

VCARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Grace Hopper\nTEL;TYPE=CELL:+15550100\nEND:VCARD"
LUNCH = Poll("lunch? 🥗", ("yes", "no", "שלום"), 1)
NOBODY = Jid("628999999999", PHONE)


async def test_a_plain_text_is_plain(pair: Pair) -> None:
    _, letter = await pair.send(Text("hello"))
    assert letter.message.conversation == "hello"
    assert not letter.message.HasField("extendedTextMessage")


async def test_an_answer_shows_what_it_answers(pair: Pair) -> None:
    asked, _ = await pair.answer(Text("how are you?"))
    _, letter = await pair.send(Text("well", quote=Quote(asked.id, pair.reader.jid, asked.content)))
    text = letter.message.extendedTextMessage
    assert text.text == "well"
    assert text.contextInfo.stanzaID == asked.id
    assert text.contextInfo.participant == str(pair.reader.lid)
    assert text.contextInfo.quotedMessage.conversation == "how are you?"


async def test_an_answer_to_an_answer_shows_one_message(pair: Pair) -> None:
    first, _ = await pair.answer(Text("first"))
    second, _ = await pair.send(Text("second", quote=Quote(first.id, pair.reader.jid, first.content)))
    _, letter = await pair.send(Text("third", quote=Quote(second.id, pair.live.jid, second.content)))
    context = letter.message.extendedTextMessage.contextInfo
    assert context.participant == str(pair.live.lid)
    assert context.quotedMessage.extendedTextMessage.text == "second"
    assert not context.quotedMessage.extendedTextMessage.HasField("contextInfo")


async def test_a_quoted_poll_keeps_its_secret(pair: Pair) -> None:
    poll, _ = await pair.answer(LUNCH)
    _, letter = await pair.send(Text("yes", quote=Quote(poll.id, pair.reader.jid, poll.content)))
    quoted = letter.message.extendedTextMessage.contextInfo.quotedMessage
    assert quoted.pollCreationMessage.name == LUNCH.question
    assert not quoted.HasField("messageContextInfo")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xff",
        Message(
            viewOnceMessage=FutureProofMessage(message=Message(imageMessage=ImageMessage(mediaKey=b"k")))
        ).SerializeToString(),
    ],
    ids=["nothing", "garbage", "view once"],
)
async def test_a_quote_of_what_cannot_be_shown_names_it(pair: Pair, content: bytes) -> None:
    _, letter = await pair.send(Text("what?", quote=Quote("3EB0ABCDEF", pair.reader.jid, content)))
    context = letter.message.extendedTextMessage.contextInfo
    assert context.stanzaID == "3EB0ABCDEF"
    assert context.quotedMessage == Message(conversation="")


async def test_mentions_name_people_as_the_text_does(pair: Pair) -> None:
    mentioned = (pair.reader.jid, NOBODY)
    text = f"@{pair.reader.jid.user} meet @{NOBODY.user}"
    _, letter = await pair.send(Text(text, mentions=mentioned))
    assert letter.message.extendedTextMessage.text == text
    context = letter.message.extendedTextMessage.contextInfo
    assert list(context.mentionedJID) == [str(jid) for jid in mentioned]
    assert not context.isForwarded


async def test_a_text_reference_is_marked_as_forwarded(pair: Pair) -> None:
    _, letter = await pair.send(Text("a photo", forwarded=3))
    context = letter.message.extendedTextMessage.contextInfo
    assert (context.isForwarded, context.forwardingScore) == (True, 3)


async def test_a_poll_can_be_voted_in(pair: Pair) -> None:
    sent, letter = await pair.send(LUNCH)
    poll = letter.message.pollCreationMessage
    assert poll.name == LUNCH.question
    assert [option.optionName for option in poll.options] == list(LUNCH.options)
    assert poll.selectableOptionsCount == 1
    assert len(letter.message.messageContextInfo.messageSecret) == 32
    assert letter.message.messageContextInfo.messageSecret in sent.content
    again, _ = await pair.send(LUNCH)
    assert letter.message.messageContextInfo.messageSecret not in again.content


@pytest.mark.parametrize("name", ["Null Island", ""])
async def test_a_location_is_where_it_was_said_to_be(pair: Pair, name: str) -> None:
    _, letter = await pair.send(Location(-6.175392, 106.827153, name))
    place = letter.message.locationMessage
    assert (place.degreesLatitude, place.degreesLongitude) == (-6.175392, 106.827153)
    assert (place.name, place.HasField("name")) == (name, bool(name))


async def test_a_contact_carries_its_card(pair: Pair) -> None:
    _, letter = await pair.send(Contact("Grace Hopper", VCARD))
    assert letter.message.contactMessage.displayName == "Grace Hopper"
    assert letter.message.contactMessage.vcard == VCARD


async def test_an_edit_names_our_message_and_has_the_new_text(pair: Pair) -> None:
    original, _ = await pair.send(Text("helo"))
    sent, letter = await pair.send(Edit(Target(original.id, pair.live.jid, from_me=True), "hello"))
    change = letter.message.protocolMessage
    assert sent.id != original.id
    assert change.type == ProtocolMessage.MESSAGE_EDIT
    assert change.editedMessage.conversation == "hello"
    assert (change.key.ID, change.key.fromMe) == (original.id, True)
    assert change.key.remoteJID == str(pair.reader.lid)


async def test_a_revoke_names_our_message(pair: Pair) -> None:
    original, _ = await pair.send(Text("oops"))
    _, letter = await pair.send(Revoke(Target(original.id, pair.live.jid, from_me=True)))
    change = letter.message.protocolMessage
    assert change.type == ProtocolMessage.REVOKE
    assert (change.key.ID, change.key.fromMe) == (original.id, True)
    assert change.key.remoteJID == str(pair.reader.lid)


@pytest.mark.parametrize("emoji", ["👍🏽", ""])
async def test_a_reaction_names_what_it_is_about(pair: Pair, emoji: str) -> None:
    asked, _ = await pair.answer(Text("good?"))
    _, letter = await pair.send(Reaction(Target(asked.id, pair.reader.jid, from_me=False), emoji))
    reaction = letter.message.reactionMessage
    assert (reaction.text, reaction.HasField("text")) == (emoji, True)
    assert (reaction.key.ID, reaction.key.fromMe) == (asked.id, False)
    assert reaction.key.remoteJID == str(pair.reader.lid)
    assert not reaction.key.HasField("participant")


def hashes(*options: str) -> list[bytes]:
    return [sha256(option.encode()).digest() for option in options]


@pytest.mark.parametrize("chosen", [("yes",), ("no", "שלום"), ()], ids=["one", "two", "none"])
async def test_a_vote_is_read_by_who_made_the_poll(pair: Pair, chosen: tuple[str, ...]) -> None:
    poll, _ = await pair.answer(LUNCH)
    target = Target(poll.id, pair.reader.jid, from_me=False)
    _, letter = await pair.send(Vote(target, chosen))
    key = letter.message.pollUpdateMessage.pollCreationMessageKey
    assert (key.ID, key.fromMe, key.remoteJID) == (poll.id, False, str(pair.reader.lid))
    assert pair.world.choice(poll, pair.reader.lid, letter) == hashes(*chosen)


async def test_a_vote_in_our_own_poll_is_read_too(pair: Pair) -> None:
    poll, _ = await pair.send(LUNCH)
    _, letter = await pair.send(Vote(Target(poll.id, pair.live.jid, from_me=True), ("no",)))
    key = letter.message.pollUpdateMessage.pollCreationMessageKey
    assert (key.ID, key.fromMe) == (poll.id, True)
    assert pair.world.choice(poll, pair.live.lid, letter) == hashes("no")


async def test_a_vote_in_a_poll_that_the_device_never_saw_is_refused(pair: Pair) -> None:
    unseen = Target("3EB0FFFFFFFFFFFFFFFFFF", pair.reader.jid, from_me=False)
    with pytest.raises(RefusedError) as caught:
        await pair.live.client.send(pair.reader.jid, Vote(unseen, ("yes",)), within=SECONDS)
    assert caught.value.refusal is Refusal.KEY_MISSING
    _, letter = await pair.send(Text("and nothing is stuck"))
    assert letter.message.conversation == "and nothing is stuck"


async def test_a_forwarded_text_is_marked_once_more_each_time(pair: Pair) -> None:
    said, _ = await pair.answer(Text("news"))
    once, letter = await pair.send(Forward(said.content))
    assert letter.message.extendedTextMessage.text == "news"
    assert letter.message.extendedTextMessage.contextInfo.forwardingScore == 1
    _, letter = await pair.send(Forward(once.content))
    context = letter.message.extendedTextMessage.contextInfo
    assert (context.isForwarded, context.forwardingScore) == (True, 2)


async def test_a_forward_leaves_behind_what_surrounded_the_original(pair: Pair) -> None:
    asked, _ = await pair.answer(Text("secret question"))
    quote = Quote(asked.id, pair.reader.jid, asked.content)
    told, _ = await pair.send(Text(f"@{NOBODY.user} look", quote=quote, mentions=(NOBODY,)))
    _, letter = await pair.send(Forward(told.content))
    context = letter.message.extendedTextMessage.contextInfo
    assert letter.message.extendedTextMessage.text == f"@{NOBODY.user} look"
    assert {field.name for field, _ in context.ListFields()} == {"isForwarded", "forwardingScore"}


async def test_a_forwarded_poll_is_a_poll_of_its_own(pair: Pair) -> None:
    poll, _ = await pair.answer(LUNCH)
    copy, letter = await pair.send(Forward(poll.content))
    assert letter.message.pollCreationMessage.name == LUNCH.question
    assert letter.message.pollCreationMessage.contextInfo.isForwarded
    original = Message.FromString(poll.content).messageContextInfo.messageSecret
    assert letter.message.messageContextInfo.messageSecret != original
    vote, _ = await pair.answer(Vote(Target(copy.id, pair.live.jid, from_me=False), ("yes",)))
    letter = await pair.letter(pair.live, vote)
    assert pair.world.choice(copy, pair.live.lid, letter) == hashes("yes")


@pytest.mark.parametrize(
    "content", [Location(1.5, 2.5, "here"), Contact("Grace Hopper", VCARD)], ids=["location", "contact"]
)
async def test_anything_else_is_forwarded_as_it_is(pair: Pair, content: Content) -> None:
    said, letter = await pair.answer(content)
    original = letter.message
    _, letter = await pair.send(Forward(said.content))
    for message in (original, letter.message):
        for kind in ("locationMessage", "contactMessage"):
            if message.HasField(kind):
                assert getattr(message, kind).contextInfo.isForwarded is (message is letter.message)
                getattr(message, kind).ClearField("contextInfo")
    original.ClearField("messageContextInfo")
    letter.message.ClearField("messageContextInfo")
    assert letter.message == original


async def test_what_cannot_be_forwarded_is_not_sent(pair: Pair) -> None:
    once = Message(viewOnceMessage=FutureProofMessage(message=Message(imageMessage=ImageMessage())))
    with pytest.raises(NotForwardableError):
        await pair.live.client.send(pair.reader.jid, Forward(once.SerializeToString()), within=SECONDS)
    _, letter = await pair.send(Text("and nothing is stuck"))
    assert [one.id for one in pair.letters(pair.reader)] == [letter.id]


async def test_what_is_received_says_what_it_answers_and_whom_it_mentions(pair: Pair) -> None:
    asked, _ = await pair.send(Text("who comes?"))
    quote = Quote(asked.id, pair.live.jid, asked.content)
    answer, _ = await pair.answer(Text(f"@{NOBODY.user}", quote=quote, mentions=(NOBODY,)))
    poll, _ = await pair.answer(LUNCH)
    first, second = await pair.received(until=poll)
    assert (first.id, first.type, first.quoted_id, first.mentions) == (answer.id, "text", asked.id, (NOBODY,))
    assert (second.id, second.type, second.body) == (poll.id, "poll", LUNCH.question)
    assert (second.quoted_id, second.mentions) == (None, ())


async def test_what_acts_on_a_message_is_no_message_of_its_own(pair: Pair) -> None:
    own, _ = await pair.answer(Text("helo"))
    target = Target(own.id, pair.reader.jid, from_me=True)
    await pair.answer(Edit(target, "hello"))
    await pair.answer(Reaction(target, "👍"))
    await pair.answer(Revoke(target))
    last, _ = await pair.answer(Text("last"))
    assert [received.id for received in await pair.received(until=last)] == [own.id, last.id]
