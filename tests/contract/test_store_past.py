"""What history brings is stored behind what is there already, on both engines."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from server.store.arrival_records import NewReaction, NewRevoke, NewVote
from server.store.contents import Unread
from server.store.conversations import ConversationRepository
from server.store.database import Database
from server.store.history import HistoryRepository
from server.store.past import Added
from server.store.records import UNDECRYPTABLE, Session
from tests.support.acts import ADA, a_receipt, an_act, an_edit, logged
from tests.support.pasts import BOB, LID, OWN, Stored, a_chunk, a_past, an_old_chat, next_piece, old
from tests.support.records import a_message


@pytest.fixture
def stored(database: Database, session: Session) -> Stored:
    return Stored(database, session)


async def test_a_past_is_stored_as_it_stands_now(stored: Stored, session: Session) -> None:
    added = await stored.take(
        a_past(
            session,
            old("M1", session, body="first", timestamp=1_000),
            old("M2", session, body="better", timestamp=2_000, edited_at=9_000),
            old("M3", session, body="", timestamp=3_000, deleted=True),
            old("O1", session, from_me=True, sender_jid=OWN, ack_level=3, timestamp=4_000),
            chats=[
                an_old_chat(name="Ada", unread_count=2, archived=True, pinned=True, muted_until=7_000),
                an_old_chat(BOB, last_message_at=6_000),
            ],
        )
    )
    assert added == Added(2, 4)
    chat = await stored.chat()
    assert (chat.name, chat.unread_count, chat.archived, chat.pinned) == ("Ada", 2, True, True)
    assert (chat.muted_until, chat.last_message_at) == (7_000, 4_000)
    assert (await stored.chat(BOB)).last_message_at == 6_000
    o1, m3, m2, m1 = await stored.all()
    assert (m1.body, m1.edited, m1.deleted, m1.ack_level) == ("first", False, False, 0)
    assert (m2.body, m2.edited, m3.deleted) == ("better", True, True)
    assert (o1.ack_level, o1.from_me, o1.sender_jid) == (3, True, OWN)


async def test_what_comes_twice_changes_nothing(stored: Stored, session: Session) -> None:
    past = a_past(
        session,
        old("M1", session, body="hello"),
        old("O1", session, from_me=True, sender_jid=OWN, ack_level=3),
        changes=[an_act(session.id, "M1", NewReaction("👍"), timestamp=5)],
        names=[(ADA, "Ada")],
        addresses=[(LID, ADA)],
        chats_as_now=True,
    )
    assert await stored.take(past) == Added(1, 2)
    before = await stored.chat(), await stored.all()
    assert await stored.take(past) == Added(0, 0)
    assert (await stored.chat(), await stored.all()) == before


async def test_a_message_that_came_live_is_the_same_one(
    stored: Stored, database: Database, session: Session
) -> None:
    await stored.conversations.store([a_message(session.id, "M1", body="hello", timestamp=9_000)])
    added = await stored.take(
        a_past(
            session,
            old("M1", session, body="hello", timestamp=9_000),
            old("M0", session, body="older", timestamp=1_000),
        )
    )
    assert added == Added(0, 1)
    assert [message.body for message in await stored.all()] == ["hello", "older"]
    chat = await stored.chat()
    assert (chat.unread_count, chat.last_message_at) == (1, 9_000)
    # and the other way round, without an event for what was history
    before = len(await logged(database))
    assert await stored.conversations.store([a_message(session.id, "M0", body="older")]) == [None]
    assert len(await logged(database)) == before


async def test_history_behind_live_never_makes_a_message_older(stored: Stored, session: Session) -> None:
    own = replace(a_message(session.id, "O1", from_me=True, sender_jid=OWN), ack_level=1)
    await stored.conversations.store([a_message(session.id, "M1", body="first"), own])
    await stored.conversations.store(
        [
            an_act(session.id, "M1", an_edit("newest"), timestamp=9_000),
            an_act(session.id, "M1", NewReaction("🎉"), timestamp=9_000),
            a_receipt(session.id, "O1", 4),
        ]
    )
    await stored.take(
        a_past(
            session,
            old("M1", session, body="older", edited_at=5_000),
            old("O1", session, from_me=True, sender_jid=OWN, ack_level=2),
            changes=[an_act(session.id, "M1", NewReaction("👍"), timestamp=5_000)],
        )
    )
    by_id = {message.wa_message_id: message for message in await stored.all()}
    assert (by_id["M1"].body, by_id["O1"].ack_level) == ("newest", 4)
    (reaction,) = await stored.messages.reactions([by_id["M1"].id])
    assert reaction.emoji == "🎉"


async def test_history_behind_live_adds_what_was_missed(stored: Stored, session: Session) -> None:
    own = replace(a_message(session.id, "O1", from_me=True, sender_jid=OWN), ack_level=1)
    live = [a_message(session.id, "M1", body="first"), a_message(session.id, "M2", body="gone"), own]
    await stored.conversations.store(live)
    await stored.take(
        a_past(
            session,
            old("M1", session, body="better", edited_at=5_000),
            old("M2", session, body="", deleted=True),
            old("O1", session, from_me=True, sender_jid=OWN, ack_level=3),
            changes=[an_act(session.id, "M1", NewReaction("👍"), timestamp=5_000)],
        )
    )
    by_id = {message.wa_message_id: message for message in await stored.all()}
    assert (by_id["M1"].body, by_id["M1"].edited) == ("better", True)
    assert (by_id["M2"].body, by_id["M2"].deleted, by_id["O1"].ack_level) == ("", True, 3)
    assert [r.emoji for r in await stored.messages.reactions([by_id["M1"].id])] == ["👍"]


async def test_history_fills_what_could_not_be_decrypted(
    stored: Stored, database: Database, session: Session
) -> None:
    placeholder = replace(
        a_message(session.id, "M1", body="", timestamp=9_000), type=UNDECRYPTABLE, content=b""
    )
    await stored.conversations.store([placeholder])
    past = a_past(session, old("M1", session, body="hello", timestamp=9_000), old("M2", session))
    await stored.take(past)
    filled = (await stored.all())[0]
    assert (filled.type, filled.body) == ("text", "hello")
    await stored.take(past)
    names = [event.name for event in await logged(database)]
    assert names == ["message", "message.decrypted", "history.synced", "history.synced"]


async def test_a_chat_that_was_there_is_told_when_history_changes_it(
    stored: Stored, database: Database, session: Session
) -> None:
    await stored.conversations.store([a_message(session.id, "M1")])
    chats = [an_old_chat(archived=True), an_old_chat(BOB, archived=True)]
    for _ in range(2):
        await stored.take(a_past(session, chats=chats, chats_as_now=True))
    for _ in range(2):
        await stored.take(a_past(session, names=[(ADA, "Ada")], chats=[]))
    told = [event.payload for event in await logged(database) if event.name == "chat.updated"]
    shown = [payload["chat"] for payload in told]
    assert [payload["chatJid"] for payload in told] == [ADA, ADA]
    assert [(c["archived"], c["name"]) for c in shown if isinstance(c, dict)] == [(True, ""), (True, "Ada")]


async def test_what_was_deleted_stays_deleted(stored: Stored, session: Session) -> None:
    await stored.conversations.store([a_message(session.id, "M1", body="gone")])
    await stored.conversations.store([an_act(session.id, "M1", NewRevoke())])
    await stored.take(a_past(session, old("M1", session, body="gone")))
    message = await stored.only()
    assert (message.body, message.deleted) == ("", True)


async def test_only_chats_as_they_are_now_fill_in_what_nobody_has_set(
    stored: Stored, session: Session
) -> None:
    await stored.conversations.store([a_message(session.id, "M1", timestamp=9_000)])
    chat = an_old_chat(
        name="Ada", unread_count=5, archived=True, pinned=True, muted_until=7_000, last_message_at=1_000
    )
    await stored.take(a_past(session, chats=[chat]))
    told = await stored.chat()
    assert (told.name, told.unread_count, told.archived, told.pinned) == ("Ada", 1, False, False)
    await stored.take(a_past(session, chats=[chat], chats_as_now=True))
    told = await stored.chat()
    assert (told.unread_count, told.archived, told.pinned, told.muted_until) == (5, True, True, 7_000)
    assert told.last_message_at == 9_000
    # what is set stays
    other = an_old_chat(name="Someone", unread_count=1, muted_until=8_000)
    await stored.take(a_past(session, chats=[other], chats_as_now=True))
    assert await stored.chat() == told


async def test_names_name_chats_that_have_none_whichever_comes_first(
    stored: Stored, session: Session
) -> None:
    await stored.take(a_past(session, names=[(BOB, "Bob"), (LID, "Ada")], chats=[]))
    await stored.take(a_past(session, chats=[an_old_chat(), an_old_chat(BOB)]))
    assert ((await stored.chat()).name, (await stored.chat(BOB)).name) == ("", "Bob")
    # Ada's name was told by her LID, and again when that was known
    await stored.take(
        a_past(session, names=[(LID, "Ada"), (BOB, "Robert")], addresses=[(LID, ADA)], chats=[])
    )
    assert ((await stored.chat()).name, (await stored.chat(BOB)).name) == ("Ada", "Bob")
    # who writes says how they are called now
    await stored.conversations.store([a_message(session.id, "M1", chat_name="Ada L.")])
    await stored.take(a_past(session, names=[(ADA, "Ada")], chats=[an_old_chat(name="Ada")]))
    assert (await stored.chat()).name == "Ada L."


async def test_one_person_under_two_names_is_one_chat(stored: Stored, session: Session) -> None:
    await stored.take(
        a_past(
            session,
            old("M1", session, chat_jid=LID, sender_jid=LID, body="by lid"),
            old("M1", session, body="by lid"),
            old("M2", session, body="by number", timestamp=2_000),
            chats=[an_old_chat(LID, unread_count=1, pinned=True), an_old_chat(unread_count=2, name="Ada")],
            addresses=[(LID, ADA)],
            changes=[
                replace(
                    an_act(session.id, "M1", NewReaction("👍")), chat_jid=LID, sender_jid=LID, actor_jid=LID
                )
            ],
        )
    )
    chat = await stored.chat()
    assert (chat.unread_count, chat.pinned, chat.name) == (2, True, "Ada")
    assert [message.body for message in await stored.all()] == ["by number", "by lid"]
    assert await stored.conversations.find_chat(session.id, LID) is None


async def test_an_address_unites_what_was_stored_before(stored: Stored, session: Session) -> None:
    await stored.conversations.store([a_message(session.id, "M1", chat_jid=LID, sender_jid=LID)])
    await stored.take(a_past(session, chats=[], addresses=[(LID, ADA)]))
    assert (await stored.only()).sender_jid == ADA


async def test_reactions_in_history_are_of_one_person_by_either_name(
    stored: Stored, session: Session
) -> None:
    await stored.take(
        a_past(
            session,
            old("M1", session),
            addresses=[(LID, BOB)],
            changes=[
                replace(an_act(session.id, "M1", NewReaction("👍"), timestamp=5), actor_jid=LID),
                replace(an_act(session.id, "M1", NewReaction("🎉"), timestamp=6), actor_jid=BOB),
            ],
        )
    )
    assert [(r.sender_jid, r.emoji) for r in await stored.reactions()] == [(BOB, "🎉")]


async def test_of_a_message_that_stands_there_twice_the_later_form_counts(
    stored: Stored, session: Session
) -> None:
    await stored.take(
        a_past(
            session,
            old("M1", session, body="better", edited_at=5),
            old("M1", session, body="first"),
            old("M1", session, body="best", edited_at=6),
        )
    )
    assert (await stored.only()).body == "best"


async def test_the_character_that_postgresql_cannot_keep_is_replaced(
    stored: Stored, session: Session
) -> None:
    await stored.take(
        a_past(
            session,
            old("M\0", session, body="a\0b"),
            chats=[an_old_chat(name="A\0")],
            names=[(BOB, "B\0")],
            changes=[replace(an_act(session.id, "M1", NewReaction("\0")), wa_message_id="M\0")],
        )
    )
    message = await stored.only()
    assert (message.wa_message_id, message.body) == ("M\ufffd", "a\ufffdb")
    assert (await stored.chat()).name == "A\ufffd"
    assert [r.emoji for r in await stored.reactions()] == ["\ufffd"]


class Options(Unread):
    """Every message is a poll of two options."""

    def options(self, content: bytes) -> Sequence[str]:
        return ("tea", "coffee") if content else ()


async def test_votes_in_history_are_counted_with_those_that_come_live(
    database: Database, session: Session
) -> None:
    histories = HistoryRepository(database, Options())
    await histories.keep(a_chunk(session))
    vote = an_act(session.id, "M1", NewVote(("tea",)), timestamp=5)
    past = a_past(session, old("M1", session), changes=[vote])
    await histories.finish(await next_piece(histories), past)
    live = an_act(session.id, "M1", NewVote(("tea",)), actor_jid=BOB, timestamp=9)
    await ConversationRepository(database, Options()).store([live])
    synced, voted = await logged(database)
    assert (synced.name, voted.name) == ("history.synced", "poll.vote")
    assert voted.payload["tally"] == [{"option": "tea", "votes": 2}, {"option": "coffee", "votes": 0}]


async def test_what_came_live_before_its_message_is_done_and_told_when_history_brings_that(
    stored: Stored, database: Database, session: Session
) -> None:
    early = an_act(session.id, "M1", NewReaction("👍"), timestamp=9_000)
    assert await stored.conversations.store([early]) == [None]
    await stored.take(a_past(session, old("M1", session, body="hello")))
    assert [r.emoji for r in await stored.reactions()] == ["👍"]
    assert [event.name for event in await logged(database)] == ["message.reaction", "history.synced"]


async def test_receipts_of_a_group_s_members_are_known_from_history(
    stored: Stored, database: Database, session: Session
) -> None:
    group = "120363000000000001@g.us"
    own = old("O1", session, from_me=True, sender_jid=OWN, chat_jid=group, ack_level=3)
    read = replace(a_receipt(session.id, "O1", 3, by=LID), chat_jid=group)
    await stored.take(
        a_past(session, own, chats=[an_old_chat(group)], changes=[read], addresses=[(LID, ADA)])
    )
    delivered = [replace(a_receipt(session.id, "O1", 2, by=who), chat_jid=group) for who in (ADA, BOB)]
    await stored.conversations.store(delivered)
    told = [event.payload for event in await logged(database) if event.name == "message.status"]
    assert [(payload["participantJid"], payload["ackLevel"]) for payload in told] == [(BOB, 3)]
