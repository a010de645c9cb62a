"""What clients are told of messages that are there already: edits, revokes, reactions, votes, receipts."""

import time
from pathlib import Path
from typing import TypeVar

import pytest

from server.whatsapp.content import Content, Edit, Poll, Reaction, Revoke, Target, Text, Vote
from server.whatsapp.incoming import Edited, Reacted, Receipt, ReceiptKind, Received, Revoked, Seal, Sealed
from server.whatsapp.jid import Jid
from server.whatsapp.port import Sent
from server.whatsapp.sealing import SealedAct, open_vote
from tests.contract.port.conftest import Follow, link, login, new_folder
from tests.contract.port.following import DEADLINE, Following
from tests.contract.port.pair import SECONDS, Pair
from tests.contract.port.world import World
from tests.support.waiting import until_async

Act = TypeVar("Act", Edited, Revoked, Reacted, Sealed)

LUNCH = Poll("lunch? 🥗", ("yes", "no", "שלום"), 0)


async def told(following: Following, kind: type[Act], target: Sent, count: int = 1) -> list[Act]:
    """Waits until a client was told of so many acts on a message."""

    def found() -> list[Act]:
        return [e for e in following.events if isinstance(e, kind) and e.target_id == target.id]

    async def enough() -> bool:
        if len(found()) >= count:
            return True
        await following.take()
        return False

    await until_async(enough, f"{count} of {kind.__name__} for {target.id}", within=DEADLINE)
    return found()


def by(who: Following, sent: Sent, *, from_me: bool) -> Target:
    return Target(sent.id, who.lid, from_me=from_me)


async def test_an_edit_is_told_with_its_writer_and_what_it_says(pair: Pair) -> None:
    sent, _ = await pair.answer(Text("first"))
    for text in ("second שלום", "third 😀"):
        await pair.answer(Edit(by(pair.reader, sent, from_me=True), text))
    second, third = await told(pair.live, Edited, sent, 2)
    assert (second.body, third.body) == ("second שלום", "third 😀")
    assert "third 😀".encode() in third.content
    for edited in (second, third):
        assert (edited.chat, edited.sender, edited.target_sender) == (pair.reader.lid,) * 3
        assert pair.reader.jid == edited.sender_alternative
        assert not edited.from_me
        assert abs(edited.timestamp - time.time() * 1000) < 60_000
    assert second.timestamp <= third.timestamp


async def test_a_revoke_is_told(pair: Pair) -> None:
    sent, _ = await pair.answer(Text("oops"))
    await pair.answer(Revoke(by(pair.reader, sent, from_me=True)))
    (revoked,) = await told(pair.live, Revoked, sent)
    assert (revoked.chat, revoked.sender, revoked.target_sender) == (pair.reader.lid,) * 3
    assert abs(revoked.timestamp - time.time() * 1000) < 60_000


async def test_reactions_are_told_with_whose_message_they_are_about(pair: Pair) -> None:
    ours, _ = await pair.send(Text("ours"))
    theirs, _ = await pair.answer(Text("theirs"))
    await pair.answer(Reaction(by(pair.live, ours, from_me=False), "👍"))
    await pair.answer(Reaction(by(pair.live, ours, from_me=False), ""))
    await pair.answer(Reaction(by(pair.reader, theirs, from_me=True), "🎉"))
    to_ours = await told(pair.live, Reacted, ours, 2)
    (to_theirs,) = await told(pair.live, Reacted, theirs)
    assert [reacted.emoji for reacted in to_ours] == ["👍", ""]
    assert {reacted.target_sender for reacted in to_ours} == {None}
    assert (to_theirs.emoji, to_theirs.target_sender) == ("🎉", pair.reader.lid)
    assert {r.sender for r in (*to_ours, to_theirs)} == {pair.reader.lid}


async def test_acts_in_a_group_name_who_acts_and_whose_message_it_is(
    world: World, pair: Pair, ada: str
) -> None:
    await world.person(ada)
    invitation = await world.group(by=ada, by_lid=True)
    for one in (pair.live, pair.reader):
        await one.client.join_group(invitation.code, within=SECONDS)

    async def answer(content: Content) -> Sent:
        return await pair.reader.client.send(invitation.group, content, within=SECONDS)

    ours = await pair.live.client.send(invitation.group, Text("ours"), within=SECONDS)
    theirs = await answer(Text("theirs"))
    await answer(Reaction(by(pair.live, ours, from_me=False), "👍"))
    await answer(Edit(by(pair.reader, theirs, from_me=True), "better"))
    await answer(Revoke(by(pair.reader, theirs, from_me=True)))
    (reacted,) = await told(pair.live, Reacted, ours)
    (edited,) = await told(pair.live, Edited, theirs)
    (revoked,) = await told(pair.live, Revoked, theirs)
    assert reacted.target_sender == pair.live.lid
    assert (edited.target_sender, edited.body) == (pair.reader.lid, "better")
    assert revoked.target_sender == pair.reader.lid
    for act in (reacted, edited, revoked):
        assert (act.chat, act.chat_alternative, act.sender) == (invitation.group, None, pair.reader.lid)


async def test_a_message_is_told_to_be_delivered_and_then_read(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    person = await world.person(ada)
    sent = await live.client.send(person, Text("hello"), within=20)
    await live.wait_for(Receipt)
    await world.tell_read(ada, number, [sent.id])
    await live.wait_for(Receipt, 2)
    delivered, read = (event for event in live.events if isinstance(event, Receipt))
    assert (delivered.kind, read.kind) == (ReceiptKind.DELIVERED, ReceiptKind.READ)
    for receipt in (delivered, read):
        assert receipt.ids == (sent.id,)
        assert receipt.chat == receipt.participant
        # Who only reads has never told both: the client looks them up.
        assert person in (receipt.chat, receipt.chat_alternative)
        assert person in (receipt.participant, receipt.participant_alternative)
        assert abs(receipt.timestamp - time.time() * 1000) < 60_000


async def test_a_vote_is_told_and_can_be_read_with_the_poll(pair: Pair) -> None:
    for asks, votes, send, answer in (
        (pair.live, pair.reader, pair.send, pair.answer),
        (pair.reader, pair.live, pair.answer, pair.send),
    ):
        poll, _ = await send(LUNCH)
        for options in (("no", "שלום"), ()):
            await answer(Vote(by(asks, poll, from_me=False), options))
        told_to = pair.live if asks is pair.live else pair.reader
        first, second = await told(told_to, Sealed, poll, 2)
        assert (read(first, poll), read(second, poll)) == (("no", "שלום"), ())
        assert first.timestamp <= second.timestamp
        for vote in (first, second):
            assert (vote.seal, vote.target_sender, vote.from_me) == (Seal.VOTE, None, False)
            assert (vote.chat, vote.sender) == (votes.lid,) * 2
            assert abs(vote.timestamp - time.time() * 1000) < 60_000


async def test_votes_in_one_s_own_poll_and_of_the_account_s_other_devices_are_told(
    world: World, follow: Follow, tmp_path: Path, *, number: str, ada: str
) -> None:
    # given two devices of our account, and somebody who asks
    clients = []
    for name, owner in (("first", number), ("second", number), ("asker", ada)):
        await link(world, owner, new_folder(tmp_path / name))
        clients.append(await login(follow(tmp_path / name)))
    first, second, asker = clients
    poll = await asker.client.send(first.jid, LUNCH, within=SECONDS)
    for one in (first, second):
        await one.wait_for(Received)
    # when our second device votes, and who asked as well
    await second.client.send(asker.jid, Vote(by(asker, poll, from_me=False), ("yes",)), within=SECONDS)
    (ours,) = await told(first, Sealed, poll)
    await asker.client.send(first.jid, Vote(by(asker, poll, from_me=True), ("no",)), within=SECONDS)
    _, theirs = await told(first, Sealed, poll, 2)
    # then our first device is told of both
    assert (ours.from_me, ours.target_sender, read(ours, poll)) == (True, asker.lid, ("yes",))
    assert (theirs.from_me, theirs.target_sender, read(theirs, poll)) == (False, asker.lid, ("no",))


@pytest.mark.parametrize("by_lid", [True, False], ids=["by LID", "by number"])
async def test_votes_in_a_group_are_told(world: World, pair: Pair, ada: str, *, by_lid: bool) -> None:
    await world.person(ada)
    invitation = await world.group(by=ada, by_lid=by_lid)
    for one in (pair.live, pair.reader):
        await one.client.join_group(invitation.code, within=SECONDS)

    async def send(who: Following, content: Content) -> Sent:
        return await who.client.send(invitation.group, content, within=SECONDS)

    def name(who: Following) -> Jid:
        return who.lid if by_lid else who.jid

    ours = await send(pair.live, LUNCH)
    theirs = await send(pair.reader, LUNCH)

    async def arrived() -> bool:
        return any(letter.id == ours.id for letter in pair.letters(pair.reader))

    await until_async(arrived, "the poll has arrived", within=DEADLINE)
    await send(pair.reader, Vote(Target(ours.id, name(pair.live), from_me=False), ("yes",)))
    await send(pair.reader, Vote(Target(theirs.id, name(pair.reader), from_me=True), ("no",)))
    (in_ours,) = await told(pair.live, Sealed, ours)
    (in_theirs,) = await told(pair.live, Sealed, theirs)
    assert (in_ours.target_sender, read(in_ours, ours)) == (name(pair.live), ("yes",))
    assert (in_theirs.target_sender, read(in_theirs, theirs)) == (name(pair.reader), ("no",))
    for vote in (in_ours, in_theirs):
        assert (vote.chat, vote.sender) == (invitation.group, name(pair.reader))


def read(vote: Sealed, poll: Sent) -> tuple[str, ...] | None:
    """What a vote chooses, read with what was sent and told alone."""
    voters = [str(jid) for jid in (vote.sender, vote.sender_alternative) if jid is not None]
    authors = [str(jid) for jid in vote.authors]
    return open_vote(SealedAct(poll.id, poll.content, vote.payload, vote.iv, authors=authors, actors=voters))
