"""What callers change about chats, here and on the phone."""

import pytest
import pytest_asyncio

from server.chats.changes import ChatChanges, ChatUpdate
from server.clock import now_ms
from server.errors import Code, WagateError
from server.store.records import Chat, Session
from server.whatsapp.jid import parse_jid
from server.whatsapp.memory import MemoryNetwork
from server.whatsapp.port import ChatState
from tests.support.memory_node import MemoryNode
from tests.support.waiting import until

NUMBER = "628110000001"
OTHER = "628110000002"
ADA = "628120000001"
ADA_JID = f"{ADA}@s.whatsapp.net"
GROUP = "120363000000000001@g.us"


@pytest_asyncio.fixture
async def session(node: MemoryNode, network: MemoryNetwork) -> Session:
    """A session with a chat in which a message waits unread."""
    network.account(ADA)
    session = await node.working(NUMBER)
    network.write(ADA, NUMBER, "hi")
    await node.bodies(session, ADA, 1)
    return session


@pytest.fixture
def changes(node: MemoryNode) -> ChatChanges:
    return node.gateway.changes


async def refusal(work: object) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await work  # type: ignore[misc] # any of the operations
    return caught.value


def flags(chat: Chat) -> tuple[bool, bool, int | None]:
    return chat.archived, chat.pinned, chat.muted_until


@pytest.mark.parametrize("tells", [True, False])
async def test_an_update_changes_only_what_is_given(
    node: MemoryNode, network: MemoryNetwork, session: Session, changes: ChatChanges, tells: bool
) -> None:
    network.takes_chat_changes = tells
    later = now_ms() + 3_600_000
    assert flags(await changes.update(session, ADA_JID, ChatUpdate(pinned=True))) == (False, True, None)
    muted = await changes.update(session, ADA_JID, ChatUpdate(muted_until=later))
    assert flags(muted) == (False, True, later)
    assert flags(await changes.update(session, ADA_JID, ChatUpdate(archived=True))) == (True, False, later)
    assert flags(await changes.update(session, ADA_JID, ChatUpdate())) == (True, False, later)
    both = ChatUpdate(unmute=True, muted_until=later)
    assert flags(await changes.update(session, ADA_JID, both)) == (True, False, None)
    assert flags(await node.chats.find(session, ADA_JID)) == (True, False, None)
    phone = network.account(NUMBER).chats
    assert [(c.archived, c.pinned, c.muted_until) for c in phone.values()] == [(True, False, 0)] * tells


async def test_a_session_that_is_away_changes_the_stored_copy_alone(
    node: MemoryNode, network: MemoryNetwork, session: Session, changes: ChatChanges
) -> None:
    await node.sessions.stop(session)
    assert (await changes.update(session, ADA_JID, ChatUpdate(archived=True))).archived
    assert network.account(NUMBER).chats == {}


@pytest.mark.parametrize(
    ("update", "field"),
    [
        (ChatUpdate(archived=True, pinned=True), "pinned"),
        (ChatUpdate(muted_until=1), "mutedUntil"),
        (ChatUpdate(muted_until=-1), "mutedUntil"),
        (ChatUpdate(muted_until=2**60), "mutedUntil"),
    ],
)
async def test_parts_that_make_no_sense_are_named(
    session: Session, changes: ChatChanges, update: ChatUpdate, field: str
) -> None:
    refused = await refusal(changes.update(session, ADA_JID, update))
    assert (refused.code, set(refused.details)) == (Code.VALIDATION_ERROR, {field})


async def test_a_chat_that_was_read_counts_from_zero_again(
    node: MemoryNode, network: MemoryNetwork, session: Session, changes: ChatChanges
) -> None:
    assert (await node.chats.find(session, ADA_JID)).unread_count == 1
    assert (await changes.read(session, ADA_JID)).unread_count == 0
    assert (await changes.read(session, ADA_JID)).unread_count == 0
    assert network.account(ADA).read == []


async def test_a_deleted_chat_may_reappear_with_new_messages(
    node: MemoryNode, network: MemoryNetwork, session: Session, changes: ChatChanges
) -> None:
    await changes.delete(session, ADA_JID)
    assert (await refusal(changes.delete(session, ADA_JID))).code is Code.NOT_FOUND
    network.write(ADA, NUMBER, "again")
    assert await node.bodies(session, ADA, 1) == ["again"]


async def test_the_other_side_sees_what_is_shown(
    network: MemoryNetwork, session: Session, changes: ChatChanges
) -> None:
    for state in ChatState:
        await changes.show_state(session, ADA_JID, state)
    assert [state for _, state in network.account(ADA).chat_states] == list(ChatState)


async def test_live_actions_need_a_connection(
    node: MemoryNode, session: Session, changes: ChatChanges
) -> None:
    await node.sessions.stop(session)
    session = await node.record(session.id)
    refused = await refusal(changes.show_state(session, ADA_JID, ChatState.COMPOSING))
    assert (refused.code, refused.details) == (Code.NOT_IMPLEMENTED, {"status": "stopped"})
    refused = await refusal(node.gateway.groups.join(session, "AbCdEfGhIjKlMnOpQrSt"))
    assert (refused.code, refused.details) == (Code.NOT_IMPLEMENTED, {"status": "stopped"})


@pytest.mark.parametrize("jid", ["", "ada", "1@c.us"])
async def test_a_chat_that_is_none_is_named(node: MemoryNode, session: Session, jid: str) -> None:
    refused = await refusal(node.chats.find(session, jid))
    assert set(refused.details) == {"cid"}
    refused = await refusal(node.gateway.changes.show_state(session, jid, ChatState.PAUSED))
    assert set(refused.details) == {"cid"}


@pytest.mark.parametrize(
    "invite",
    ["{}", "https://chat.whatsapp.com/{}", "https://chat.whatsapp.com/invite/{}?mode=x", " {}\n"],
)
async def test_a_group_is_joined_by_code_or_link_as_often_as_one_likes(
    node: MemoryNode, network: MemoryNetwork, session: Session, invite: str
) -> None:
    group = network.group(parse_jid(GROUP), "AbCdEfGhIjKlMnOpQrSt", {ADA})
    for _ in range(2):
        joined = await node.gateway.groups.join(session, invite.format("AbCdEfGhIjKlMnOpQrSt"))
        assert str(joined) == GROUP
    assert NUMBER in group.members


@pytest.mark.parametrize("invite", ["", "short", "https://example.com/AbCdEfGhIjKl", "ZZZZZZZZZZZZZZZZZZZZ"])
async def test_an_invite_that_is_none_is_named(node: MemoryNode, session: Session, invite: str) -> None:
    refused = await refusal(node.gateway.groups.join(session, invite))
    assert (refused.code, set(refused.details)) == (Code.VALIDATION_ERROR, {"invite"})


async def test_a_session_with_auto_read_says_so_to_the_sender(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    assert not session.auto_read
    assert network.account(ADA).read == []
    reading = await node.working(OTHER, auto_read=True)
    message_id = network.write(ADA, OTHER, "read this")
    await until(lambda: bool(network.account(ADA).read), "the message is read")
    assert [found for _, found in network.account(ADA).read] == [message_id]
    # Stored before it is said to be read.
    assert await node.bodies(reading, ADA, 1) == ["read this"]


async def test_a_session_with_presence_typing_types_before_it_sends(
    node: MemoryNode, network: MemoryNetwork, session: Session
) -> None:
    await node.send(session, ADA, "at once")
    assert network.account(ADA).chat_states == []
    typing = await node.working(OTHER, presence_typing=True)
    await node.send(typing, ADA, "typed")
    assert [state for _, state in network.account(ADA).chat_states] == [ChatState.COMPOSING]
