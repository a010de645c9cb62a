"""The WebSocket through Envoy, as docs/following.md shows it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import pytest_asyncio
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

from examples.python.follow_with_websocket import follow
from server.store.database import open_database
from tests.rest.test_following import send_async
from tests.support.events import append_many
from tests.support.hostile import Answer, Wire, request
from tests.support.stack import Stack, eventually
from tests.support.waiting import until
from tests.support.websocket import TEXT, Raw, end_of, following, frame, frame_of, take

OLDEST = "evt_" + "0" * 26
PATH = "/api/v1/realtime"
MANY = 500
STUCK = 20
EVENTS = 2_500
LARGE = {"text": "x" * 4_000}


@pytest_asyncio.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession(connector=TCPConnector(limit=0)) as opened:
        yield opened


def ticket(stack: Stack, **body: object) -> str:
    answer = stack.rest.post("/realtime/ticket", json=body)
    assert answer.status_code == httpx.codes.OK
    given: str = answer.json()["ticket"]
    return given


@asynccontextmanager
async def socket(
    stack: Stack, http: ClientSession, after: str = "", **body: object
) -> AsyncIterator[ClientWebSocketResponse]:
    """A socket that follows."""
    query = {"ticket": await asyncio.to_thread(ticket, stack, **body), "after": after}
    async with http.ws_connect(stack.ready["http"] + PATH, params=query) as client:
        await following(client)
        yield client


def address(stack: Stack) -> tuple[str, int]:
    """Where Envoy listens."""
    url = urlsplit(stack.ready["http"])
    return url.hostname or "", url.port or 0


async def told(stack: Stack, saved: list[str], is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Follows from where it was left until an event is told."""
    events = follow(
        stack.ready["http"], stack.ready["apiKey"], lambda: saved[-1], saved.append, ["message.status"]
    )
    async with aclosing(events), asyncio.timeout(60):
        async for event in events:
            if is_it(event):
                return event
    raise AssertionError("it follows without end")


@pytest.mark.both_engines
async def test_the_guides_example_tells_the_end_of_an_async_send(
    stack: Stack, session: str, ada: str
) -> None:
    saved = [OLDEST]
    first = await asyncio.to_thread(send_async, stack, session, ada, "later")
    event = await told(stack, saved, lambda event: event["payload"]["outboxId"] == first)
    assert (event["schema"], event["session"], event["payload"]["status"]) == ("v1", session, "sent")
    assert isinstance(event["timestamp"], int)
    saved.append(event["id"])
    second = await asyncio.to_thread(send_async, stack, session, ada, "later still")
    after = await told(stack, saved, lambda event: event["payload"]["outboxId"] == second)
    assert after["id"] > event["id"]


async def test_the_socket_says_what_the_other_streams_say(
    stack: Stack, session: str, ada: str, http: ClientSession
) -> None:
    async with socket(stack, http, sessions=[session], events=["message.status"]) as client:
        outbox_id = await asyncio.to_thread(send_async, stack, session, ada, "three ways")
        event = (await take(client, 1))[0]
        while event["payload"]["outboxId"] != outbox_id:
            event = (await take(client, 1))[0]
    key = {"authorization": f"Bearer {stack.ready['apiKey']}"}
    query = {"since": OLDEST, "events": "message.status", "sessions": session}
    url = f"{stack.ready['http']}/api/v1/events"
    async with http.get(url, params=query, headers=key) as answer, asyncio.timeout(20):
        async for line in answer.content:
            if line.startswith(b"data: ") and event["id"].encode() in line:
                assert json.loads(line.removeprefix(b"data: ")) == event
                return
    raise AssertionError("the other stream does not tell it")


async def test_a_ticket_opens_nothing_a_second_time(stack: Stack, http: ClientSession) -> None:
    query = {"ticket": await asyncio.to_thread(ticket, stack)}
    async with http.ws_connect(stack.ready["http"] + PATH, params=query) as first:
        await following(first)
        async with http.ws_connect(stack.ready["http"] + PATH, params=query) as second:
            assert (await end_of(second))[0] == 4401
        assert not first.closed


async def test_a_key_that_is_revoked_closes_its_sockets(stack: Stack, http: ClientSession) -> None:
    key = stack.cli("keys", "create", "--permissions", "read")
    answer = stack.rest.post("/realtime/ticket", headers={"authorization": f"Bearer {key}"})
    query = {"ticket": answer.json()["ticket"]}
    async with http.ws_connect(stack.ready["http"] + PATH, params=query) as client:
        await following(client)
        rows = stack.cli("keys", "list").splitlines()
        key_id = max(row.split()[0] for row in rows[1:])
        await asyncio.to_thread(stack.cli, "keys", "revoke", key_id)
        code, reason = await end_of(client)
        assert (code, "revoked" in reason) == (4401, True)


async def test_a_reader_comes_back_after_a_node_was_killed_and_after_one_that_stopped(
    stack: Stack, session: str, ada: str
) -> None:
    saved = [OLDEST]
    seen: dict[str, str] = {}
    last: list[str] = []

    def is_last(event: dict[str, Any]) -> bool:
        seen[event["id"]] = event["payload"]["outboxId"]
        return [event["payload"]["outboxId"]] == last

    following_on = asyncio.create_task(told(stack, saved, is_last))
    sent = []
    for number, end in enumerate((psutil.Process.kill, psutil.Process.terminate)):
        sent.append(await asyncio.to_thread(accepted, stack, session, ada, f"before {number}"))
        await until(lambda: sent[-1] in seen.values(), "the reader follows", 60)
        old = stack.node
        end(old)
        await asyncio.to_thread(eventually, lambda old=old: stack.node.pid != old.pid, "a new node")
    last.append(await asyncio.to_thread(accepted, stack, session, ada, "the end"))
    await following_on
    assert set(seen.values()) >= {*sent, *last}
    assert list(seen) == sorted(seen)
    await asyncio.to_thread(stack.await_status, session, "working")


def accepted(stack: Stack, session: str, to: str, text: str) -> str:
    """Has a text sent later, whatever happens to the node meanwhile; returns its outbox id."""

    def ask() -> str | None:
        try:
            answer = stack.rest.post(
                f"/sessions/{session}/messages?async=true",
                json={"to": to, "type": "text", "text": text},
                headers={"idempotency-key": f"socket {text}"},
            )
        except httpx.TransportError:
            return None
        return str(answer.json()["outboxId"]) if answer.status_code == httpx.codes.ACCEPTED else None

    return eventually(ask, f"{text} is accepted")


async def test_sockets_are_told_that_the_node_restarts(stack: Stack, http: ClientSession) -> None:
    async with socket(stack, http) as client:
        old = stack.node
        old.terminate()
        assert (await end_of(client))[0] == 1012
    await asyncio.to_thread(eventually, lambda: stack.node.pid != old.pid, "a new node")
    await asyncio.to_thread(eventually, lambda: is_served(stack), "the new node serves")


def is_served(stack: Stack) -> bool:
    return stack.rest.get("/sessions", params={"limit": 1}).status_code == httpx.codes.OK


UPGRADE = ["connection: upgrade", "upgrade: websocket"]


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        (PATH, [], (400, "validation_error")),
        (f"{PATH}/", ["connection: upgrade", "upgrade: h2c"], (400, "validation_error")),
        (PATH, UPGRADE, (400, "validation_error")),
        (PATH, [*UPGRADE, "sec-websocket-version: 99"], (400, "validation_error")),
        # Envoy refuses by itself to upgrade what is no WebSocket.
        ("/api/v1/sessions", UPGRADE, (403, "validation_error")),
        (f"{PATH}/ticket", UPGRADE, (403, "validation_error")),
        (f"{PATH}/x", UPGRADE, (403, "validation_error")),
    ],
)
def test_what_is_no_websocket_is_refused_in_the_envelope(
    stack: Stack, path: str, headers: list[str], told: tuple[int, str]
) -> None:
    answer = asked(stack, "GET", path, headers)
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"]) == told
    assert "WebSocket" in error["message"] or answer.status == 403


def test_the_path_has_one_method(stack: Stack) -> None:
    answer = asked(stack, "POST", PATH, [])
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert asked(stack, "POST", PATH, UPGRADE).status == 403


def asked(stack: Stack, method: str, path: str, headers: list[str]) -> Answer:
    """What is answered to a request with a ticket in its query, which no answer repeats."""
    wire = Wire(address(stack))
    answer = wire.ask(request(method, f"{path}?ticket=tk_secret", headers))
    wire.close()
    assert set(json.loads(answer.body)["error"]) == {"code", "details", "message"}
    assert b"tk_secret" not in answer.body
    return answer


@pytest.mark.parametrize(
    ("hostile", "codes"),
    [
        pytest.param(frame_of(TEXT, b"", length=1 << 62), {1009}, id="huge"),
        pytest.param(frame_of(TEXT, b'{"subscribe": "*"}'), {1003}, id="a text"),
        # Where the node hangs up over what is still under way, its last word may not arrive.
        pytest.param(bytes(range(256)) * 4096, {1002, 0}, id="garbage"),
        pytest.param(
            frame_of(TEXT, b"x", final=False) + frame_of(0, b"x", final=False) * 100_000,
            {1009, 0},
            id="pieces without end",
        ),
    ],
)
def test_hostile_frames_close_their_socket_alone(stack: Stack, hostile: bytes, codes: set[int]) -> None:
    node, envoy = stack.node, stack.envoy
    with (
        Raw(address(stack), f"{PATH}?ticket={ticket(stack)}") as bystander,
        Raw(address(stack), f"{PATH}?ticket={ticket(stack)}") as client,
    ):
        with contextlib.suppress(ConnectionError):
            client.socket.sendall(hostile)
        assert client.close_code() in codes
        assert bystander.answers()
    assert node.is_running()
    assert envoy.is_running()


async def test_sockets_that_take_nothing_change_nothing_for_the_rest(
    stack: Stack, http: ClientSession
) -> None:
    session = stack.rest.post("/sessions", json={"label": "beside"}).json()
    embedded = f"sqlite:///{Path(stack.data_dir) / 'wagate.db'}"
    database = open_database(stack.environment.get("WAGATE_DATABASE_URL") or embedded)
    try:
        ids = await append_many(database, EVENTS, organization=session["organizationId"], payload=LARGE)
    finally:
        await database.close()
    async with AsyncExitStack() as opened:
        for _ in range(STUCK):
            path = f"{PATH}?ticket={ticket(stack)}&after={OLDEST}"
            opened.enter_context(Raw(address(stack), path, receive_buffer=4096))
        before = stack.node.memory_info().rss
        reader = await opened.enter_async_context(socket(stack, http, after=OLDEST, events=["tick"]))
        assert [event["id"] for event in (await take(reader, EVENTS))[-EVENTS:]] == ids
        async with httpx.AsyncClient(
            base_url=stack.rest.base_url, headers=stack.rest.headers, timeout=10
        ) as rest:
            answers = await asyncio.gather(*(rest.get(f"/sessions/{session['id']}") for _ in range(20)))
        assert [answer.status_code for answer in answers] == [httpx.codes.OK] * 20
        # One page, and what lies between the node and its edge, for each.
        assert stack.node.memory_info().rss - before < STUCK * 2 * 1024 * 1024
    stack.rest.delete(f"/sessions/{session['id']}")


async def test_many_sockets_that_come_and_go_leave_nothing_behind(stack: Stack, http: ClientSession) -> None:
    await asyncio.to_thread(eventually, lambda: is_served(stack), "the node serves")
    node = stack.node
    async with socket(stack, http) as client:
        await following_still(client)
    before = node.num_fds()
    async with AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(socket(stack, http)) for _ in range(MANY)]
        # Not more than before: sockets of earlier tests may have gone meanwhile.
        assert node.num_fds() >= MANY
        for client in clients[::2]:
            client._response.close()  # noqa: SLF001 - as a page that is closed, without a last frame
    await until(lambda: node.num_fds() < before + 20, "the node has let go of them", 60)
    assert node.pid == stack.node.pid


async def following_still(client: ClientWebSocketResponse) -> None:
    """A socket that answers."""
    await client.ping()
    assert not client.closed


def test_no_log_holds_a_ticket(stack: Stack) -> None:
    given = ticket(stack)
    with Raw(address(stack), f"{PATH}?ticket={given}") as client:
        client.receive()
        client.send(0x3, b"what no WebSocket knows")
        client.close_code()
    wire = Wire(address(stack))
    for header in ("sec-websocket-protocol: shown", "sec-websocket-version: shown"):
        wire.ask(request("GET", f"{PATH}?ticket={given}", [*UPGRADE, header]))
    wire.ask(request("GET", f"/api/v1/events?ticket={given}"))
    wire.close()
    logs = list((stack.data_dir / "logs").glob("*.log*"))
    assert len(logs) >= 3
    for log in logs:
        text = log.read_text(errors="replace")
        assert "tk_" not in text
        # nor can strangers fill it
        assert "shown" not in text
        assert "aiohttp" not in text


async def test_an_empty_cursor_is_none(stack: Stack, http: ClientSession) -> None:
    query = {"ticket": await asyncio.to_thread(ticket, stack), "after": ""}
    async with http.ws_connect(stack.ready["http"] + PATH, params=query) as client:
        assert (await frame(client))["event"] == "heartbeat"
