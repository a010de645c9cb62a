"""Sockets that follow the log: how they open, what they tell, how they end."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import ClientSession, ClientWebSocketResponse, WSServerHandshakeError

from server.auth.authenticator import Authenticator
from server.auth.jwks import SigningKeys
from server.auth.login import ClaimRules, LoginTokens
from server.auth.organizations import Organizations
from server.auth.principal import Capability, Principal
from server.auth.tickets import Tickets
from server.errors import Code, WagateError
from server.events.realtime import Realtime
from server.events.subscription import GAP
from server.rpc.websocket.closing import REASON_LENGTH, CloseCode, Ending
from server.rpc.websocket.seats import Seats
from server.rpc.websocket.serving import MESSAGE_LENGTH, PATH, WebSocketServing
from server.store.api_keys import ApiKeyRepository
from server.store.event_log import EventLog
from server.store.events import BEFORE_ALL
from server.store.tickets import TicketRepository
from tests.support.events import append, append_many
from tests.support.frontend import AUDIENCE, ISSUER, Frontend, mint
from tests.support.memory_node import MemoryNode
from tests.support.waiting import until
from tests.support.websocket import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Raw,
    end_of,
    following,
    frame,
    frame_of,
    take,
)
from tests.unit.server.login_desk import LEEWAY

LARGE = {"text": "x" * 4_000}


@dataclass
class Desk:
    """A node that serves sockets, and a caller whose key may be revoked."""

    node: MemoryNode
    realtime: Realtime
    serving: WebSocketServing
    seats: Seats
    http: ClientSession
    port: int
    principal: Principal

    async def ticket(self, sessions: Collection[str] = (), names: Collection[str] = ()) -> str:
        ticket, _ = await self.realtime.issue(self.principal, sessions=sessions, names=names)
        return ticket

    async def connect(self, **query: str) -> ClientWebSocketResponse:
        """A socket with these parameters, whatever comes of it."""
        return await self.http.ws_connect(f"http://127.0.0.1:{self.port}{PATH}", params=query)

    async def open(self, after: str = "", names: Collection[str] = ()) -> ClientWebSocketResponse:
        """A socket that follows."""
        client = await self.connect(
            ticket=await self.ticket(names=names), **({"after": after} if after else {})
        )
        await following(client)
        return client

    async def raw(self, receive_buffer: int = 0) -> Raw:
        path = f"{PATH}?ticket={await self.ticket()}&after={BEFORE_ALL}"
        return await asyncio.to_thread(Raw, ("127.0.0.1", self.port), path, receive_buffer=receive_buffer)


@asynccontextmanager
async def open_desk(
    node: MemoryNode, seats: Seats, *, write_seconds: float = 60.0, ping_after: float = 40.0
) -> AsyncIterator[Desk]:
    key, _ = await node.keys.create(organization="acme", permissions=Capability, label="")
    realtime = Realtime(node.gateway.events, node.tickets)
    serving = WebSocketServing(
        realtime,
        "127.0.0.1",
        0,
        seats=seats,
        authenticate_every=0.01,
        ping_after=ping_after,
        write_seconds=write_seconds,
    )
    port = await serving.start()
    async with ClientSession() as http:
        principal = Principal(key.organization_id, key.id, frozenset(Capability))
        yield Desk(node, realtime, serving, seats, http, port, principal)
    await serving.stop()


@pytest_asyncio.fixture
async def desk(node: MemoryNode) -> AsyncIterator[Desk]:
    async with open_desk(node, Seats(8, 4)) as opened:
        yield opened


async def test_a_socket_tells_what_happens_and_resumes_after_an_id(desk: Desk) -> None:
    database = desk.node.database
    client = await desk.open()
    ids = await append(database, "message", "presence", "call", payload={"a": [1, None, "é", 2**53]})
    events = await take(client, 3)
    assert [event["id"] for event in events] == ids
    organization = desk.principal.organization_id
    assert events[0] == {
        "schema": "v1",
        "id": ids[0],
        "event": "message",
        "session": None,
        "organization": organization,
        "timestamp": 1,
        "payload": {"a": [1, None, "é", 2**53]},
    }
    await client.close()
    ids += await append(database, "message")
    again = await desk.open(after=ids[1])
    assert [event["id"] for event in await take(again, 2)] == ids[2:]


async def test_the_tickets_filters_hold(desk: Desk) -> None:
    session = await desk.node.create()
    ticket = await desk.ticket([session.id], ["message", "call"])
    client = await desk.connect(ticket=ticket, after=BEFORE_ALL)
    await append(desk.node.database, "message", "presence")
    ids = await append(desk.node.database, "message", "presence", "call", session=session.id)
    assert [event["id"] for event in await take(client, 2)] == [ids[0], ids[2]]


async def test_a_gap_is_told(desk: Desk) -> None:
    ids = await append(desk.node.database, "a", "b", "c")
    await EventLog(desk.node.database).forget("org", until=ids[1], limit=10)
    client = await desk.open(after=ids[0])
    gap, event = await take(client, 2)
    assert (gap["event"], gap["id"], gap["payload"]) == (GAP, ids[1], {"after": ids[0], "until": ids[1]})
    assert event["id"] == ids[2]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 4401),
        ({"ticket": ""}, 4401),
        ({"ticket": "tk_unknown"}, 4401),
        ({"ticket": "{key}"}, 4401),
        ({"ticket": "{ticket}", "after": "evt_"}, 4400),
        ({"ticket": "{ticket}", "after": "evt_7" + "Z" * 25}, 4400),
        ({"ticket": "{ticket}", "since": BEFORE_ALL}, 4400),
        ({"ticket": "{ticket}", "x" * 300: "é"}, 4400),
    ],
)
async def test_what_is_wrong_is_told_by_the_close_code(desk: Desk, query: dict[str, str], code: int) -> None:
    ticket = await desk.ticket()
    given = {name: value.format(ticket=ticket, key="wa_key") for name, value in query.items()}
    told, reason = await end_of(await desk.connect(**given))
    assert told == code
    assert 0 < len(reason.encode()) <= REASON_LENGTH
    assert ticket not in reason


async def test_a_parameter_that_is_given_twice_is_refused(desk: Desk) -> None:
    ticket = await desk.ticket()
    url = f"http://127.0.0.1:{desk.port}{PATH}?ticket={ticket}&ticket={ticket}"
    async with desk.http.ws_connect(url) as client:
        assert (await end_of(client))[0] == CloseCode.BAD_REQUEST


async def test_a_ticket_opens_one_socket(desk: Desk) -> None:
    ticket = await desk.ticket()
    clients = await asyncio.gather(*(desk.connect(ticket=ticket) for _ in range(4)))
    ends = [client for client in clients if (await client.receive(timeout=20)).type.name == "CLOSE"]
    assert len(ends) == 3
    assert {client.close_code for client in ends} == {CloseCode.UNAUTHORIZED}


async def test_a_session_that_is_gone_when_the_socket_opens_is_told(desk: Desk) -> None:
    session = await desk.node.create()
    ticket = await desk.ticket([session.id])
    await desk.node.sessions.delete(session)
    assert (await end_of(await desk.connect(ticket=ticket)))[0] == CloseCode.NOT_FOUND


async def test_a_key_that_is_revoked_closes_its_sockets(desk: Desk) -> None:
    client = await desk.open()
    await desk.node.keys.revoke(desk.principal.subject)
    code, reason = await end_of(client)
    assert (code, "revoked" in reason) == (CloseCode.UNAUTHORIZED, True)
    await until(lambda: not desk.seats, "the seat is free")


async def test_a_socket_ends_with_the_login_token_behind_it(node: MemoryNode, front: Frontend) -> None:
    repository = ApiKeyRepository(node.database)
    rules = ClaimRules(ISSUER, AUDIENCE, "org_id", "role", LEEWAY)
    logins = LoginTokens(SigningKeys(front.url), Organizations(repository), rules)
    authenticator = Authenticator(node.keys, logins=logins)
    node.tickets = Tickets(TicketRepository(node.database), authenticator.confirm)
    async with open_desk(node, Seats(8, 8)) as desk:
        # a token that is good for a second or two, as long as the clocks may differ
        token = mint(exp=int(time.time()) + 2 - LEEWAY)
        desk.principal = await authenticator.authenticate({"authorization": f"Bearer {token}"})
        client = await desk.open()
        (event_id,) = await append(node.database, "message")
        assert [event["id"] for event in await take(client, 1)] == [event_id]
        code, reason = await end_of(client)
        assert (code, "expired" in reason) == (CloseCode.UNAUTHORIZED, True)
    await logins.close()


async def test_a_node_that_stops_says_so_and_waits_for_nobody(desk: Desk) -> None:
    clients = [await desk.open() for _ in range(3)]
    with await desk.raw():  # answers nothing
        ending = asyncio.gather(*(end_of(client) for client in clients))
        await desk.serving.stop()
        assert {code for code, _ in await ending} == {CloseCode.RESTARTING}


@pytest.mark.parametrize("is_binary", [False, True])
async def test_a_client_has_nothing_to_say(desk: Desk, is_binary: bool) -> None:
    client = await desk.open()
    await (client.send_bytes(b"x") if is_binary else client.send_str("ping"))
    assert (await end_of(client))[0] == CloseCode.NOTHING_TAKEN


async def test_pings_are_answered_while_events_flow(desk: Desk) -> None:
    await append(desk.node.database, *"abc")
    payloads = [bytes([number]) * number for number in (0, 1, 125)]
    with await desk.raw() as client:
        for payload in payloads:
            client.send(PING, payload)
        seen = [await asyncio.to_thread(client.receive) for _ in range(7)]
    assert [payload for opcode, payload in seen if opcode == PONG] == payloads
    assert len([payload for opcode, payload in seen if opcode == TEXT]) == 4


@pytest.mark.parametrize(
    ("hostile", "code"),
    [
        pytest.param(frame_of(TEXT, b"", length=1 << 62), 1009, id="huge"),
        pytest.param(frame_of(BINARY, b"x" * (MESSAGE_LENGTH + 1)), 1009, id="large"),
        pytest.param(
            frame_of(TEXT, b"x", final=False) + frame_of(0, b"x", final=False) * (MESSAGE_LENGTH + 1),
            1009,
            id="in pieces without end",
        ),
        pytest.param(frame_of(0, b"x"), 1002, id="continues nothing"),
        pytest.param(frame_of(PING, b"x" * 126), 1002, id="large ping"),
        pytest.param(frame_of(PING, b"x", final=False), 1002, id="ping in pieces"),
        pytest.param(frame_of(0x3, b""), 1002, id="unknown opcode"),
        pytest.param(bytes([0xF1, 0x80]) + bytes(4), 1002, id="reserved bits"),
        pytest.param(frame_of(TEXT, b"\xff\xfe"), 1007, id="no text"),
        pytest.param(frame_of(CLOSE, b"\x00"), 1002, id="no close"),
        pytest.param(bytes(range(256)) * 16, 1002, id="garbage"),
    ],
)
async def test_what_is_no_websocket_is_closed(
    desk: Desk, hostile: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    with await desk.raw() as client:
        await asyncio.to_thread(client.socket.sendall, hostile)
        assert await asyncio.to_thread(client.close_code) == code
    await until(lambda: not desk.seats, "the seat is free")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    await (await desk.open()).close()


async def test_seats_are_limited_for_each_organization_and_for_all(desk: Desk) -> None:
    ours = [await desk.open() for _ in range(4)]
    code, reason = await end_of(await desk.connect(ticket=await desk.ticket()))
    assert (code, "4 sockets" in reason) == (CloseCode.TOO_MANY, True)
    # another organization has its own, until none is left
    key, _ = await desk.node.keys.create(organization="other", permissions=Capability, label="")
    desk.principal = Principal(key.organization_id, key.id, frozenset(Capability))
    others = [await desk.open() for _ in range(4)]
    await ours.pop().close()
    await until(lambda: len(desk.seats) == 7, "a seat is free again")
    key, _ = await desk.node.keys.create(organization="third", permissions=Capability, label="")
    desk.principal = Principal(key.organization_id, key.id, frozenset(Capability))
    thirds = [await desk.open()]
    assert (await end_of(await desk.connect(ticket=await desk.ticket())))[0] == CloseCode.LATER
    assert len(desk.seats) == len(ours + others + thirds) == 8


async def test_a_client_that_takes_nothing_keeps_nobody_waiting_and_is_let_go(node: MemoryNode) -> None:
    async with open_desk(node, Seats(8, 8), write_seconds=0.3) as desk:
        with await desk.raw(receive_buffer=4096):
            ids = await append_many(node.database, 2_000, payload=LARGE)
            client = await desk.open(after=BEFORE_ALL)
            assert [event["id"] for event in await take(client, 2_000)] == ids
            await until(lambda: len(desk.seats) == 1, "the one that takes nothing has lost its seat")


async def test_a_client_that_leaves_pings_without_an_answer_is_let_go(node: MemoryNode) -> None:
    async with open_desk(node, Seats(8, 8), ping_after=0.05) as desk:
        with await desk.raw() as silent:
            opcodes = [TEXT]
            while opcodes[-1] != PING:
                opcodes.append((await asyncio.to_thread(silent.receive))[0])
            assert await asyncio.to_thread(silent.close_code) == 0
        await until(lambda: not desk.seats, "the seat is free")


async def test_nothing_stays_behind(desk: Desk) -> None:
    def tasks() -> list[str]:
        names = (task.get_name() for task in asyncio.all_tasks())
        return [name for name in names if name.startswith(("websocket", "stream"))]

    clients = [await desk.open() for _ in range(3)]
    assert len(tasks()) == 3 * 4
    await clients[0].close()
    for client in clients[1:]:
        # as a machine that loses its power, or a page that is closed
        client._response.close()  # noqa: SLF001 - without a last frame
    await until(lambda: not tasks(), "the sockets' tasks have ended")
    await until(lambda: not list(desk.node.gateway.events.followed), "nobody listens any more")
    assert not desk.seats


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/api/v1/realtime/ticket", 404), (PATH, 400)])
async def test_what_is_no_handshake_is_answered_in_the_envelope(desk: Desk, path: str, status: int) -> None:
    async with desk.http.get(f"http://127.0.0.1:{desk.port}{path}?ticket=tk_secret") as answer:
        assert answer.status == status
        assert set((await answer.json())["error"]) == {"code", "details", "message"}


async def test_a_port_that_is_taken_is_told_with_what_to_do(desk: Desk) -> None:
    second = WebSocketServing(desk.realtime, "127.0.0.1", desk.port, seats=desk.seats)
    with pytest.raises(WagateError, match="WAGATE_REALTIME_PORT"):
        await second.start()


async def test_a_defect_is_logged_and_told_without_its_inner_details(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inner")

    monkeypatch.setattr(desk.realtime, "open", broken)
    code, reason = await end_of(await desk.connect(ticket="tk_secret"))
    assert code == CloseCode.DEFECT
    assert "inner" not in reason
    assert reason.rpartition(" ")[2] in caplog.text
    assert "tk_secret" not in caplog.text


@pytest.mark.parametrize("code", Code)
def test_every_error_has_a_close_code_and_a_reason_that_fits(code: Code) -> None:
    ending = Ending.of(WagateError(code, "é" * 200), is_stopping=False)
    assert len(ending.reason) <= REASON_LENGTH
    assert set(ending.reason.decode()) == {"é"}
    assert ending.code in CloseCode


async def test_a_handshake_of_another_version_is_refused(desk: Desk) -> None:
    url = f"http://127.0.0.1:{desk.port}{PATH}"
    with pytest.raises(WSServerHandshakeError) as caught:
        await desk.http.ws_connect(url, headers={"sec-websocket-version": "99"})
    assert caught.value.status == 400


async def test_heartbeats_are_frames_too(desk: Desk) -> None:
    client = await desk.connect(ticket=await desk.ticket())
    beat = await frame(client)
    assert (beat["event"], beat["id"], beat["session"]) == ("heartbeat", BEFORE_ALL, None)
