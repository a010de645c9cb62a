"""Webhooks by both ways of calling: what callers can make, see, change and delete."""

import re
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from wagate.v1 import webhooks_pb2 as pb

from server.clock import now_ms
from server.events.webhooks.service import WebhookChange
from server.rpc.event_names import EVENT_NAMES
from server.store.audit import AuditRepository
from server.store.sessions import SessionRepository
from server.store.webhooks import RetryPolicy, Webhook, WebhookRepository
from tests.support.waiting import until_async
from tests.unit.server.office import NOBODY, NUMBER, Office, refused

URL = "https://receiver.example/events"
GONE = f"wh_{NOBODY}"


async def made(office: Office, **body: object) -> dict[str, Any]:
    """A new webhook, to which nothing is posted unless `body` says so."""
    answer = await office.owner.rest("CreateWebhook", {"url": URL, "active": False, **body})
    assert answer.status == 201, answer.json
    webhook: dict[str, Any] = answer.json
    return webhook


async def stored(office: Office, webhook: dict[str, Any]) -> Webhook:
    """It as whoever posts sees it."""
    found = await WebhookRepository(office.node.database).find(webhook["id"])
    assert found is not None
    return found


async def secret_of(office: Office, webhook: dict[str, Any]) -> str | None:
    """Its secret, which only whoever posts can see."""
    return (await stored(office, webhook)).secret


async def patched(office: Office, webhook: dict[str, Any], **body: object) -> dict[str, Any]:
    """The fields of a webhook that a change has changed."""
    answer = await office.owner.rest("UpdateWebhook", body, id=webhook["id"])
    assert answer.status == 200, answer.json
    assert answer.json == (await office.owner.rest("GetWebhook", id=webhook["id"])).json
    assert answer.json["updatedAt"] >= webhook["updatedAt"]
    return {
        name: value for name, value in answer.json.items() if value != webhook[name] and name != "updatedAt"
    }


async def test_a_webhook_of_which_only_the_url_is_said(office: Office) -> None:
    before = now_ms()
    webhook = (await office.owner.rest("CreateWebhook", {"url": URL})).json
    assert re.fullmatch("wh_[0-7][0-9A-HJKMNP-TV-Z]{25}", webhook["id"])
    assert before <= webhook["createdAt"] == webhook["updatedAt"] <= now_ms()
    assert webhook == {
        "active": True,
        "createdAt": webhook["createdAt"],
        "customHeaders": {},
        "events": ["*"],
        "id": webhook["id"],
        "organizationId": office.node.principal.organization_id,
        "retryPolicy": {"attempts": 15, "delaySeconds": 2, "policy": "exponential"},
        "sessionId": None,
        "updatedAt": webhook["createdAt"],
        "url": URL,
    }
    assert (await office.owner.rest("GetWebhook", id=webhook["id"])).json == webhook
    assert await secret_of(office, webhook) is None


async def test_a_webhook_of_which_everything_is_said(office: Office) -> None:
    session = await office.node.create()
    said = {
        "url": "http://receiver.example:8080/",
        "events": ["message", "message.status", "message"],
        "sessionId": session.id,
        "active": True,
        "customHeaders": {"Authorization": "Bearer abc", "X-Empty": ""},
        "retryPolicy": {"attempts": 100, "delaySeconds": 3600, "policy": "linear"},
    }
    webhook = await made(office, secret="s3cret ☂", **said)
    assert {name: webhook[name] for name in said} == {**said, "events": ["message", "message.status"]}
    assert await secret_of(office, webhook) == "s3cret ☂"


async def test_null_and_empty_mean_what_nothing_means_in_a_new_one(office: Office) -> None:
    webhook = await made(
        office, events=None, sessionId="", active=None, secret="", customHeaders=None, retryPolicy=None
    )
    assert (webhook["events"], webhook["sessionId"], webhook["active"]) == (["*"], None, True)
    assert await secret_of(office, webhook) is None


async def test_by_both_ways_it_is_the_same(office: Office) -> None:
    headers = struct_pb2.Struct()
    headers.update({"X-Tenant": "7"})
    native = await office.owner.native(
        "CreateWebhook",
        url=URL,
        secret="s3cret",
        custom_headers=headers,
        retry_policy=pb.RetryPolicyRequest(policy=pb.BACKOFF_CONSTANT),
    )
    assert native.retry_policy == pb.RetryPolicy(attempts=15, delay_seconds=2, policy=pb.BACKOFF_CONSTANT)
    assert native.active
    assert not native.HasField("session_id")
    seen = (await office.owner.rest("GetWebhook", id=native.id)).json
    assert seen["customHeaders"] == {"X-Tenant": "7"} == dict(native.custom_headers)
    changed = await office.owner.native("UpdateWebhook", id=native.id, active=False, secret="")
    assert changed == await office.owner.native("GetWebhook", id=native.id)
    assert not changed.active
    assert await secret_of(office, seen) is None
    await office.owner.native("DeleteWebhook", id=native.id)
    assert (await refused(office.owner.native("GetWebhook", id=native.id)))[0] is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({}, {}),
        ({"url": "http://other.example/"}, {"url": "http://other.example/"}),
        ({"url": None, "events": None, "active": None, "customHeaders": None, "retryPolicy": None}, {}),
        ({"events": ["presence", "*", "presence"]}, {"events": ["presence", "*"]}),
        ({"active": True}, {"active": True}),
        ({"sessionId": None}, {"sessionId": None}),
        ({"sessionId": ""}, {"sessionId": None}),
        ({"customHeaders": {}}, {"customHeaders": {}}),
        ({"customHeaders": {"X-B": "2"}}, {"customHeaders": {"X-B": "2"}}),
        ({"retryPolicy": {}}, {}),
        (
            {"retryPolicy": {"attempts": 1}},
            {"retryPolicy": {"attempts": 1, "delaySeconds": 5, "policy": "constant"}},
        ),
        (
            {"retryPolicy": {"policy": "linear", "delaySeconds": 1, "attempts": None}},
            {"retryPolicy": {"attempts": 3, "delaySeconds": 1, "policy": "linear"}},
        ),
    ],
)
async def test_a_change_changes_what_it_names(
    office: Office, body: dict[str, object], changed: dict[str, object]
) -> None:
    session = await office.node.create()
    webhook = await made(
        office,
        events=["message"],
        sessionId=session.id,
        secret="old",
        customHeaders={"X-A": "1"},
        retryPolicy={"attempts": 3, "delaySeconds": 5, "policy": "constant"},
    )
    assert await patched(office, webhook, **body) == changed
    assert await secret_of(office, webhook) == "old"


@pytest.mark.parametrize(("given", "then"), [("new", "new"), ("", None), (None, None)])
async def test_a_secret_is_rotated_by_sending_a_new_one(
    office: Office, given: str | None, then: str | None
) -> None:
    webhook = await made(office, secret="old")
    assert await patched(office, webhook, secret=given) == {}
    assert await secret_of(office, webhook) == then


async def test_who_posts_can_tell_that_something_changed(office: Office) -> None:
    webhook = await made(office)
    await patched(office, webhook)  # which changes nothing
    assert (await stored(office, webhook)).revision == 1
    await patched(office, webhook, secret="new")
    assert (await stored(office, webhook)).revision == 2


def deep(levels: int) -> object:
    """A value inside as many objects."""
    return {"x": deep(levels - 1)} if levels else "x"


INVALID: list[tuple[dict[str, object], set[str]]] = [
    ({"url": ""}, {"url"}),
    ({"url": "receiver.example"}, {"url"}),
    ({"url": "http://127.0.0.1/"}, {"url"}),
    ({"url": "http://169.254.169.254/latest/meta-data/"}, {"url"}),
    ({"url": 5}, {"url"}),
    ({"url": "https://receiver.example/" + "x" * 100_000}, {"url"}),
    ({"events": ["x" * 10_000] * 100}, {"events"}),
    ({"customHeaders": {"X-A": deep(5)}}, {"customHeaders.X-A"}),
    ({"customHeaders": {"X-A": deep(200)}}, {"customHeaders"}),
    ({"customHeaders": {"x" * 100_000: "x"}}, {"customHeaders." + "x" * 40}),
    ({"events": []}, {"events"}),
    ({"events": ["message", "mesage"]}, {"events"}),
    ({"events": [""]}, {"events"}),
    ({"events": ["gap"]}, {"events"}),
    ({"events": ["message"] * 101}, {"events"}),
    ({"events": "message"}, {"events"}),
    ({"events": [1]}, {"events"}),
    ({"sessionId": NOBODY}, {"sessionId"}),
    ({"sessionId": "no/such"}, {"sessionId"}),
    ({"sessionId": 5}, {"sessionId"}),
    ({"active": "yes"}, {"active"}),
    ({"secret": "x" * 501}, {"secret"}),
    ({"secret": "x\0"}, {"secret"}),
    ({"secret": 5}, {"secret"}),
    ({"customHeaders": {"Host": "x"}}, {"customHeaders.Host"}),
    ({"customHeaders": {"X-Webhook-Hmac": "x"}}, {"customHeaders.X-Webhook-Hmac"}),
    ({"customHeaders": {"X-A": "1\r\nX-B: 2"}}, {"customHeaders.X-A"}),
    ({"customHeaders": {"X-A": 1, "X-B": None, "X-C": ["x"], "X-D": "x"}},
     {"customHeaders.X-A", "customHeaders.X-B", "customHeaders.X-C"}),
    ({"customHeaders": {f"X-{n}": "x" for n in range(21)}}, {"customHeaders"}),
    ({"customHeaders": ["x"]}, {"customHeaders"}),
    ({"customHeaders": "x"}, {"customHeaders"}),
    ({"retryPolicy": {"attempts": 0}}, {"retryPolicy.attempts"}),
    ({"retryPolicy": {"attempts": 101, "delaySeconds": 0}},
     {"retryPolicy.attempts", "retryPolicy.delaySeconds"}),
    ({"retryPolicy": {"delaySeconds": 3601}}, {"retryPolicy.delaySeconds"}),
    ({"retryPolicy": {"delaySeconds": 1.5}}, {"retryPolicy.delaySeconds"}),
    ({"retryPolicy": {"policy": "sometimes"}}, {"retryPolicy.policy"}),
    ({"retryPolicy": {"tries": 5}}, {"retryPolicy.tries"}),
    ({"retryPolicy": 5}, {"retryPolicy"}),
    ({"id": "wh_1"}, {"id"}),
    ({"organizationId": "other"}, {"organizationId"}),
    ({"url": "x", "secret": "x" * 501, "events": ["x"]}, {"url", "secret", "events"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "fields"), INVALID)
async def test_what_cannot_be_is_named(office: Office, body: dict[str, object], fields: set[str]) -> None:
    webhook = await made(office)
    refusals = [
        (400, await office.owner.rest("CreateWebhook", {"url": URL, **body})),
        (422, await office.owner.rest("UpdateWebhook", body, id=webhook["id"])),
    ]
    for status, answer in refusals:
        assert answer.status == status, answer.json
        assert answer.json["error"]["code"] == "validation_error"
        assert set(answer.json["error"]["details"]) == fields
        assert len(answer.raw) < 2_000
    listed = (await office.owner.rest("ListWebhooks")).json["data"]
    assert listed == [webhook]


async def test_a_refusal_of_events_lists_all_there_are(office: Office) -> None:
    answer = await office.owner.rest("CreateWebhook", {"url": URL, "events": ["mesage"]})
    (told,) = answer.json["error"]["details"].values()
    assert all(name in told for name in ("*", *EVENT_NAMES))
    assert {"message", "session.status", "presence"} <= EVENT_NAMES
    every = await made(office, events=sorted(EVENT_NAMES))
    assert every["events"] == sorted(EVENT_NAMES)


async def test_natively_the_same_cannot_be(office: Office) -> None:
    headers = struct_pb2.Struct()
    headers.update({"X-A": float("nan"), "X-B": {"deep": 1}, "X-C": "x"})
    headers.fields["X-D"].SetInParent()
    for fields in (
        {"url": "http://localhost/"},
        {"url": URL, "events": ["mesage"]},
        {"url": URL, "session_id": NOBODY},
        {"url": URL, "custom_headers": headers},
        {"url": URL, "retry_policy": pb.RetryPolicyRequest(attempts=0)},
        {"url": URL, "retry_policy": pb.RetryPolicyRequest(delay_seconds=-1)},
        {"url": URL, "retry_policy": pb.RetryPolicyRequest(policy=7)},  # type: ignore[arg-type] # no such number
    ):
        code, info, _ = await refused(office.owner.native("CreateWebhook", **fields))
        assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "validation_error")
    assert (await office.owner.rest("ListWebhooks")).json["data"] == []


async def test_a_session_of_somebody_else_cannot_be_told_from_none(office: Office) -> None:
    theirs = (await office.stranger.rest("CreateSession", {})).json["id"]
    answers = [
        await office.owner.rest("CreateWebhook", {"url": URL, "sessionId": session})
        for session in (theirs, NOBODY)
    ]
    assert answers[0].json == answers[1].json


async def test_a_session_that_is_deleted_meanwhile_is_none(office: Office) -> None:
    webhook = await made(office)
    session = await office.node.working(NUMBER)
    await SessionRepository(office.node.database).delete(session.id)  # which this node does not know yet
    created = await office.owner.rest("CreateWebhook", {"url": URL, "sessionId": session.id})
    changed = await office.owner.rest("UpdateWebhook", {"sessionId": session.id}, id=webhook["id"])
    assert (created.status, set(created.json["error"]["details"])) == (400, {"sessionId"})
    assert (changed.status, set(changed.json["error"]["details"])) == (422, {"sessionId"})
    assert (await office.owner.rest("ListWebhooks")).json["data"] == [webhook]


async def test_a_webhook_goes_with_its_session(office: Office) -> None:
    session = await office.node.create()
    bound = await made(office, sessionId=session.id)
    free = await made(office)
    await SessionRepository(office.node.database).delete(session.id)
    assert (await office.owner.rest("GetWebhook", id=bound["id"])).status == 404
    assert (await office.owner.rest("ListWebhooks")).json["data"] == [free]


async def test_pages_are_oldest_first_and_end_with_an_empty_cursor(office: Office) -> None:
    webhooks = [await made(office) for _ in range(5)]
    oldest_first = sorted(webhooks, key=lambda webhook: str(webhook["id"]))
    found, cursor = [], ""
    for expected in (2, 2, 1):
        page = (await office.owner.rest("ListWebhooks", limit=2, cursor=cursor)).json
        assert len(page["data"]) == expected
        found += page["data"]
        cursor = page["nextCursor"]
    assert cursor == ""
    assert found == oldest_first
    first = (await office.owner.rest("ListWebhooks", limit=2)).json["nextCursor"]
    theirs = await office.stranger.rest("ListWebhooks", cursor=first)
    assert (theirs.status, set(theirs.json["error"]["details"])) == (400, {"cursor"})


async def test_somebody_elses_webhook_does_not_exist(office: Office) -> None:
    webhook = await made(office)
    for method, body in (("GetWebhook", None), ("UpdateWebhook", {"active": False}), ("DeleteWebhook", None)):
        there = await office.stranger.rest(method, body, id=webhook["id"])
        nowhere = await office.stranger.rest(method, body, id=GONE)
        assert there.status == nowhere.status == 404
        assert there.json == nowhere.json
        assert there.json["error"]["message"] == "webhook not found"
    assert (await office.stranger.rest("ListWebhooks")).json == {"data": [], "nextCursor": ""}
    assert (await office.owner.rest("GetWebhook", id=webhook["id"])).json == webhook


@pytest.mark.parametrize("name", ["", "x", "wh_", "WH_" + NOBODY, "wh_\0", "wh_" + NOBODY + "\n", "ü", "%"])
async def test_ids_that_no_webhook_has(office: Office, name: str) -> None:
    for method in ("GetWebhook", "UpdateWebhook", "DeleteWebhook"):
        assert (await office.owner.rest(method, id=name)).status == 404


async def test_a_webhook_is_deleted_once(office: Office) -> None:
    webhook = await made(office)
    gone = await office.owner.rest("DeleteWebhook", id=webhook["id"])
    assert (gone.status, gone.raw) == (204, b"")
    assert (await office.owner.rest("DeleteWebhook", id=webhook["id"])).status == 404
    assert (await office.owner.rest("ListWebhooks")).json["data"] == []


async def test_an_organization_may_have_so_many(office: Office) -> None:
    limit = office.node.settings.webhook_count
    for _ in range(limit):
        await office.node.gateway.webhooks.create(office.node.principal, WebhookChange(url=URL, active=False))
    answer = await office.owner.rest("CreateWebhook", {"url": URL})
    assert (answer.status, answer.json["error"]["code"]) == (409, "conflict")
    assert answer.json["error"]["details"] == {"limit": limit}
    assert (await office.stranger.rest("CreateWebhook", {"url": URL})).status == 201


async def test_every_change_is_audited_and_the_secret_is_nowhere(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    hidden = ("s3cret-one", "s3cret-two", "tok3n")
    webhook = await made(office, secret=hidden[0], customHeaders={"Authorization": f"Bearer {hidden[2]}"})
    await patched(office, webhook, secret=hidden[1])
    await office.owner.rest("UpdateWebhook", {"secret": hidden[0] * 100}, id=webhook["id"])
    await office.owner.rest("DeleteWebhook", id=webhook["id"])
    repository = AuditRepository(office.node.database)

    async def all_there() -> bool:
        lines = await repository.page(after=0, since=0, organization_id=None, limit=100)
        return len([line for line in lines if line.actor_kind != "cli"]) >= 4

    await until_async(all_there, "four lines are durable")
    lines = await repository.page(after=0, since=0, organization_id=None, limit=100)
    told = sorted((line.operation, line.target, line.outcome) for line in lines if line.actor_kind != "cli")
    assert told == [
        ("createWebhook", webhook["id"], "ok"),
        ("deleteWebhook", webhook["id"], "ok"),
        ("updateWebhook", webhook["id"], "ok"),
        ("updateWebhook", webhook["id"], "validation_error"),
    ]
    for text in hidden:
        assert text not in caplog.text
        assert text not in repr(lines)


def test_what_is_wanted_of_a_webhook_is_printed_without_secrets() -> None:
    wanted = WebhookChange(secret="s3cret", custom_headers={"Authorization": "tok3n"})
    assert "s3cret" not in repr(wanted)
    assert "tok3n" not in repr(wanted)


def test_the_contract_has_every_policy() -> None:
    words = {name.removeprefix("BACKOFF_").lower() for name, number in pb.Backoff.items() if number}
    assert words == set(RetryPolicy)
