"""The stored copy: chats, messages, addresses."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from server.store.arrival_records import NewMessage
from server.store.arrivals import store_arrivals
from server.store.contents import Unread
from server.store.conversations import ConversationRepository, SessionGoneError
from server.store.database import Database
from server.store.queries import execute
from server.store.records import Chat, Message, Session
from server.store.sessions import SessionRepository
from tests.support.records import a_message, a_session

ADA = "628120000001@s.whatsapp.net"
BOB = "628120000002@s.whatsapp.net"


async def chat_of(conversations: ConversationRepository, session: Session, jid: str = ADA) -> Chat:
    chat = await conversations.find_chat(session.id, jid)
    assert chat is not None
    return chat


async def messages_of(
    conversations: ConversationRepository, session: Session, jid: str = ADA
) -> Sequence[Message]:
    chat = await chat_of(conversations, session, jid)
    return await conversations.page_messages(chat.id, before=None, limit=1000)


async def test_a_message_comes_back_as_it_was_stored(
    conversations: ConversationRepository, session: Session
) -> None:
    new = a_message(
        session.id, "M1", body="שלום 😀\n" + "x" * 60_000, timestamp=1_790_000_000_000, chat_name="Ada"
    )
    (row_id,) = await conversations.store([new])
    assert row_id is not None
    assert await messages_of(conversations, session) == [
        Message(
            id=row_id,
            wa_message_id="M1",
            sender_jid=ADA,
            from_me=False,
            type="text",
            body=new.body,
            ack_level=0,
            error=None,
            timestamp=1_790_000_000_000,
            created_at=1_000,
            edited=False,
            deleted=False,
            quoted_id=None,
            mentions=[],
        )
    ]
    chat = await chat_of(conversations, session)
    assert (chat.name, chat.unread_count, chat.last_message_at) == ("Ada", 1, 1_790_000_000_000)
    assert (chat.archived, chat.pinned, chat.muted_until) == (False, False, None)


async def test_storing_a_message_again_changes_nothing(
    conversations: ConversationRepository, session: Session
) -> None:
    message = a_message(session.id, "M1")
    (first,) = await conversations.store([message])
    before = (await chat_of(conversations, session), await messages_of(conversations, session))
    assert first is not None
    assert await conversations.store([message]) == [None]
    assert await conversations.store([replace(message, body="forged", created_at=9)]) == [None]
    assert (await chat_of(conversations, session), await messages_of(conversations, session)) == before


async def test_a_message_twice_in_one_batch_is_one(
    conversations: ConversationRepository, session: Session
) -> None:
    message = a_message(session.id, "M1")
    first, second = await conversations.store([message, message])
    assert first is not None
    assert second is None
    assert (await chat_of(conversations, session)).unread_count == 1


async def test_an_id_is_unique_per_sender_and_chat_alone(
    conversations: ConversationRepository, session: Session
) -> None:
    group = "120363000000000000@g.us"
    stored = await conversations.store(
        [
            a_message(session.id, "M1", chat_jid=group, sender_jid=ADA),
            a_message(session.id, "M1", chat_jid=group, sender_jid=BOB),
            a_message(session.id, "M1"),
        ]
    )
    assert None not in stored
    assert len(set(stored)) == 3


async def test_sends_without_an_id_are_never_taken_for_each_other(
    conversations: ConversationRepository, session: Session
) -> None:
    unknown = a_message(session.id, None, from_me=True)
    stored = [*(await conversations.store([unknown, unknown])), *(await conversations.store([unknown]))]
    assert None not in stored
    assert len(set(stored)) == 3


async def test_unread_counts_what_others_wrote(
    conversations: ConversationRepository, session: Session
) -> None:
    await conversations.store(
        [
            a_message(session.id, "M1"),
            a_message(session.id, "M2", from_me=True, sender_jid="me"),
            a_message(session.id, "M3"),
            a_message(session.id, "M4", chat_jid=BOB, sender_jid=BOB),
        ]
    )
    await conversations.store([a_message(session.id, "M5"), a_message(session.id, "M1")])
    assert (await chat_of(conversations, session)).unread_count == 3
    assert (await chat_of(conversations, session, BOB)).unread_count == 1


async def test_results_come_in_the_order_of_the_messages(
    conversations: ConversationRepository, session: Session
) -> None:
    bodies = [f"b{n}" for n in range(60)]
    stored = await conversations.store(
        [
            a_message(session.id, f"M{n}" if n % 3 else None, body=body, chat_jid=BOB if n % 5 else ADA)
            for n, body in enumerate(bodies)
        ]
    )
    by_id = {
        message.id: message.body
        for jid in (ADA, BOB)
        for message in await messages_of(conversations, session, jid)
    }
    assert [by_id[row_id or 0] for row_id in stored] == bodies


async def test_a_chat_moves_forward_and_never_back(
    conversations: ConversationRepository, session: Session
) -> None:
    for number, timestamp in enumerate((2_000, 5_000, 3_000)):
        await conversations.store([a_message(session.id, f"M{number}", timestamp=timestamp)])
    assert (await chat_of(conversations, session)).last_message_at == 5_000


async def test_a_chat_keeps_its_name_until_it_gets_another(
    conversations: ConversationRepository, session: Session
) -> None:
    names = []
    for number, name in enumerate(("", "Ada", "", "Ada L.")):
        await conversations.store([a_message(session.id, f"M{number}", chat_name=name)])
        names.append((await chat_of(conversations, session)).name)
    assert names == ["", "Ada", "Ada", "Ada L."]


async def test_messages_are_paged_newest_first_in_one_canonical_order(
    conversations: ConversationRepository, session: Session
) -> None:
    # WhatsApp's time has whole seconds: within one, the time of arrival decides, then the row.
    await conversations.store(
        [
            a_message(session.id, "second", timestamp=2_000, created_at=20),
            a_message(session.id, "first", timestamp=2_000, created_at=10),
            a_message(session.id, "third", timestamp=2_000, created_at=20),
            a_message(session.id, "late", timestamp=1_000, created_at=99),
            a_message(session.id, "newest", timestamp=3_000, created_at=1),
        ]
    )
    expected = ["newest", "third", "second", "first", "late"]
    assert [m.wa_message_id for m in await messages_of(conversations, session)] == expected
    chat = await chat_of(conversations, session)
    for size in (1, 2, 3):
        found: list[Message] = []
        position = None
        while page := await conversations.page_messages(chat.id, before=position, limit=size):
            found.extend(page)
            position = (page[-1].timestamp, page[-1].created_at, page[-1].id)
        assert [message.wa_message_id for message in found] == expected


async def test_paging_messages_is_stable_while_others_arrive(
    conversations: ConversationRepository, session: Session
) -> None:
    await conversations.store(
        [a_message(session.id, f"M{n}", timestamp=n * 1000, created_at=n) for n in range(10)]
    )
    chat = await chat_of(conversations, session)
    found: list[Message] = []
    position = None
    while page := await conversations.page_messages(chat.id, before=position, limit=3):
        found.extend(page)
        position = (page[-1].timestamp, page[-1].created_at, page[-1].id)
        await conversations.store(
            [a_message(session.id, f"new{len(found)}", timestamp=90_000, created_at=90 + len(found))]
        )
    assert [message.wa_message_id for message in found] == [f"M{n}" for n in reversed(range(10))]


async def page_through(
    conversations: ConversationRepository, session: Session, size: int, after_page: Sequence[NewMessage] = ()
) -> list[str]:
    found: list[str] = []
    position = None
    while page := await conversations.page_chats(session.id, after=position, limit=size):
        found.extend(chat.jid for chat in page)
        position = (page[-1].pinned, page[-1].last_message_at or 0, page[-1].id)
        if after_page:
            await conversations.store(after_page)
    return found


async def test_chats_are_paged_pinned_first_then_by_newest_activity(
    conversations: ConversationRepository, session: Session, database: Database
) -> None:
    # given six chats, two of them pinned, two of the same age, one without a message
    for number, timestamp in enumerate((3_000, 1_000, 2_000, 2_000, 4_000, 500)):
        await conversations.store(
            [a_message(session.id, "M", chat_jid=f"c{number}", sender_jid="x", timestamp=timestamp)]
        )
    for statement in (
        text("UPDATE chat SET pinned = true WHERE jid IN ('c1', 'c5')"),
        text("UPDATE chat SET last_message_at = NULL WHERE jid = 'c0'"),
    ):
        await execute(database, statement)
    for size in (1, 2, 3, 10):
        assert await page_through(conversations, session, size) == ["c1", "c5", "c4", "c3", "c2", "c0"]


async def test_no_chat_is_given_twice_while_messages_arrive(
    conversations: ConversationRepository, session: Session
) -> None:
    await conversations.store(
        [
            a_message(session.id, "M", chat_jid=f"c{n}", sender_jid="x", timestamp=n * 1000)
            for n in range(1, 9)
        ]
    )
    arriving = [a_message(session.id, "N", chat_jid="c8", sender_jid="x", timestamp=90_000)]
    assert await page_through(conversations, session, 2, arriving) == [f"c{n}" for n in range(8, 0, -1)]


async def test_chats_of_another_session_are_not_there(
    conversations: ConversationRepository, session: Session, sessions: SessionRepository
) -> None:
    other = a_session(session.organization_id)
    await sessions.add(other)
    await conversations.store([a_message(other.id, "M1")])
    assert await conversations.page_chats(session.id, after=None, limit=10) == []
    assert await conversations.find_chat(session.id, ADA) is None


async def test_addresses_are_learned_and_the_newest_counts(
    conversations: ConversationRepository, session: Session
) -> None:
    assert await conversations.phone_jid(session.id, "7@lid") is None
    await conversations.store([a_message(session.id, "M1", address=("7@lid", ADA))])
    assert await conversations.phone_jid(session.id, "7@lid") == ADA
    await conversations.store(
        [
            a_message(session.id, "M2", address=("7@lid", ADA)),
            a_message(session.id, "M3", address=("7@lid", BOB)),
        ]
    )
    assert await conversations.phone_jid(session.id, "7@lid") == BOB


async def test_messages_of_a_deleted_session_are_refused_and_harm_no_other(
    conversations: ConversationRepository, session: Session
) -> None:
    with pytest.raises(SessionGoneError):
        await conversations.store([a_message("gone", "M1"), a_message(session.id, "M2")])
    assert [m.wa_message_id for m in await messages_of(conversations, session)] == ["M2"]


async def test_nothing_to_store_is_no_work(conversations: ConversationRepository) -> None:
    assert await conversations.store([]) == []


@pytest.mark.parametrize(
    "awkward", ["a\0b", "\0", "\x01\x1f\x7f", "\ufffe\uffff", "'; DROP TABLE chat; --", "\\"]
)
async def test_any_text_that_a_person_can_send_is_stored(
    conversations: ConversationRepository, session: Session, awkward: str
) -> None:
    await conversations.store([a_message(session.id, "M1", body=awkward, chat_name=awkward)])
    (message,) = await messages_of(conversations, session)
    # PostgreSQL has no character 0: both engines keep a replacement for it.
    assert message.body == awkward.replace("\0", "\ufffd")
    assert (await chat_of(conversations, session)).name == awkward.replace("\0", "\ufffd")


@pytest.mark.parametrize("awkward", ["a\0b", "\0"])
async def test_an_id_that_a_device_chose_badly_is_stored_once(
    conversations: ConversationRepository, session: Session, awkward: str
) -> None:
    (row_id,) = await conversations.store([a_message(session.id, awkward)])
    assert row_id is not None
    assert await conversations.store([a_message(session.id, awkward)]) == [None]


async def test_errors_of_the_database_do_not_carry_what_people_wrote(database: Database) -> None:
    secret = a_message("gone", "M1", body="for your eyes only")
    with pytest.raises(IntegrityError) as caught:
        await database.write(lambda connection: store_arrivals(connection, [secret], contents=Unread()))
    assert "eyes" not in str(caught.value)
