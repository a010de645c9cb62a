"""A person who wrote before their number was known is one chat when it is."""

import itertools
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from server.store.arrival_records import MessageAct, NewEdit, NewMessage, NewReaction
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.message_actions import MessageRepository
from server.store.records import Chat, Message, Organization, Session
from server.store.sessions import SessionRepository
from tests.support.acts import an_act
from tests.support.records import a_message, a_session

LID = "7@lid"
PHONE = "628120000001@s.whatsapp.net"
PAIR = (LID, PHONE)
GROUP = "1@g.us"

_runs = itertools.count()


def by_lid(session: Session, name: str, **more: object) -> NewMessage:
    """A message that came with the LID alone."""
    return replace(a_message(session.id, name, chat_jid=LID, sender_jid=LID), **more)  # type: ignore[arg-type] # fields by name


def by_phone(session: Session, name: str, **more: object) -> NewMessage:
    """A message that came with the number alone."""
    return replace(a_message(session.id, name, chat_jid=PHONE, sender_jid=PHONE), **more)  # type: ignore[arg-type] # fields by name


def by_both(session: Session, name: str, **more: object) -> NewMessage:
    """A message that tells both addresses."""
    return replace(by_phone(session, name), lid=LID, phone_jid=PHONE, **more)  # type: ignore[arg-type] # fields by name


def done(session: Session, chat: str, deed: NewEdit | NewReaction, *, by: str, at: int) -> MessageAct:
    """What somebody did to M1, as it stands in one of the two chats."""
    return an_act(session.id, "M1", deed, chat_jid=chat, sender_jid=chat, actor_jid=by, timestamp=at)


async def chats_of(conversations: ConversationRepository, session: Session) -> list[Chat]:
    return list(await conversations.page_chats(session.id, after=None, limit=100))


async def messages_of(conversations: ConversationRepository, chat: Chat) -> list[Message]:
    return list(await conversations.page_messages(chat.id, before=None, limit=100))


async def test_a_chat_that_stood_under_the_lid_stands_under_the_number(
    conversations: ConversationRepository, session: Session
) -> None:
    await conversations.store([by_lid(session, "M1", chat_name="Ada"), by_lid(session, "M2")])
    (before,) = await chats_of(conversations, session)
    await conversations.store([by_both(session, "M3", timestamp=9_000)])
    (chat,) = await chats_of(conversations, session)
    assert (chat.id, chat.jid, chat.name) == (before.id, PHONE, "Ada")
    assert (chat.unread_count, chat.last_message_at) == (3, 9_000)
    found = await messages_of(conversations, chat)
    assert [(m.wa_message_id, m.sender_jid) for m in found] == [("M3", PHONE), ("M2", PHONE), ("M1", PHONE)]


async def test_two_chats_of_one_person_become_one(
    conversations: ConversationRepository, session: Session
) -> None:
    # given a person who is stored twice
    await conversations.store([by_lid(session, "M1", chat_name="Ada", timestamp=8_000)])
    await conversations.store([by_phone(session, "M2")])
    old, stays = await chats_of(conversations, session)
    assert (old.jid, stays.jid) == (LID, PHONE)
    await conversations.change_chat(old.id, {"pinned": True, "archived": True, "muted_until": 5})
    # when the two turn out to be one
    await conversations.store([by_both(session, "M3", timestamp=7_000)])
    # then everything of both is in the one that is named by the number
    (chat,) = await chats_of(conversations, session)
    assert (chat.id, chat.jid, chat.name, chat.unread_count) == (stays.id, PHONE, "Ada", 3)
    assert (chat.pinned, chat.archived, chat.muted_until) == (True, False, 5)
    assert chat.last_message_at == 8_000
    assert [m.wa_message_id for m in await messages_of(conversations, chat)] == ["M1", "M3", "M2"]


async def test_a_message_that_was_stored_under_both_is_one_with_all_that_was_done_to_it(
    conversations: ConversationRepository, session: Session, database: Database
) -> None:
    actions = MessageRepository(database)
    (first,) = await conversations.store([by_lid(session, "M1")])
    (second,) = await conversations.store([by_phone(session, "M1")])
    (gone,) = await conversations.store([by_lid(session, "M2")])
    await conversations.store([by_phone(session, "M2")])
    assert first is not None
    assert second is not None
    assert gone is not None
    await actions.hide(gone)
    await conversations.store(
        [
            done(session, LID, NewEdit("edited", b"", ()), by=LID, at=2_000),
            done(session, LID, NewReaction("👍"), by="x@s.whatsapp.net", at=2),
            done(session, PHONE, NewReaction("❤"), by="x@s.whatsapp.net", at=1),
            done(session, LID, NewReaction("😀"), by=LID, at=1),
        ]
    )
    await conversations.store([by_both(session, "M3")])
    (chat,) = await chats_of(conversations, session)
    found = {m.wa_message_id: m for m in await messages_of(conversations, chat)}
    assert set(found) == {"M1", "M3"}
    assert (found["M1"].body, found["M1"].edited, found["M1"].id) == ("edited", True, second)
    assert chat.unread_count == 3
    reactions = {r.sender_jid: r.emoji for r in await actions.reactions([second])}
    assert reactions == {"x@s.whatsapp.net": "👍", PHONE: "😀"}


async def test_what_was_read_under_the_lid_stays_read(
    conversations: ConversationRepository, session: Session
) -> None:
    await conversations.store([by_lid(session, "M1"), by_lid(session, "M2")])
    (chat,) = await chats_of(conversations, session)
    await conversations.change_chat(chat.id, {"unread_count": 0})
    await conversations.store([by_phone(session, "M3"), by_both(session, "M4")])
    (chat,) = await chats_of(conversations, session)
    assert chat.unread_count == 2


async def test_in_groups_the_writer_gets_the_number_and_reactions_do(
    conversations: ConversationRepository, session: Session, database: Database
) -> None:
    actions = MessageRepository(database)
    in_group = {"chat_jid": GROUP}
    (row,) = await conversations.store([by_lid(session, "M1", **in_group)])
    await conversations.store([by_phone(session, "M1", **in_group)])
    (mine,) = await conversations.store(
        [by_lid(session, "M2", chat_jid=GROUP, sender_jid="me@s.whatsapp.net", from_me=True)]
    )
    assert row is not None
    assert mine is not None
    for who, emoji, at in ((LID, "😀", 5), (PHONE, "👍", 4)):
        act = an_act(session.id, "M2", NewReaction(emoji), chat_jid=GROUP, actor_jid=who, timestamp=at)
        await conversations.store([replace(act, sender_jid="me@s.whatsapp.net")])
    await conversations.store([by_both(session, "M3", chat_jid=GROUP)])
    (group,) = await chats_of(conversations, session)
    found = await messages_of(conversations, group)
    assert sorted((m.wa_message_id, m.sender_jid) for m in found) == [
        ("M1", PHONE),
        ("M2", "me@s.whatsapp.net"),
        ("M3", PHONE),
    ]
    assert group.unread_count == 2
    assert [(r.sender_jid, r.emoji) for r in await actions.reactions([mine])] == [(PHONE, "😀")]
    # and what comes twice is known
    assert await conversations.store([by_lid(session, "M1", **in_group)]) == [None]


async def test_a_message_made_before_the_number_was_learned_goes_to_the_one_chat(
    conversations: ConversationRepository, session: Session
) -> None:
    """In the same commit, and in a later one."""
    await conversations.store([by_both(session, "M1"), by_lid(session, "M2")])
    await conversations.store([by_lid(session, "M3")])
    await conversations.store([by_lid(session, None, from_me=True, sender_jid="me@s.whatsapp.net")])  # type: ignore[arg-type] # a send whose id nobody knows
    (chat,) = await chats_of(conversations, session)
    assert (chat.jid, chat.unread_count) == (PHONE, 3)
    assert len(await messages_of(conversations, chat)) == 4


async def test_other_sessions_and_other_people_are_left_alone(
    conversations: ConversationRepository,
    session: Session,
    sessions: SessionRepository,
    organization: Organization,
) -> None:
    other = a_session(organization.id)
    await sessions.add(other)
    await conversations.store([by_lid(other, "M1")])
    await conversations.store([by_lid(session, "M1", chat_jid="8@lid", sender_jid="8@lid")])
    await conversations.store([by_both(session, "M2")])
    assert [chat.jid for chat in await chats_of(conversations, other)] == [LID]
    assert {chat.jid for chat in await chats_of(conversations, session)} == {"8@lid", PHONE}


ARRIVALS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([by_lid, by_phone, by_both]), st.booleans()), max_size=20
)


@settings(
    max_examples=25,
    deadline=None,
    # The database is the same for all examples on purpose: their sessions differ.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(arrivals=ARRIVALS, together=st.integers(1, 6))
async def test_whatever_came_first_the_end_is_the_same(
    database: Database,
    organization: Organization,
    arrivals: list[tuple[int, object, bool]],
    together: int,
) -> None:
    """Messages of one person, alone and in a group, by either address, some of them several times."""
    conversations = ConversationRepository(database)
    session = a_session(organization.id, f"run{next(_runs)}")
    await SessionRepository(database).add(session)
    made = [
        how(session, f"M{number}", **({"chat_jid": GROUP} if in_group else {}))  # type: ignore[operator] # one of the three above
        for number, how, in_group in [*arrivals, (9, by_both, False)]
    ]
    for start in range(0, len(made), together):
        await conversations.store(made[start : start + together])
    alone = {number for number, _, in_group in arrivals if not in_group} | {9}
    in_groups = {number for number, _, in_group in arrivals if in_group}
    found = {chat.jid: chat for chat in await chats_of(conversations, session)}
    assert set(found) == {PHONE} | ({GROUP} if in_groups else set())
    for jid, numbers in ((PHONE, alone), (GROUP, in_groups)):
        if numbers:
            assert found[jid].unread_count == len(numbers)
            messages = await messages_of(conversations, found[jid])
            assert sorted(m.wa_message_id or "" for m in messages) == sorted(f"M{n}" for n in numbers)
            assert {m.sender_jid for m in messages} == {PHONE}
    orphans = text("SELECT count(*) FROM message WHERE chat_id NOT IN (SELECT id FROM chat)")
    assert await database.read(lambda connection: connection.execute(orphans).scalar_one()) == 0
