"""What clients are told of messages that are there already: edits, revokes, reactions, receipts."""

import time
from typing import TypeVar

from server.whatsapp.content import Content, Edit, Reaction, Revoke, Target, Text
from server.whatsapp.incoming import Edited, Reacted, Receipt, ReceiptKind, Revoked
from server.whatsapp.port import Sent
from tests.contract.port.following import DEADLINE, Following
from tests.contract.port.pair import SECONDS, Pair
from tests.contract.port.world import World
from tests.support.waiting import until_async

Act = TypeVar("Act", Edited, Revoked, Reacted)


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
