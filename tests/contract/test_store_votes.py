"""Votes in stored polls, and the events that tell of them, on both engines."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest_asyncio
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    Message,
    MessageContextInfo,
    PollCreationMessage,
    ReactionMessage,
)

from server.chats.reading import WhatsAppContents
from server.store.arrival_records import Arrival, MessageAct, NewMessage, NewSealed, NewVote
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.records import UNDECRYPTABLE, Session
from server.whatsapp.sealing import seal_vote
from tests.support.acts import ADA, Logged, an_act, an_edit, logged
from tests.support.records import a_message

BOB = "628120000002@s.whatsapp.net"
OWN = "628110000001@s.whatsapp.net"
LID = "123456789@lid"
TEAM = "120363000000000001@g.us"
SECRET = bytes(range(32))
OPTIONS = ("soup", "bread", "rice")


def a_poll(session: Session, options: Sequence[str] = OPTIONS) -> NewMessage:
    """Ada asks a group."""
    content = Message(
        pollCreationMessage=PollCreationMessage(
            name="lunch?", options=[PollCreationMessage.Option(optionName=option) for option in options]
        ),
        messageContextInfo=MessageContextInfo(messageSecret=SECRET),
    )
    message = a_message(session.id, "P1", chat_jid=TEAM, body="lunch?")
    return replace(message, type="poll", content=content.SerializeToString())


def vote(session: Session, *options: str, by: str = BOB, at: int = 5_000) -> MessageAct:
    """A vote that needs no opening."""
    return an_act(session.id, "P1", NewVote(options), chat_jid=TEAM, actor_jid=by, timestamp=at)


def sealed(session: Session, *options: str, by: str = BOB, at: int = 5_000) -> MessageAct:
    """The same as it comes from WhatsApp."""
    payload, iv = seal_vote(SECRET, "P1", options, author=ADA, voter=by)
    deed = NewSealed("Poll Vote", iv, payload, authors=[LID, ADA], actors=[LID, by])
    return replace(vote(session, by=by, at=at), deed=deed)


@pytest_asyncio.fixture
async def polls(database: Database) -> ConversationRepository:
    """Stores, and reads polls."""
    return ConversationRepository(database, WhatsAppContents())


async def votes(database: Database) -> list[Logged]:
    return [event for event in await logged(database) if event.name == "poll.vote"]


async def test_a_vote_is_told_with_the_whole_tally(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    (poll,) = await polls.store([a_poll(session)])
    assert await polls.store([sealed(session, "rice", "soup")]) == [poll]
    assert await polls.store([sealed(session, "rice", by=OWN, at=5_001)]) == [poll]
    first, second = await votes(database)
    assert first.payload == {
        "chatJid": TEAM,
        "chatLid": None,
        "fromMe": False,
        "options": ["soup", "rice"],
        "senderJid": ADA,
        "senderLid": None,
        "tally": [
            {"option": "soup", "votes": 1},
            {"option": "bread", "votes": 0},
            {"option": "rice", "votes": 1},
        ],
        "timestamp": 5_000,
        "voterJid": BOB,
        "voterLid": None,
        "waMessageId": "P1",
    }
    assert (second.payload["voterJid"], second.payload["options"]) == (OWN, ["rice"])
    assert second.payload["tally"] == [
        {"option": "soup", "votes": 1},
        {"option": "bread", "votes": 0},
        {"option": "rice", "votes": 2},
    ]


async def test_a_person_s_latest_vote_counts(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    soup, rice, back = (
        sealed(session, "soup", at=1),
        sealed(session, "rice", at=2),
        sealed(session, at=3),
    )
    await polls.store([a_poll(session), rice, soup])
    await polls.store([soup, back, rice])
    # the same choice once more is no news
    await polls.store([sealed(session, at=4)])
    told = await votes(database)
    assert [event.payload["options"] for event in told] == [["rice"], []]
    assert {one["votes"] for one in told[-1].payload["tally"]} == {0}  # type: ignore[attr-defined] # JSON


async def test_a_vote_that_was_never_given_cannot_be_taken_back(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    await polls.store([a_poll(session), sealed(session), vote(session, "pizza")])
    assert await votes(database) == []


async def test_what_cannot_be_opened_is_no_vote(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    (poll, text) = await polls.store([a_poll(session), a_message(session.id, "P2", chat_jid=TEAM)])
    forged = replace(sealed(session, "soup"), actor_jid=OWN)
    assert isinstance(forged.deed, NewSealed)
    forged = replace(forged, deed=replace(forged.deed, actors=[OWN]))
    of_text = replace(vote(session, "soup"), wa_message_id="P2")
    assert await polls.store([forged, of_text]) == [poll, text]
    assert await votes(database) == []


async def test_an_own_vote_counts_whatever_the_clocks_say_and_is_told_once(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    # given a vote of the account's phone, whose clock is ahead
    await polls.store([a_poll(session), sealed(session, "soup", by=OWN, at=9_000)])
    # when WhatsApp has taken one from here
    await polls.store([replace(vote(session, "rice", by=OWN), is_newest=True)])
    # and tells it to the other devices, or the phone's again
    await polls.store([sealed(session, "rice", by=OWN), sealed(session, "soup", by=OWN, at=9_000)])
    told = [event.payload for event in await votes(database)]
    assert [(one["options"], one["timestamp"]) for one in told] == [(["soup"], 9_000), (["rice"], 5_000)]


async def test_a_voter_who_turns_out_to_be_another_one_has_one_vote(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    await polls.store([a_poll(session), vote(session, "soup", by=LID, at=1), vote(session, "rice", at=2)])
    await polls.store([a_message(session.id, "M1", chat_jid=BOB, sender_jid=BOB, address=(LID, BOB))])
    await polls.store([vote(session, "bread", by=ADA, at=3)])
    told = await votes(database)
    assert told[-1].payload["tally"] == [
        {"option": "soup", "votes": 0},
        {"option": "bread", "votes": 1},
        {"option": "rice", "votes": 1},
    ]


async def test_a_vote_waits_for_a_poll_that_cannot_be_read_yet(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    placeholder = replace(a_poll(session), type=UNDECRYPTABLE, body="", content=b"")
    assert await polls.store([placeholder, sealed(session, "soup")]) != [None, None]
    assert await votes(database) == []
    # when its sender sends it once more
    await polls.store([a_poll(session)])
    assert [event.name for event in await logged(database)] == ["message", "message.decrypted", "poll.vote"]
    (told,) = await votes(database)
    assert told.payload["options"] == ["soup"]


async def test_what_is_sealed_can_be_read_also_after_an_edit(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    # given a message with a secret, which is edited
    said = Message(conversation="hi", messageContextInfo=MessageContextInfo(messageSecret=SECRET))
    message = replace(a_message(session.id, "P1", chat_jid=TEAM), content=said.SerializeToString())
    await polls.store([message, an_act(session.id, "P1", an_edit("better"), chat_jid=TEAM)])
    # when somebody reacts under a seal
    key = HKDF(SHA256(), length=32, salt=None, info=f"P1{ADA}{BOB}Enc Reaction".encode()).derive(SECRET)
    payload = AESGCM(key).encrypt(bytes(12), ReactionMessage(text="👍").SerializeToString(), None)
    deed = NewSealed("Enc Reaction", bytes(12), payload, authors=[ADA], actors=[BOB])
    act = an_act(session.id, "P1", deed, chat_jid=TEAM, actor_jid=BOB)
    await polls.store([act])
    await polls.store([act])
    # then it is read, and told once
    edited, reacted = (await logged(database))[1:]
    assert (edited.name, reacted.name) == ("message.edited", "message.reaction")
    assert (reacted.payload["emoji"], reacted.payload["reactorJid"]) == ("👍", BOB)


async def test_a_thousand_people_vote(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    await polls.store([a_poll(session)])
    voters = [f"62813{n:07d}@s.whatsapp.net" for n in range(1_000)]
    await polls.store([sealed(session, "rice", by=voter) for voter in voters])
    told = await votes(database)
    assert len(told) == 1_000
    assert told[-1].payload["tally"] == [
        {"option": "soup", "votes": 0},
        {"option": "bread", "votes": 0},
        {"option": "rice", "votes": 1_000},
    ]


async def test_options_with_the_character_0_harm_nothing(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    await polls.store([a_poll(session, ["a\0b", "c"]), sealed(session, "a\0b")])
    (told,) = await votes(database)
    assert told.payload["options"] == ["a\ufffdb"]


async def test_any_votes_told_twice_are_the_same(
    polls: ConversationRepository, database: Database, session: Session
) -> None:
    chance = random.Random(4)
    history: list[Arrival] = [a_poll(session)]
    for at in range(40):
        options = chance.sample(OPTIONS, chance.randint(0, 3))
        history.append(sealed(session, *options, by=chance.choice([ADA, BOB, OWN]), at=at))
    await polls.store(history)
    before = await logged(database)
    for start in (0, 7, 40):
        await polls.store(history[start:])
    assert await logged(database) == before
    # and the last tally counts each person's last vote
    last = {act.actor_jid: act for act in history if isinstance(act, MessageAct)}
    counted = {one["option"]: one["votes"] for one in before[-1].payload["tally"]}  # type: ignore[attr-defined] # JSON
    contents = WhatsAppContents()
    expected = dict.fromkeys(OPTIONS, 0)
    for act in last.values():
        assert isinstance(act.deed, NewSealed)
        opened = contents.open(a_poll(session).content, "P1", act.deed)
        assert isinstance(opened, NewVote)
        for option in opened.options:
            expected[option] += 1
    assert counted == expected
