"""Tickets: each opens one stream, on whichever node, for as long as the token behind it is in force."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from sqlalchemy import text

from server.auth.authenticator import Authenticator
from server.auth.keys import ApiKeys, hash_of
from server.auth.principal import ActorKind, Capability, Principal
from server.auth.tickets import LIFE_MS, Grant, Tickets
from server.auth.trust import TRUST_SECONDS
from server.clock import now_ms
from server.errors import Code, WagateError
from server.store.api_keys import ApiKeyRepository
from server.store.database import Database, open_database
from server.store.records import Organization, Ticket
from server.store.tickets import AT_A_TIME, TicketRepository

NODES = 3


class Clock:
    """Time that passes when the test says so: epoch milliseconds, and seconds that never go back."""

    def __init__(self) -> None:
        self.seconds = time.time()

    def epoch_ms(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(database: Database) -> ApiKeys:
    return ApiKeys(ApiKeyRepository(database))


@pytest_asyncio.fixture
async def nodes(database: Database, url: str, clock: Clock) -> AsyncIterator[list[Tickets]]:
    """Several nodes on one database, each with connections of its own."""
    del database  # has made the schema
    opened = [open_database(url) for _ in range(NODES)]
    yield [tickets_of(one, clock) for one in opened]
    for one in opened:
        await one.close()


def tickets_of(database: Database, clock: Clock) -> Tickets:
    authenticator = Authenticator(ApiKeys(ApiKeyRepository(database)), clock.monotonic)
    return Tickets(TicketRepository(database), authenticator.confirm, clock.epoch_ms)


async def principal_of(keys: ApiKeys, organization: str = "acme") -> Principal:
    """A caller with a key that may do everything."""
    key, _ = await keys.create(organization=organization, permissions=Capability, label="")
    return Principal(key.organization_id, key.id, frozenset(Capability))


async def refusal(tickets: Tickets, ticket: str) -> WagateError:
    with pytest.raises(WagateError) as caught:
        await tickets.redeem(ticket)
    return caught.value


async def count(database: Database) -> int:
    found: int = await database.read(
        lambda connection: connection.execute(text("SELECT count(*) FROM ticket")).scalar_one()
    )
    return found


async def test_a_ticket_opens_on_any_node_what_it_was_made_for(nodes: list[Tickets], keys: ApiKeys) -> None:
    caller = await principal_of(keys)
    ticket, expires_at = await nodes[0].issue(caller, ["s2", "s1", "s2"], ["message"])
    assert 0 < expires_at - now_ms() <= LIFE_MS
    grant = await nodes[1].redeem(ticket)
    may_read = replace(caller, capabilities=frozenset({Capability.READ}))
    assert grant == Grant(may_read, ("s1", "s2"), ("message",))


async def test_of_all_who_redeem_it_at_once_one_gets_it(nodes: list[Tickets], keys: ApiKeys) -> None:
    caller = await principal_of(keys)
    for _ in range(5):
        ticket, _ = await nodes[0].issue(caller, [], [])
        tries = [node.redeem(ticket) for node in nodes for _ in range(4)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        grants = [one for one in found if isinstance(one, Grant)]
        refusals = [one.code for one in found if isinstance(one, WagateError)]
        assert (len(grants), refusals) == (1, [Code.UNAUTHORIZED] * (len(tries) - 1))
    assert (await refusal(nodes[2], ticket)).code is Code.UNAUTHORIZED


@pytest.mark.parametrize("ticket", ["", "tk_", "tk_wrong", "wa_key", "tk_" + "x" * 100_000, "tk_\x00é"])
async def test_what_is_no_ticket_opens_nothing(nodes: list[Tickets], ticket: str) -> None:
    error = await refusal(nodes[0], ticket)
    assert error.code is Code.UNAUTHORIZED
    assert len(ticket) < 4 or ticket not in error.message


async def test_it_can_be_used_for_a_minute(nodes: list[Tickets], keys: ApiKeys, clock: Clock) -> None:
    caller = await principal_of(keys)
    (early, _), (late, _) = [await nodes[0].issue(caller, [], []) for _ in range(2)]
    clock.seconds += 59.9
    await nodes[0].redeem(early)
    clock.seconds += 0.2
    assert (await refusal(nodes[0], late)).code is Code.UNAUTHORIZED


async def test_a_key_that_is_revoked_takes_its_tickets_and_their_streams_with_it(
    nodes: list[Tickets], keys: ApiKeys, clock: Clock
) -> None:
    # given a stream that a ticket has opened, and a ticket that waits
    caller, other = await principal_of(keys), await principal_of(keys)
    opened, waiting = [(await nodes[0].issue(caller, [], []))[0] for _ in range(2)]
    theirs, _ = await nodes[0].issue(other, [], [])
    grant = await nodes[1].redeem(opened)
    await nodes[1].confirm(grant.principal)
    # when the key is revoked
    await keys.revoke(caller.subject)
    clock.seconds += TRUST_SECONDS
    # then both end, and nobody else's
    with pytest.raises(WagateError) as caught:
        await nodes[1].confirm(grant.principal)
    assert caught.value.code is Code.UNAUTHORIZED
    assert (await refusal(nodes[1], waiting)).code is Code.UNAUTHORIZED
    await nodes[1].confirm((await nodes[1].redeem(theirs)).principal)


async def test_a_key_that_expires_ends_its_streams(
    nodes: list[Tickets], database: Database, clock: Clock
) -> None:
    keys = ApiKeys(ApiKeyRepository(database))
    expires_at = now_ms() + 500
    key, _ = await keys.create(
        organization="acme", permissions=[Capability.READ], label="", expires_at=expires_at
    )
    principal = Principal(key.organization_id, key.id, frozenset({Capability.READ}))
    ticket, _ = await nodes[0].issue(principal, [], [])
    grant = await nodes[0].redeem(ticket)
    with pytest.raises(WagateError) as caught:  # noqa: PT012 - asked until the key's time is over
        while now_ms() < expires_at + 10_000:
            clock.seconds += TRUST_SECONDS
            await nodes[0].confirm(grant.principal)
    assert caught.value.code is Code.UNAUTHORIZED
    assert now_ms() >= expires_at


async def test_what_is_known_of_a_login_token_is_kept(
    database: Database, organization: Organization, clock: Clock
) -> None:
    seen: list[Principal] = []

    async def confirm(principal: Principal) -> None:
        seen.append(principal)

    tickets = Tickets(TicketRepository(database), confirm, clock.epoch_ms)
    person = Principal(
        organization.id, "user_1", frozenset(Capability), ActorKind.JWT, signed_by="2026-11", expires_at=77
    )
    await tickets.redeem((await tickets.issue(person, [], []))[0])
    (looked_at,) = seen
    assert (looked_at.kind, looked_at.subject) == (ActorKind.JWT, "user_1")
    assert (looked_at.signed_by, looked_at.expires_at) == ("2026-11", 77)


async def test_the_ticket_itself_is_not_stored(
    nodes: list[Tickets], keys: ApiKeys, database: Database
) -> None:
    ticket, _ = await nodes[0].issue(await principal_of(keys), [], [])
    rows = await database.read(lambda connection: connection.execute(text("SELECT * FROM ticket")).all())
    assert ticket not in str(rows)
    assert hash_of(ticket) in str(rows)


async def test_expired_tickets_go_when_new_ones_come(database: Database, organization: Organization) -> None:
    repository = TicketRepository(database)
    ticket = Ticket(organization.id, "key", "key", "", None, (), (), expires_at=1_000)
    for number in range(AT_A_TIME + 5):
        await repository.add(ticket, f"old {number}", now=999)
    fresh = replace(ticket, expires_at=3_000)
    await repository.add(fresh, "new 1", now=1_000)
    assert await count(database) == 5 + 1
    await repository.add(fresh, "new 2", now=1_000)
    assert await count(database) == 2
    assert await repository.take("new 1") == replace(fresh, sessions=[], events=[])


async def test_nodes_that_clean_at_the_same_time_do_not_stand_in_each_others_way(
    url: str, database: Database, organization: Organization
) -> None:
    ticket = Ticket(organization.id, "key", "key", "", None, (), (), expires_at=1_000)
    for number in range(20):
        await TicketRepository(database).add(ticket, f"old {number}", now=999)
    opened = [open_database(url) for _ in range(4)]
    try:
        await asyncio.gather(
            *(
                TicketRepository(one).add(replace(ticket, expires_at=9_000), f"new {n} {m}", now=2_000)
                for n, one in enumerate(opened)
                for m in range(5)
            )
        )
        assert await count(database) == 20
    finally:
        for one in opened:
            await one.close()
