"""What others do to messages, from WhatsApp to the stored copy and the event log."""

import pytest
import pytest_asyncio

from server.messages.composing import Draft
from server.store.message_actions import MessageRepository
from server.store.records import Message, Session
from server.whatsapp.content import Edit, Poll, Reaction, Revoke, Target, Text, Vote
from server.whatsapp.incoming import ReceiptKind
from server.whatsapp.jid import GROUP, Jid
from server.whatsapp.memory import Group, MemoryNetwork
from tests.support.acts import Logged, logged
from tests.support.memory_node import MemoryNode
from tests.support.records import a_message
from tests.support.waiting import until_async

NUMBER = "628110000001"
ADA = "628120000001"
BOB = "628120000002"
TEAM = Jid("120363000000000001", GROUP)


@pytest_asyncio.fixture
async def session(node: MemoryNode) -> Session:
    return await node.working(NUMBER)


async def happened(node: MemoryNode, name: str, count: int = 1) -> list[Logged]:
    """Waits until the log holds so many events of a name."""

    async def enough() -> bool:
        return len([event for event in await logged(node.database) if event.name == name]) >= count

    await until_async(enough, f"{count} of {name}")
    return [event for event in await logged(node.database) if event.name == name]


async def names(node: MemoryNode) -> list[str]:
    """The events about messages, in their order."""
    return [event.name for event in await logged(node.database) if event.name != "session.status"]


async def only(node: MemoryNode, session: Session, number: str = ADA) -> Message:
    (message,) = await node.stored(session, number)
    return message


async def test_what_is_sent_and_what_is_received_are_events_alike(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    sent = await node.send(session, ADA, "ours")
    network.write(ADA, NUMBER, "theirs")
    await node.bodies(session, ADA, 2)
    ours, theirs = [event.payload for event in await happened(node, "message", 2)]
    assert (ours["waMessageId"], ours["direction"], ours["body"]) == (sent.wa_message_id, "out", "ours")
    assert (ours["ackLevel"], ours["senderJid"], ours["fromMe"]) == (1, session.wa_jid, True)
    assert (theirs["direction"], theirs["body"]) == ("in", "theirs")
    assert ours["chatJid"] == theirs["chatJid"] == str(network.account(ADA).jid)
    assert await names(node) == ["message", "message"]


async def test_a_person_edits_and_revokes_what_they_wrote(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    ada, own = network.account(ADA), network.account(NUMBER)
    mid = network.write(ADA, NUMBER, "first")
    target = Target(mid, ada.lid, from_me=True)
    network.say(ADA, own.jid, Edit(target, "second"))
    (edited,) = await happened(node, "message.edited")
    message = await only(node, session)
    assert (message.body, message.edited) == ("second", True)
    assert (edited.payload["chatJid"], edited.payload["chatLid"]) == (str(ada.jid), str(ada.lid))
    network.say(ADA, own.jid, Revoke(target))
    (revoked,) = await happened(node, "message.revoked")
    message = await only(node, session)
    assert (message.body, message.deleted) == ("", True)
    assert (revoked.payload["revokerJid"], revoked.payload["revokerLid"]) == (str(ada.jid), str(ada.lid))


async def test_a_person_reacts_to_what_the_session_sent(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    own = network.account(NUMBER)
    sent = await node.send(session, ADA, "hello")
    target = Target(sent.wa_message_id, own.lid, from_me=False)
    network.say(ADA, own.jid, Reaction(target, "👍"))
    (reacted,) = await happened(node, "message.reaction")
    assert (reacted.payload["fromMe"], reacted.payload["senderJid"]) == (True, session.wa_jid)
    assert (reacted.payload["reactorJid"], reacted.payload["emoji"]) == (str(network.account(ADA).jid), "👍")
    messages = MessageRepository(node.database)
    assert [r.emoji for r in await messages.reactions([(await only(node, session)).id])] == ["👍"]
    network.say(ADA, own.jid, Reaction(target, ""))
    await happened(node, "message.reaction", 2)
    assert await messages.reactions([(await only(node, session)).id]) == []


async def test_the_account_s_phone_acts_too(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    ada, own = network.account(ADA), network.account(NUMBER)
    mid = network.write(NUMBER, ADA, "from my phone")
    network.say(NUMBER, ada.jid, Edit(Target(mid, own.lid, from_me=True), "better"))
    (edited,) = await happened(node, "message.edited")
    assert (edited.payload["fromMe"], edited.payload["senderJid"]) == (True, session.wa_jid)
    assert (await only(node, session)).body == "better"


async def test_nobody_edits_or_deletes_what_another_one_wrote(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    own = network.account(NUMBER)
    sent = await node.send(session, ADA, "ours")
    # given a person who claims that it is theirs, and one who claims to be an admin of a chat with one person
    for from_me in (True, False):
        target = Target(sent.wa_message_id, own.lid, from_me=from_me)
        network.say(ADA, own.jid, Edit(target, "forged"))
        network.say(ADA, own.jid, Revoke(target))
    # when something later has arrived
    network.write(ADA, NUMBER, "later")
    assert await node.bodies(session, ADA, 2) == ["ours", "later"]
    # then nothing was told of it
    names = {event.name for event in await logged(node.database)}
    assert not names & {"message.edited", "message.revoked"}


async def test_in_a_group_an_admin_deletes_for_everyone(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    network.group(TEAM, "invite", [NUMBER, ADA, BOB])
    mid = network.say(ADA, TEAM, Text("rude"))
    network.say(BOB, TEAM, Revoke(Target(mid, network.account(ADA).lid, from_me=False)))
    (revoked,) = await happened(node, "message.revoked")
    assert (revoked.payload["senderJid"], revoked.payload["revokerJid"]) == (
        str(network.account(ADA).jid),
        str(network.account(BOB).jid),
    )
    chat = await node.conversations.find_chat(session.id, str(TEAM))
    assert chat is not None
    (message,) = await node.conversations.page_messages(chat.id, before=None, limit=10)
    assert (message.body, message.deleted) == ("", True)


async def test_receipts_raise_what_is_known_of_a_message(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    sent = await node.send(session, ADA, "hello")
    ada, own = network.account(ADA), network.account(NUMBER)
    for kind in (ReceiptKind.DELIVERED, ReceiptKind.READ, ReceiptKind.DELIVERED, ReceiptKind.PLAYED):
        network.tell_receipt(ada, own, ada, [sent.wa_message_id], kind)
    told = await happened(node, "message.status", 3)
    assert [event.payload["status"] for event in told] == ["delivered", "read", "played"]
    assert {event.payload["participantJid"] for event in told} == {str(ada.jid)}
    assert (await only(node, session)).ack_level == 4


async def test_in_a_group_everybody_s_receipts_are_told(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    group = network.group(TEAM, "invite", [NUMBER, ADA, BOB])
    assert isinstance(group, Group)
    mid = network.say(NUMBER, TEAM, Text("hello"))
    own = network.account(NUMBER)
    told_by = [(ADA, ReceiptKind.READ), (BOB, ReceiptKind.DELIVERED), (ADA, ReceiptKind.READ)]
    for reader, kind in [*told_by, (BOB, ReceiptKind.READ)]:
        network.tell_receipt(network.account(reader), own, group, [mid], kind)
    told = [event.payload for event in await happened(node, "message.status", 3)]
    assert [(one["participantJid"], one["status"], one["ackLevel"]) for one in told] == [
        (str(network.account(ADA).jid), "read", 3),
        (str(network.account(BOB).jid), "delivered", 3),
        (str(network.account(BOB).jid), "read", 3),
    ]
    assert {one["chatJid"] for one in told} == {str(TEAM)}
    chat = await node.conversations.find_chat(session.id, str(TEAM))
    assert chat is not None
    (message,) = await node.conversations.page_messages(chat.id, before=None, limit=10)
    assert message.ack_level == 3


async def test_a_receipt_that_is_faster_than_its_send_is_not_lost(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    ada, own = network.account(ADA), network.account(NUMBER)
    # given a receipt for a message that is not stored yet
    mid = "3EB0EARLY"
    network.tell_receipt(ada, own, ada, [mid], ReceiptKind.DELIVERED)
    network.write(ADA, NUMBER, "in between")
    await node.bodies(session, ADA, 1)
    # when the message is there
    sent = a_message(session.id, mid, from_me=True, sender_jid=str(own.jid), chat_jid=str(ada.jid))
    await node.conversations.store([sent])
    # then the receipt counts
    (told,) = await happened(node, "message.status")
    assert (told.payload["waMessageId"], told.payload["status"]) == (mid, "delivered")


async def test_people_vote_in_the_session_s_poll(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    own, ada = network.account(NUMBER), network.account(ADA)
    draft = Draft(str(ada.jid), "poll", name="Lunch?", options=["soup", "rice"], selectable_count=1)
    poll = await node.sending.send(session, draft)
    target = Target(poll.wa_message_id, own.lid, from_me=False)
    network.say(ADA, own.jid, Vote(target, ("rice",)))
    await happened(node, "poll.vote")
    network.say(ADA, own.jid, Vote(target, ()))
    voted, taken_back = [event.payload for event in await happened(node, "poll.vote", 2)]
    assert (voted["fromMe"], voted["senderJid"], voted["voterJid"]) == (True, session.wa_jid, str(ada.jid))
    assert (voted["voterLid"], voted["options"], taken_back["options"]) == (str(ada.lid), ["rice"], [])
    assert voted["tally"] == [{"option": "soup", "votes": 0}, {"option": "rice", "votes": 1}]


@pytest.mark.usefixtures("session")
async def test_people_vote_in_another_s_poll_in_a_group_also_before_it_comes(
    node: MemoryNode, network: MemoryNetwork
) -> None:
    network.group(TEAM, "invite", [NUMBER, ADA, BOB])
    bob = network.account(BOB)
    network.drop(NUMBER)
    poll = network.say(BOB, TEAM, Poll("Lunch?", ("soup", "rice"), 1))
    for voter in (ADA, BOB):
        network.say(voter, TEAM, Vote(Target(poll, bob.lid, from_me=voter == BOB), ("soup",)))
    # given an offline queue that comes in another order
    network.account(NUMBER).waiting.reverse()
    network.restore(NUMBER)
    told = [event.payload for event in await happened(node, "poll.vote", 2)]
    assert {one["voterJid"] for one in told} == {str(network.account(ADA).jid), str(bob.jid)}
    assert told[-1]["tally"] == [{"option": "soup", "votes": 2}, {"option": "rice", "votes": 0}]
    assert await names(node) == ["message", "poll.vote", "poll.vote"]
