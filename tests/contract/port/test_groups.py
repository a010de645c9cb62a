"""Groups: joining them, and being understood in them, whichever way their members are addressed."""

from dataclasses import dataclass
from hashlib import sha256

import pytest
import pytest_asyncio

from server.whatsapp.content import Content, Poll, Quote, Reaction, Revoke, Target, Text, Vote
from server.whatsapp.incoming import Received
from server.whatsapp.jid import Jid
from server.whatsapp.port import InviteRefusedError, RefusedError, Sent
from server.whatsapp.refusals import Refusal
from tests.contract.port.following import DEADLINE, Following
from tests.contract.port.pair import SECONDS, Pair
from tests.contract.port.world import Invitation, Letter, World
from tests.support.waiting import until_async


@dataclass
class Team:
    """A group that both of a pair are in."""

    jid: Jid
    by_lid: bool
    pair: Pair

    def name(self, of: Following) -> Jid:
        """How a member is addressed."""
        return of.lid if self.by_lid else of.jid

    async def send(self, content: Content) -> tuple[Sent, Letter]:
        """Our account writes; returns that and what the other one decrypted."""
        sent = await self.pair.live.client.send(self.jid, content, within=SECONDS)
        return sent, await self.pair.letter(self.pair.reader, sent)

    async def answer(self, content: Content) -> tuple[Sent, Letter]:
        """The other one writes."""
        sent = await self.pair.reader.client.send(self.jid, content, within=SECONDS)
        return sent, await self.pair.letter(self.pair.live, sent)


@pytest_asyncio.fixture(params=[True, False], ids=["by LID", "by number"])
async def team(request: pytest.FixtureRequest, world: World, pair: Pair, ada: str) -> Team:
    await world.person(ada)
    invitation = await world.group(by=ada, by_lid=request.param)
    for one in (pair.live, pair.reader):
        assert await one.client.join_group(invitation.code, within=SECONDS) == invitation.group
    return Team(invitation.group, request.param, pair)


@pytest_asyncio.fixture
async def invitation(world: World, ada: str) -> Invitation:
    await world.person(ada)
    return await world.group(by=ada, by_lid=True)


async def test_a_member_may_join_again(world: World, pair: Pair, invitation: Invitation) -> None:
    for _ in range(2):
        assert await pair.live.client.join_group(invitation.code, within=SECONDS) == invitation.group
    await world.answer_joining_with_conflict(pair.live.jid.user)
    assert await pair.live.client.join_group(invitation.code, within=SECONDS) == invitation.group


async def test_an_invite_that_was_reset_is_no_good(world: World, pair: Pair, invitation: Invitation) -> None:
    await world.reset_invite(invitation.group)
    with pytest.raises(InviteRefusedError):
        await pair.live.client.join_group(invitation.code, within=SECONDS)


async def test_an_invite_that_never_was_is_no_good(pair: Pair) -> None:
    with pytest.raises(InviteRefusedError):
        await pair.live.client.join_group("Ab3dEf6hIj9kLm2nOp5qRs", within=SECONDS)


async def test_who_is_not_in_a_group_cannot_write_there(pair: Pair, invitation: Invitation) -> None:
    with pytest.raises(RefusedError) as caught:
        await pair.live.client.send(invitation.group, Text("hello"), within=SECONDS)
    assert caught.value.refusal is Refusal.GROUP_NOT_FOUND


async def test_a_text_is_read_by_the_others(world: World, team: Team, ada: str) -> None:
    sent, letter = await team.send(Text("hello, team"))
    assert (letter.chat, letter.sender) == (team.jid, team.name(team.pair.live))
    assert letter.message.conversation == "hello, team"

    async def heard() -> bool:
        return (sent.id, "hello, team") in await world.heard(ada)

    await until_async(heard, "who made the group has heard it", within=DEADLINE)


async def test_what_is_received_names_its_author_both_ways(team: Team) -> None:
    said, _ = await team.answer(Text("hello"))

    async def received() -> bool:
        if any(isinstance(event, Received) and event.id == said.id for event in team.pair.live.events):
            return True
        await team.pair.live.take()
        return False

    await until_async(received, "the text is received", within=DEADLINE)
    (event,) = (one for one in team.pair.live.events if isinstance(one, Received) and one.id == said.id)
    assert (event.chat, event.chat_alternative) == (team.jid, None)
    assert event.sender == team.name(team.pair.reader)
    assert {event.sender, event.sender_alternative} == {team.pair.reader.lid, team.pair.reader.jid}


@pytest.mark.parametrize("known_by", ["LID", "number"])
async def test_what_acts_on_another_s_message_names_its_author_as_the_group_does(
    team: Team, known_by: str
) -> None:
    said, _ = await team.answer(Text("hello"))
    poll, _ = await team.answer(Poll("lunch?", ("yes", "no"), 1))
    reader = team.pair.reader
    sender = reader.lid if known_by == "LID" else reader.jid
    target = Target(said.id, sender, from_me=False)
    author = str(team.name(reader))
    _, reaction = await team.send(Reaction(target, "👍"))
    _, revoke = await team.send(Revoke(target))
    for key in (reaction.message.reactionMessage.key, revoke.message.protocolMessage.key):
        assert (key.ID, key.fromMe, key.remoteJID, key.participant) == (said.id, False, str(team.jid), author)
    _, answer = await team.send(Text("hi", quote=Quote(said.id, sender, said.content)))
    context = answer.message.extendedTextMessage.contextInfo
    assert (context.participant, context.quotedMessage.conversation) == (author, "hello")
    _, vote = await team.send(Vote(Target(poll.id, sender, from_me=False), ("no",)))
    key = vote.message.pollUpdateMessage.pollCreationMessageKey
    assert (key.ID, key.participant) == (poll.id, author)
    assert team.pair.world.choice(poll, team.name(reader), vote) == [sha256(b"no").digest()]


async def test_what_acts_on_our_own_message_names_us_as_the_group_does(team: Team) -> None:
    live = team.pair.live
    said, _ = await team.send(Text("helo"))
    _, revoke = await team.send(Revoke(Target(said.id, live.jid, from_me=True)))
    key = revoke.message.protocolMessage.key
    assert (key.ID, key.fromMe, key.HasField("participant")) == (said.id, True, False)
    _, answer = await team.send(Text("I mean", quote=Quote(said.id, live.jid, said.content)))
    assert answer.message.extendedTextMessage.contextInfo.participant == str(team.name(live))
    poll, _ = await team.send(Poll("lunch?", ("yes", "no"), 0))
    _, vote = await team.send(Vote(Target(poll.id, live.jid, from_me=True), ("yes", "no")))
    chosen = team.pair.world.choice(poll, team.name(live), vote)
    assert chosen == [sha256(b"yes").digest(), sha256(b"no").digest()]


async def test_mentions_reach_a_group(team: Team) -> None:
    reader = team.pair.reader
    _, letter = await team.send(Text(f"@{reader.lid.user} look", mentions=(reader.lid,)))
    assert list(letter.message.extendedTextMessage.contextInfo.mentionedJID) == [str(reader.lid)]
