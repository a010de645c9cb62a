"""Cases of the Webhooks service."""

from typing import Any

from tests.rest.conformance.case import By, Case, Given, Request
from tests.rest.conformance.expected import has, names
from tests.rest.conformance.general import NO_SESSION
from tests.rest.conformance.world import World

URL = "https://receiver.example/events"
UNKNOWN = f"wh_0{NO_SESSION[1:]}"


def _of(webhook: str, body: object = None, *, token: str = "") -> Request:
    return Request({"id": webhook}, body, token)


def _new(**body: Any) -> Given:
    return lambda _world: Request(body={"url": URL, "active": False, **body})


def _bound(world: World) -> Request:
    return Request(body={"url": URL, "active": False, "sessionId": world.idle})


def _as_documented(_world: World, answer: Any) -> None:
    assert {
        name: value for name, value in answer.items() if name not in {"id", "createdAt", "updatedAt"}
    } == {
        "active": False,
        "customHeaders": {"X-Tenant": "7"},
        "events": ["message", "message.status"],
        "organizationId": answer["organizationId"],
        "retryPolicy": {"attempts": 3, "delaySeconds": 60, "policy": "linear"},
        "sessionId": None,
        "url": URL,
    }


def _bound_to_idle(world: World, answer: Any) -> None:
    assert answer["sessionId"] == world.idle


def _limit(world: World, answer: Any) -> None:
    assert answer["error"]["code"] == "conflict"
    assert int(answer["error"]["details"]["limit"]) == world.webhooks_per_organization


def _last_page(_world: World, answer: Any) -> None:
    assert answer["nextCursor"] == ""


def _gone(world: World, _answer: Any) -> None:
    listed = world.stack.rest.get("/webhooks", params={"limit": 200}).json()["data"]
    assert not [webhook for webhook in listed if webhook["url"].endswith("/to-be-deleted")]


def _patched(**body: Any) -> Given:
    return lambda world: _of(world.webhook, body)


def _log_of(world: World, **fields: str) -> Request:
    return Request({"id": world.webhook, **fields})


def _redriven(*ids: str) -> Given:
    return lambda world: _of(world.webhook, {"deliveryIds": list(ids)})


CASES = (
    Case(
        "createWebhook",
        201,
        "whole",
        _new(
            events=["message", "message.status"],
            secret="hush",
            customHeaders={"X-Tenant": "7"},
            retryPolicy={"attempts": 3, "delaySeconds": 60, "policy": "linear"},
        ),
        _as_documented,
    ),
    Case("createWebhook", 201, "of-one-session", _bound, _bound_to_idle),
    Case("createWebhook", 400, "no-url", lambda _: Request(body={}), names("url")),
    Case("createWebhook", 400, "no-http", _new(url="ftp://receiver.example/"), names("url")),
    Case("createWebhook", 400, "private", _new(url="http://169.254.169.254/latest/"), names("url")),
    Case("createWebhook", 400, "unknown-event", _new(events=["mesage"]), names("events")),
    Case("createWebhook", 400, "no-events", _new(events=[]), names("events"), By.REST),
    Case("createWebhook", 400, "no-session", _new(sessionId=NO_SESSION), names("sessionId")),
    Case("createWebhook", 400, "host", _new(customHeaders={"Host": "x"}), names("customHeaders.Host")),
    Case(
        "createWebhook", 400, "attempts", _new(retryPolicy={"attempts": 101}), names("retryPolicy.attempts")
    ),
    Case("createWebhook", 409, "too-many", lambda w: Request(body={"url": URL}, token=w.crowd), _limit),
    Case("listWebhooks", 200, "a-page", lambda w: Request({"limit": 1}) if w.webhook else Request()),
    Case("listWebhooks", 200, "the-last", lambda _: Request({"limit": 200}), _last_page),
    Case("listWebhooks", 400, "forged-cursor", lambda _: Request({"cursor": "forged"}), names("cursor")),
    Case("getWebhook", 200, "there", lambda w: _of(w.webhook), has(url=URL)),
    Case("getWebhook", 404, "unknown", lambda _: _of(UNKNOWN)),
    Case("getWebhook", 404, "no-id", lambda _: _of("x")),
    Case("getWebhook", 404, "others", lambda w: _of(w.webhook, token=w.stranger)),
    Case("updateWebhook", 200, "nothing", _patched(), has(url=URL)),
    Case("updateWebhook", 200, "events", _patched(events=["presence"]), has(events=["presence"])),
    Case("updateWebhook", 200, "secret", _patched(secret="new"), has(active=False)),
    Case("updateWebhook", 200, "unbound", _patched(sessionId=None), has(sessionId=None)),
    Case("updateWebhook", 404, "unknown", lambda _: _of(UNKNOWN, {"active": False})),
    Case("updateWebhook", 404, "others", lambda w: _of(w.webhook, {"active": False}, token=w.stranger)),
    Case("updateWebhook", 422, "private", _patched(url="http://[::1]/"), names("url")),
    Case("updateWebhook", 422, "unknown-event", _patched(events=["x"]), names("events")),
    Case("deleteWebhook", 204, "deleted", lambda w: _of(w.made_webhook(f"{URL}/to-be-deleted")), _gone),
    Case("deleteWebhook", 404, "unknown", lambda _: _of(UNKNOWN)),
    Case("deleteWebhook", 404, "others", lambda w: _of(w.webhook, token=w.stranger)),
    Case("getWebhookStatus", 200, "paused", lambda w: _of(w.webhook), has(state="paused", dead=0)),
    Case("getWebhookStatus", 404, "unknown", lambda _: _of(UNKNOWN)),
    Case("getWebhookStatus", 404, "others", lambda w: _of(w.webhook, token=w.stranger)),
    Case("listWebhookDeliveries", 200, "none", lambda w: _of(w.webhook), has(data=[], nextCursor="")),
    Case("listWebhookDeliveries", 400, "no-state", lambda w: _log_of(w, state="lost"), names("state")),
    Case("listWebhookDeliveries", 400, "forged-cursor", lambda w: _log_of(w, cursor="x"), names("cursor")),
    Case("listWebhookDeliveries", 404, "unknown", lambda _: _of(UNKNOWN)),
    Case("listWebhookDeliveries", 404, "others", lambda w: _of(w.webhook, token=w.stranger)),
    Case("redriveWebhook", 200, "nothing-dead", lambda w: _of(w.webhook, {}), has(redriven=0)),
    Case("redriveWebhook", 400, "no-ids", _redriven("x"), names("deliveryIds")),
    Case("redriveWebhook", 404, "unknown", lambda _: _of(UNKNOWN, {})),
    Case("redriveWebhook", 404, "others", lambda w: _of(w.webhook, {}, token=w.stranger)),
)
