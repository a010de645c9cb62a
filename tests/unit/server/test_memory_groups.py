"""Groups of the network in memory, as real ones behave."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

from server.whatsapp.content import Poll, Quote, Reaction, Revoke, Target, Text, Vote
from server.whatsapp.incoming import Received
from server.whatsapp.jid import GROUP, Jid
from server.whatsapp.memory import MemoryClient, MemoryClients, MemoryNetwork
from server.whatsapp.port import ChatState, InviteRefusedError, RefusedError
from server.whatsapp.refusals import Refusal

OWN, ADA, BEN = "6281500001", "6281500002", "6281500003"
TEAM = Jid("120363000000000001", GROUP)
INVITE = "Ab3dEf6hIj9kLm2nOp5qRs"


@pytest.fixture
def network() -> MemoryNetwork:
    network = MemoryNetwork()
    network.group(TEAM, INVITE, [ADA, BEN])
    return network


@pytest_asyncio.fixture
async def client(network: MemoryNetwork, tmp_path: Path) -> MemoryClient:
    network.link(OWN, tmp_path)
    client = MemoryClients(network).open("session", tmp_path)
    await client.connect()
    return client


def read(network: MemoryNetwork, number: str) -> Message:
    return Message.FromString(network.account(number).heard[-1].message)


async def received(client: MemoryClient) -> Sequence[Received]:
    return [event for event in await client.events() if isinstance(event, Received)]


async def test_an_invite_is_taken_once_and_again(network: MemoryNetwork, client: MemoryClient) -> None:
    assert await client.join_group(INVITE, within=5) == TEAM
    assert await client.join_group(INVITE, within=5) == TEAM
    await client.send(TEAM, Text("hello"), within=5)
    assert [network.account(number).heard[-1].text for number in (ADA, BEN)] == ["hello", "hello"]
    assert network.account(ADA).heard[-1].chat == TEAM
    assert network.account(OWN).heard == []


async def test_a_wrong_invite_is_refused(client: MemoryClient) -> None:
    with pytest.raises(InviteRefusedError):
        await client.join_group("nonsense", within=5)


@pytest.mark.parametrize("group", [TEAM, Jid("120363000000000009", GROUP)])
async def test_who_is_not_in_a_group_cannot_write_there(client: MemoryClient, group: Jid) -> None:
    with pytest.raises(RefusedError) as caught:
        await client.send(group, Text("hello"), within=5)
    assert caught.value.refusal is Refusal.GROUP_NOT_FOUND


async def test_what_is_received_in_a_group_names_its_author(
    network: MemoryNetwork, client: MemoryClient
) -> None:
    await client.join_group(INVITE, within=5)
    network.say(ADA, TEAM, Text("hello"))
    (message,) = await received(client)
    ada = network.account(ADA)
    assert (message.chat, message.chat_alternative) == (TEAM, None)
    assert (message.sender, message.sender_alternative) == (ada.lid, ada.jid)


async def test_what_acts_on_another_s_message_names_its_author(
    network: MemoryNetwork, client: MemoryClient
) -> None:
    await client.join_group(INVITE, within=5)
    said = network.say(ADA, TEAM, Text("hello"))
    poll = network.say(ADA, TEAM, Poll("lunch?", ("yes", "no"), 1))
    original = (await received(client))[0]
    ada = network.account(ADA)
    target = Target(said, ada.jid, from_me=False)  # as a caller may have it: by phone number
    for content in (Reaction(target, "👍"), Revoke(target)):
        await client.send(TEAM, content, within=5)
        message = read(network, BEN)
        key = (
            message.reactionMessage.key
            if message.HasField("reactionMessage")
            else message.protocolMessage.key
        )
        assert (key.ID, key.fromMe, key.remoteJID, key.participant) == (said, False, str(TEAM), str(ada.lid))
    await client.send(TEAM, Text("yes", quote=Quote(said, ada.jid, original.content)), within=5)
    context = read(network, BEN).extendedTextMessage.contextInfo
    assert (context.participant, context.quotedMessage.conversation) == (str(ada.lid), "hello")
    await client.send(TEAM, Vote(Target(poll, ada.jid, from_me=False), ("yes",)), within=5)
    assert read(network, BEN).pollUpdateMessage.pollCreationMessageKey.participant == str(ada.lid)


async def test_quoting_oneself_tells_a_group_no_phone_number(
    network: MemoryNetwork, client: MemoryClient
) -> None:
    await client.join_group(INVITE, within=5)
    network.say(ADA, TEAM, Text("so that we know how the group is addressed"))
    await client.events()
    sent = await client.send(TEAM, Text("hello"), within=5)
    own = network.account(OWN)
    await client.send(TEAM, Text("again", quote=Quote(sent.id, own.jid, sent.content)), within=5)
    assert read(network, BEN).extendedTextMessage.contextInfo.participant == str(own.lid)


async def test_everybody_else_in_a_group_sees_who_is_typing(
    network: MemoryNetwork, client: MemoryClient
) -> None:
    await client.join_group(INVITE, within=5)
    await client.show_chat_state(TEAM, ChatState.COMPOSING)
    assert network.account(ADA).chat_states == [(TEAM, ChatState.COMPOSING)]
    assert network.account(BEN).chat_states == [(TEAM, ChatState.COMPOSING)]
    assert network.account(OWN).chat_states == []


async def test_a_read_receipt_goes_to_the_author(network: MemoryNetwork, client: MemoryClient) -> None:
    await client.join_group(INVITE, within=5)
    said = network.say(ADA, TEAM, Text("hello"))
    await client.mark_read(TEAM, network.account(ADA).lid, [said], 1)
    assert network.account(ADA).read == [(network.account(OWN).lid, said)]
    assert network.account(BEN).read == []
