"""What a client tells beside messages: who is typing, what happens to groups, who calls."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from server.whatsapp.happenings import (
    CallState,
    CallTold,
    GroupChange,
    GroupChanged,
    PresenceShown,
    PresenceState,
)
from server.whatsapp.jid import Jid
from server.whatsapp.port import ChatState
from tests.contract.port.following import DEADLINE, Following
from tests.contract.port.pair import SECONDS, Pair
from tests.contract.port.world import World
from tests.support.waiting import until_async

Kind = TypeVar("Kind", PresenceShown, GroupChanged, CallTold)


async def told(following: Following, kind: type[Kind], fits: Callable[[Kind], bool]) -> Kind:
    """The newest event of a kind that fits, once it has come."""

    def found() -> list[Kind]:
        return [event for event in following.events if isinstance(event, kind) and fits(event)]

    async def there() -> bool:
        if not found():
            await following.take()
        return bool(found())

    await until_async(there, f"a {kind.__name__} that fits", within=DEADLINE)
    return found()[-1]


@pytest.mark.parametrize("state", ChatState)
async def test_typing_is_told_with_both_names(pair: Pair, state: ChatState) -> None:
    await pair.reader.client.show_chat_state(pair.live.jid, state)
    shown = await told(pair.live, PresenceShown, lambda event: event.state == str(state))
    who, other = (pair.reader.lid, pair.reader.jid)
    assert shown == PresenceShown(who, other, who, other, PresenceState(state))


@pytest.mark.parametrize("by_lid", [True, False], ids=["by LID", "by number"])
async def test_joining_and_renaming_a_group_are_told(
    world: World, pair: Pair, ada: str, *, by_lid: bool
) -> None:
    person = await world.person(ada)
    invitation = await world.group(by=ada, by_lid=by_lid)
    assert await pair.live.client.join_group(invitation.code, within=SECONDS) == invitation.group
    joined = await told(pair.live, GroupChanged, lambda event: event.group == invitation.group)
    assert joined.change in {GroupChange.JOINED, GroupChange.ADDED}
    await world.rename(invitation.group, "Old friends")
    renamed = await told(
        pair.live,
        GroupChanged,
        lambda event: event.group == invitation.group and event.change is GroupChange.SUBJECT,
    )
    assert (renamed.value, renamed.subject, renamed.participants) == ("Old friends", "Old friends", ())
    assert renamed.actor is not None
    assert {renamed.actor.jid.server, _server(renamed.actor.alternative)} == {"lid", "s.whatsapp.net"}
    assert person in (renamed.actor.jid, renamed.actor.alternative)
    assert renamed.timestamp % 1000 == 0 < renamed.timestamp


async def test_a_call_is_told(world: World, pair: Pair, ada: str) -> None:
    person = await world.person(ada)
    call_id = await world.ring(ada, pair.live.jid.user)
    call = await told(pair.live, CallTold, lambda event: event.id == call_id)
    assert (call.state, call.video, call.group, call.reason) == (CallState.RINGING, True, None, "")
    assert (call.caller.server, call.caller_alternative) == ("lid", person)


def _server(jid: Jid | None) -> str | None:
    return None if jid is None else jid.server
