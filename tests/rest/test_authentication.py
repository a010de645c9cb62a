"""Who may do what through Envoy: login tokens of a real key set, api-keys, tenants, the audit."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import grpc
import httpx
import pytest
from wagate.v1 import sessions_pb2, sessions_pb2_grpc

from tests.support.frontend import AUDIENCE, ISSUER, Frontend, frontend, mint
from tests.support.stack import Stack, eventually, running

Caller = Callable[[str], httpx.Client]


@pytest.fixture(scope="module")
def front() -> Iterator[Frontend]:
    with frontend() as serving:
        yield serving


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, front: Frontend) -> Iterator[Stack]:
    """A product of its own, which accepts the frontend's login tokens."""
    with running(
        tmp_path_factory.mktemp("auth") / "data",
        WAGATE_JWKS_URL=front.url,
        WAGATE_JWT_ISSUER=ISSUER,
        WAGATE_JWT_AUDIENCE=AUDIENCE,
    ) as product:
        yield product


@pytest.fixture(scope="module")
def bearing(guarded: Stack) -> Iterator[Caller]:
    """Callers by their token."""
    clients: list[httpx.Client] = []

    def client(token: str) -> httpx.Client:
        clients.append(
            httpx.Client(
                base_url=f"{guarded.ready['http']}/api/v1",
                headers={"authorization": f"Bearer {token}"},
                timeout=60,
            )
        )
        return clients[-1]

    yield client
    for one in clients:
        one.close()


def wagate(stack: Stack, *words: str) -> str:
    """What the command line says, beside the running node."""
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", *words],
        env={**os.environ, "WAGATE_DATA_DIR": str(stack.data_dir)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(("name", "algorithm"), [("rsa", "RS256"), ("ec", "ES256"), ("ed", "EdDSA")])
def test_a_person_makes_a_session_in_their_organization(bearing: Caller, name: str, algorithm: str) -> None:
    owner = bearing(mint(name, algorithm, org_id=f"org_{name}", sub=f"user_{name}"))
    made = owner.post("/sessions", json={"label": "mine"})
    assert made.status_code == httpx.codes.CREATED
    assert (made.json()["organizationId"], made.json()["createdByUserId"]) == (f"org_{name}", f"user_{name}")
    assert [s["id"] for s in owner.get("/sessions").json()["data"]] == [made.json()["id"]]


def test_a_role_bounds_what_a_person_may_do(bearing: Caller) -> None:
    session = bearing(mint(org_id="roles")).post("/sessions", json={}).json()["id"]
    member = bearing(mint(org_id="roles", role="member"))
    assert member.get(f"/sessions/{session}/chats").status_code == httpx.codes.OK
    assert code(member.post("/sessions", json={})) == (403, "forbidden")
    assert code(member.post(f"/sessions/{session}/messages", json={})) == (400, "validation_error")
    for role in ("guest", "super_admin"):
        nobody = bearing(mint(org_id="roles", role=role))
        assert code(nobody.get(f"/sessions/{session}/chats")) == (403, "forbidden")
        assert code(nobody.get("/sessions")) == (403, "forbidden")


def test_another_organizations_session_does_not_exist(bearing: Caller, guarded: Stack) -> None:
    session = bearing(mint(org_id="tenant-a")).post("/sessions", json={}).json()["id"]
    for stranger in (bearing(mint(org_id="tenant-b")), guarded.rest):
        for answer in (
            stranger.get(f"/sessions/{session}"),
            stranger.delete(f"/sessions/{session}"),
            stranger.get(f"/sessions/{session}/chats"),
            stranger.post(f"/sessions/{session}/messages", json={}),
            stranger.post(f"/sessions/{session}:start"),
        ):
            assert code(answer) == (404, "not_found")
        assert session not in stranger.get("/sessions").text
    assert bearing(mint(org_id="tenant-a")).get(f"/sessions/{session}").status_code == httpx.codes.OK


@pytest.mark.parametrize(
    "token",
    [
        lambda: mint(exp=int(time.time()) - 60),
        lambda: mint(aud="somebody-else"),
        lambda: mint(iss="https://evil.test"),
        lambda: mint("evil"),
        lambda: mint("ed", "EdDSA", {"jku": "http://127.0.0.1:9/"}),
        lambda: mint()[:-4] + "AAAA",
        lambda: str(uuid.uuid4()),
        lambda: "x" * 20_000,
    ],
    ids=["expired", "audience", "issuer", "unknown key", "jku", "signature", "UUID", "long"],
)
def test_other_tokens_are_401(bearing: Caller, token: Callable[[], str]) -> None:
    answer = bearing(token()).get("/sessions")
    assert code(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_keys_rotate_while_people_work(bearing: Caller, front: Frontend) -> None:
    front.publish("fresh")

    def accepted() -> bool:
        return bearing(mint("fresh")).get("/sessions").status_code == httpx.codes.OK

    eventually(accepted, "the new key is accepted")
    # and while the frontend is away, those who are known stay in and the others are asked to wait
    front.status = 500
    try:
        eventually(
            lambda: code_or_none(bearing(mint("unheard-of")).get("/sessions")) == (503, "unavailable"),
            "an unknown key cannot be checked",
        )
        assert bearing(mint("unheard-of")).get("/sessions").headers["retry-after"] == "5"
        assert bearing(mint("fresh")).get("/sessions").status_code == httpx.codes.OK
    finally:
        front.status = 200


def code_or_none(answer: httpx.Response) -> tuple[int, str] | None:
    return None if answer.status_code == httpx.codes.OK else code(answer)


def test_a_key_is_bounded_ends_and_shows_its_use(bearing: Caller, guarded: Stack) -> None:
    secret = wagate(
        guarded, "keys", "create", "--permissions", "read", "--expires-in", "1d", "--label", "till"
    )
    reader = bearing(secret)
    assert code(reader.get("/sessions")) == (403, "forbidden")
    with httpx.Client(base_url=reader.base_url, headers={"x-api-key": secret}) as other_header:
        assert code(other_header.get("/sessions")) == (403, "forbidden")
        other_header.headers["x-api-key"] = mint()
        assert code(other_header.get("/sessions")) == (401, "unauthorized")

    def row() -> list[str]:
        return next(line for line in wagate(guarded, "keys", "list").splitlines() if "till" in line).split()

    eventually(lambda: row()[-2] != "never", "the last use shows")
    wagate(guarded, "keys", "revoke", row()[0])
    revoked = time.monotonic()
    eventually(lambda: reader.get("/sessions").status_code == httpx.codes.UNAUTHORIZED, "it is refused", 5)
    assert time.monotonic() - revoked < 2  # one second of trust, and the machine's own pace
    assert row()[3] == "revoked"


def test_native_callers_bring_the_same_tokens(guarded: Stack) -> None:
    with grpc.insecure_channel(guarded.ready["grpc"]) as channel:
        stub = sessions_pb2_grpc.SessionsStub(channel)
        request = sessions_pb2.CreateSessionRequest(label="native")
        made = stub.CreateSession(request, metadata=(("authorization", f"Bearer {mint(org_id='native')}"),))
        assert made.organization_id == "native"
        with pytest.raises(grpc.RpcError) as caught:
            stub.CreateSession(request, metadata=(("authorization", f"Bearer {mint('evil')}"),))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_changes_are_audited_and_reads_are_not(bearing: Caller, guarded: Stack) -> None:
    owner = bearing(mint(org_id="audited", sub="user_9"))
    session = owner.post("/sessions", json={"label": "nobody reads this"}).json()["id"]
    owner.get(f"/sessions/{session}")
    bearing(mint(org_id="audited", sub="user_8", role="member")).delete(f"/sessions/{session}")
    owner.post(
        f"/sessions/{session}/messages",
        json={"to": "628120000001@s.whatsapp.net", "type": "text", "text": "hi"},
    )
    assert owner.delete(f"/sessions/{session}").status_code == httpx.codes.NO_CONTENT

    def lines() -> list[dict[str, str]]:
        listed = wagate(guarded, "audit", "list", "--organization", "audited", "--json")
        return [json.loads(line) for line in listed.splitlines()]

    eventually(lambda: len(lines()) == 4, "all four attempts are audited")
    found = sorted(lines(), key=lambda line: line["at"])
    assert [(line["operation"], line["outcome"], line["actor"]) for line in found] == [
        ("createSession", "ok", "user_9"),
        ("deleteSession", "forbidden", "user_8"),
        ("sendMessage", "conflict", "user_9"),
        ("deleteSession", "ok", "user_9"),
    ]
    assert {line["target"] for line in found} == {session}
    assert {line["actorKind"] for line in found} == {"jwt"}
    assert all(re.fullmatch("[0-9a-f-]{36}", line["requestId"]) for line in found)
    assert "nobody reads this" not in json.dumps(found)
    log = (guarded.data_dir / "logs" / "node.log").read_text()
    assert found[0]["requestId"] in log
    assert "nobody reads this" not in log
