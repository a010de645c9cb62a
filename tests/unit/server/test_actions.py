"""What a session does to messages that are there already, and what the other side gets of it."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

from server.errors import Code, WagateError
from server.messages.actions import Actions
from server.messages.composing import Draft
from server.messages.results import SendResult, SendStatus
from server.store.message_actions import MessageRepository
from server.store.records import Message as StoredMessage
from server.store.records import Session
from server.whatsapp.acts import Envelope, act_of
from server.whatsapp.content import Content, Edit, Forward, Poll, Reaction, Revoke, Text, Vote
from server.whatsapp.incoming import Edited, Reacted, Revoked, Sealed
from server.whatsapp.jid import parse_jid
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.refusals import Refusal
from tests.support.acts import Logged, logged
from tests.support.memory_node import MemoryNode, memory_node
from tests.support.waiting import until_async

NUMBER = "628110000001"
ADA = "628120000001"
BOB = "628120000002"
ADA_JID = f"{ADA}@s.whatsapp.net"
BOB_JID = f"{BOB}@s.whatsapp.net"
GROUP = "120363000000000001@g.us"


@pytest.fixture(autouse=True)
def people(network: MemoryNetwork) -> None:
    network.account(ADA)
    network.account(BOB)


@pytest_asyncio.fixture
async def session(node: MemoryNode) -> Session:
    return await node.working(NUMBER)


@pytest.fixture
def actions(node: MemoryNode) -> Actions:
    return node.gateway.actions


async def sent(node: MemoryNode, session: Session, draft: Draft | None = None) -> str:
    result = await node.sending.send(session, draft or Draft(ADA_JID, "text", "hello"))
    return result.wa_message_id


def last(network: MemoryNetwork, number: str = ADA) -> Content:
    return network.account(number).heard[-1].content


async def only(node: MemoryNode, session: Session) -> StoredMessage:
    (message,) = await node.stored(session, ADA)
    return message


async def refusal(work: object) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await work  # type: ignore[misc] # any of the actions
    return caught.value


async def test_an_edit_reaches_the_other_side_and_the_stored_copy(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = await sent(node, session)
    result = await actions.edit(session, mid, chat=ADA_JID, text="better")
    assert result.status is SendStatus.SENT
    edit = last(network)
    assert isinstance(edit, Edit)
    assert (edit.target.id, edit.text) == (mid, "better")
    stored = await only(node, session)
    assert (stored.wa_message_id, stored.body, stored.edited) == (mid, "better", True)


async def test_only_own_texts_can_be_edited(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    theirs = network.write(ADA, NUMBER, "mine")
    await node.bodies(session, ADA, 1)
    assert (await refusal(actions.edit(session, theirs, chat=ADA_JID, text="x"))).code is Code.NOT_FOUND
    mid = await sent(node, session, Draft(ADA_JID, "location", latitude=1, longitude=2))
    refused = await refusal(actions.edit(session, mid, chat=ADA_JID, text="x"))
    assert (refused.code, set(refused.details)) == (Code.VALIDATION_ERROR, {"mid"})
    mid = await sent(node, session)
    for text in ("", "x" * 70_000):
        refused = await refusal(actions.edit(session, mid, chat=ADA_JID, text=text))
        assert set(refused.details) == {"text"}


async def test_what_is_not_there_is_not_found(node: MemoryNode, session: Session, actions: Actions) -> None:
    mid = await sent(node, session)
    works = [
        actions.edit(session, "3EB0NONE", chat=ADA_JID, text="x"),
        actions.edit(session, mid, chat=BOB_JID, text="x"),
        actions.revoke(session, "3EB0NONE", chat=ADA_JID, sender=""),
        actions.revoke(session, mid, chat=ADA_JID, sender=ADA_JID),
        actions.forward(session, "3EB0NONE", chat=ADA_JID, sender="", to=BOB_JID),
        actions.react(session, "3EB0NONE", chat=ADA_JID, sender="", emoji="👍"),
        actions.unreact(session, "3EB0NONE", chat=ADA_JID, sender=""),
        actions.vote(session, "3EB0NONE", chat=ADA_JID, sender="", options=[]),
    ]
    assert {(await refusal(work)).code for work in works} == {Code.NOT_FOUND}


async def test_a_jid_that_is_none_is_named(node: MemoryNode, session: Session, actions: Actions) -> None:
    mid = await sent(node, session)
    cases = {
        "chat": [
            actions.edit(session, mid, chat="", text="x"),
            actions.revoke(session, mid, chat="ada", sender=""),
            actions.forward(session, mid, chat="", sender="", to=BOB_JID),
            actions.react(session, mid, chat="", sender="", emoji="👍"),
            actions.vote(session, mid, chat="", sender="", options=[]),
        ],
        "sender": [actions.revoke(session, mid, chat=ADA_JID, sender="ada")],
        "to": [actions.forward(session, mid, chat=ADA_JID, sender="", to="")],
    }
    for field, works in cases.items():
        for work in works:
            refused = await refusal(work)
            assert (refused.code, set(refused.details)) == (Code.VALIDATION_ERROR, {field})


async def test_an_own_message_is_revoked_for_everybody(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = await sent(node, session)
    await actions.revoke(session, mid, chat=ADA_JID, sender="")
    revoke = last(network)
    assert isinstance(revoke, Revoke)
    assert (revoke.target.id, revoke.target.from_me) == (mid, True)
    stored = await only(node, session)
    assert (stored.body, stored.deleted) == ("", True)
    for again in (
        actions.revoke(session, mid, chat=ADA_JID, sender=""),
        actions.edit(session, mid, chat=ADA_JID, text="x"),
    ):
        assert (await refusal(again)).code is Code.NOT_FOUND


async def test_an_admin_revokes_what_another_wrote_in_a_group(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    network.group(parse_jid(GROUP), "invite", {NUMBER, ADA, BOB})
    mid = network.say(ADA, parse_jid(GROUP), Text("rude"))

    async def arrived() -> bool:
        return await node.conversations.find_chat(session.id, GROUP) is not None

    await until_async(arrived, "the group's message is stored")
    await actions.revoke(session, mid, chat=GROUP, sender=ADA_JID)
    revoke = last(network, BOB)
    assert isinstance(revoke, Revoke)
    assert (revoke.target.id, revoke.target.from_me) == (mid, False)


async def test_a_forwarded_message_is_a_faithful_copy(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = await sent(node, session, Draft(ADA_JID, "location", latitude=1, longitude=2, name="there"))
    result = await actions.forward(session, mid, chat=ADA_JID, sender="", to=BOB_JID)
    assert isinstance(last(network, BOB), Forward)
    assert result.wa_message_id == network.account(BOB).heard[-1].id != mid
    (stored,) = await node.stored(session, BOB)
    assert (stored.type, stored.body, stored.wa_message_id) == ("location", "there", result.wa_message_id)


async def test_what_cannot_be_copied_is_referred_to(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = await sent(node, session)
    await actions.edit(session, mid, chat=ADA_JID, text="better")
    await actions.forward(session, mid, chat=ADA_JID, sender="", to=BOB_JID)
    forwarded = last(network, BOB)
    assert isinstance(forwarded, Text)
    assert (forwarded.text, forwarded.forwarded) == ("better", 1)


async def test_a_reaction_replaces_the_one_before_and_can_be_taken_back(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = network.write(ADA, NUMBER, "news")
    await node.bodies(session, ADA, 1)
    row = await only(node, session)
    repository = MessageRepository(node.database)
    for emoji in ("👍", "🎉"):
        await actions.react(session, mid, chat=ADA_JID, sender=ADA_JID, emoji=emoji)
    reaction = last(network)
    assert isinstance(reaction, Reaction)
    assert (reaction.target.id, reaction.target.from_me, reaction.emoji) == (mid, False, "🎉")
    assert [(r.sender_jid, r.emoji) for r in await repository.reactions([row.id])] == [(session.wa_jid, "🎉")]
    await actions.unreact(session, mid, chat=ADA_JID, sender="")
    taken = last(network)
    assert isinstance(taken, Reaction)
    assert taken.emoji == ""
    assert await repository.reactions([row.id]) == []
    for emoji in ("", " ", "x" * 65):
        refused = await refusal(actions.react(session, mid, chat=ADA_JID, sender="", emoji=emoji))
        assert set(refused.details) == {"emoji"}


async def test_a_vote_is_the_complete_choice(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = network.say(ADA, (network.account(NUMBER)).jid, Poll("Lunch?", ("soup", "bread", "rice"), 2))
    await node.bodies(session, ADA, 1)
    for options in (["soup", "rice"], []):
        await actions.vote(session, mid, chat=ADA_JID, sender=ADA_JID, options=options)
        vote = last(network)
        assert isinstance(vote, Vote)
        assert (vote.poll.id, vote.options) == (mid, tuple(options))
    refused = await refusal(actions.vote(session, mid, chat=ADA_JID, sender="", options=["pizza"]))
    assert set(refused.details) == {"options"}
    text = await sent(node, session)
    refused = await refusal(actions.vote(session, text, chat=ADA_JID, sender="", options=["soup"]))
    assert set(refused.details) == {"mid"}


async def test_a_reply_quotes_what_is_stored(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    mid = network.write(ADA, NUMBER, "question")
    await node.bodies(session, ADA, 1)
    draft = Draft(ADA_JID, "text", "@ada yes", reply_to=mid, mentions=[ADA_JID])
    await sent(node, session, draft)
    answer = last(network)
    assert isinstance(answer, Text)
    assert answer.quote is not None
    assert answer.quote.id == mid
    stored = {message.body: message for message in await node.stored(session, ADA)}["@ada yes"]
    assert (stored.quoted_id, list(stored.mentions)) == (mid, [ADA_JID])
    refused = await refusal(node.sending.send(session, Draft(BOB_JID, "text", "x", reply_to=mid)))
    assert set(refused.details) == {"replyTo"}


async def test_a_refused_action_changes_nothing_here(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = await sent(node, session)
    network.refuse_next(NUMBER, Refusal.NOT_ALLOWED)
    refused = await refusal(actions.revoke(session, mid, chat=ADA_JID, sender=""))
    assert (refused.code, refused.details["reason"]) == (Code.WHATSAPP_ERROR, "not_allowed")
    assert (await only(node, session)).body == "hello"
    await node.sessions.stop(session)
    session = await node.record(session.id)
    refused = await refusal(actions.edit(session, mid, chat=ADA_JID, text="x"))
    assert (refused.code, refused.details) == (Code.CONFLICT, {"status": "stopped"})


async def test_an_action_without_an_answer_is_of_unknown_outcome(
    tmp_path: Path, network: MemoryNetwork
) -> None:
    async with memory_node(tmp_path, network, send_timeout=0.05) as node:
        session = await node.working(NUMBER)
        mid = await sent(node, session)
        network.hold_next(NUMBER)
        refused = await refusal(node.gateway.actions.edit(session, mid, chat=ADA_JID, text="x"))
        assert (refused.code, refused.details) == (Code.TIMEOUT, {"outcome": "indeterminate"})
        assert (await only(node, session)).body == "hello"


async def test_who_goes_away_does_not_keep_an_action_from_being_recorded(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = await sent(node, session)
    held = network.hold_next(NUMBER)
    edit: asyncio.Task[SendResult] = asyncio.create_task(
        actions.edit(session, mid, chat=ADA_JID, text="better")
    )
    await held.reached.wait()
    edit.cancel()
    held.accept()
    await asyncio.wait({edit})
    assert (await only(node, session)).body == "better"


async def test_forwarding_counts_towards_the_rate(tmp_path: Path, network: MemoryNetwork) -> None:
    async with memory_node(tmp_path, network, rate_per_min=2) as node:
        session = await node.working(NUMBER)
        mid = await sent(node, session)
        actions = node.gateway.actions
        await actions.forward(session, mid, chat=ADA_JID, sender="", to=BOB_JID)
        refused = await refusal(actions.forward(session, mid, chat=ADA_JID, sender="", to=BOB_JID))
        assert refused.code is Code.RATE_LIMITED
        # What mends a message is never held back.
        await actions.edit(session, mid, chat=ADA_JID, text="better")
        await actions.revoke(session, mid, chat=ADA_JID, sender="")


async def told(node: MemoryNode) -> list[Logged]:
    """What was told of acts on messages."""
    others = ("message", "session.status")
    return [event for event in await logged(node.database) if event.name not in others]


async def test_what_callers_do_is_told_like_what_others_do(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    mid = await sent(node, session)
    theirs = network.say(ADA, network.account(NUMBER).jid, Poll("Lunch?", ("soup", "rice"), 2))
    await node.bodies(session, ADA, 2)
    await actions.edit(session, mid, chat=ADA_JID, text="better")
    await actions.react(session, theirs, chat=ADA_JID, sender="", emoji="👍")
    await actions.unreact(session, theirs, chat=ADA_JID, sender="")
    await actions.vote(session, theirs, chat=ADA_JID, sender="", options=["rice"])
    await actions.revoke(session, mid, chat=ADA_JID, sender="")
    edited, reacted, taken_back, voted, revoked = await told(node)
    assert (edited.name, edited.payload["waMessageId"], edited.payload["body"]) == (
        "message.edited",
        mid,
        "better",
    )
    for event, emoji in ((reacted, "👍"), (taken_back, "")):
        assert (event.name, event.payload["emoji"]) == ("message.reaction", emoji)
        assert event.payload["reactorJid"] == session.wa_jid
    assert (voted.name, voted.payload["voterJid"], voted.payload["senderJid"]) == (
        "poll.vote",
        session.wa_jid,
        ADA_JID,
    )
    assert voted.payload["options"] == ["rice"]
    assert voted.payload["tally"] == [{"option": "soup", "votes": 0}, {"option": "rice", "votes": 1}]
    assert (revoked.name, revoked.payload["revokerJid"]) == ("message.revoked", session.wa_jid)


async def test_what_another_device_tells_of_the_same_act_is_no_second_event(
    node: MemoryNode, network: MemoryNetwork, session: Session, actions: Actions
) -> None:
    # given acts of a caller
    mid = await sent(node, session)
    poll = network.say(ADA, network.account(NUMBER).jid, Poll("Lunch?", ("soup", "rice"), 2))
    await node.bodies(session, ADA, 2)
    await actions.edit(session, mid, chat=ADA_JID, text="better")
    await actions.react(session, poll, chat=ADA_JID, sender="", emoji="👍")
    await actions.vote(session, poll, chat=ADA_JID, sender="", options=["rice"])
    before = await told(node)
    assert len(before) == 3
    # when the same come in as the account's own
    own, ada = network.account(NUMBER), network.account(ADA)
    echoes: list[Edited | Revoked | Reacted | Sealed] = []
    for heard in ada.heard[-3:]:
        envelope = Envelope(ada.lid, ada.jid, own.lid, own.jid, from_me=True, timestamp=1, by_admin=False)
        act = act_of(Message.FromString(heard.message), envelope)
        assert act is not None
        echoes.append(act)
    assert [type(echo) for echo in echoes] == [Edited, Reacted, Sealed]
    await node.ingest(session, echoes)
    # then nothing more is told
    assert await told(node) == before


async def test_a_deleted_message_is_told_once_by_whomever(
    node: MemoryNode, session: Session, actions: Actions
) -> None:
    mid = await sent(node, session)
    await actions.revoke(session, mid, chat=ADA_JID, sender="")
    for _ in range(2):
        assert (await refusal(actions.revoke(session, mid, chat=ADA_JID, sender=""))).code is Code.NOT_FOUND
    assert [event.name for event in await told(node)] == ["message.revoked"]
