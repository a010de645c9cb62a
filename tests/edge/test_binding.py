"""What reaches the node of a REST call: path and query bound, the body untouched."""

import json
from typing import Any

import httpx
import pytest

from tests.edge.envelope import refused

SEND = "/api/v1/sessions/S1/messages"


def told(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("jid", ["628@s.whatsapp.net", "628%40s.whatsapp.net", "628%40S.whatsapp.net"])
def test_a_jid_in_the_path_may_be_escaped_or_not(rest: httpx.Client, jid: str) -> None:
    seen = told(rest.get(f"/api/v1/sessions/S1/chats/{jid}/messages"))

    assert seen["method"] == "/wagate.v1.Chats/ListChatMessages"
    assert seen["fields"] == {"session": "S1", "cid": jid.replace("%40", "@")}


@pytest.mark.parametrize(
    ("segment", "meant"),
    [
        ("1:4@s.whatsapp.net", "1:4@s.whatsapp.net"),
        ("a.b-c_d~e", "a.b-c_d~e"),
        ("%F0%9F%98%80", "\N{GRINNING FACE}"),
        ("a%20b+c", "a b+c"),
        ("%zz", "%zz"),
    ],
)
def test_a_path_segment_arrives_as_it_was_meant(rest: httpx.Client, segment: str, meant: str) -> None:
    assert told(rest.get(f"/api/v1/sessions/{segment}"))["fields"] == {"session": meant}


def test_query_parameters_are_bound_by_their_json_names(rest: httpx.Client) -> None:
    listed = told(rest.get("/api/v1/sessions?limit=7&cursor=a%2Fb+c%3D"))
    sent = told(rest.post(SEND, params={"async": "true"}, content=b"{}"))

    assert listed["fields"] == {"limit": 7, "cursor": "a/b c="}
    assert sent["fields"] == {"session": "S1", "async": True}


@pytest.mark.parametrize(
    "body",
    [
        b'{"to": null, "type": "text", "nobody knows": 1.0}',
        b"{ not json",
        b"",
        b"null",
        b"\xff\xfe",
        json.dumps(
            {"text": "\N{GRINNING FACE} \u05e9\u05dc\u05d5\u05dd" * 2000}, ensure_ascii=False
        ).encode(),
    ],
)
def test_a_body_reaches_the_node_byte_for_byte(rest: httpx.Client, body: bytes) -> None:
    for path, session in ((SEND, {"session": "S1"}), ("/api/v1/sessions", {})):
        seen = told(rest.post(path, content=body))

        assert seen["body"] == body.decode(errors="replace")
        assert seen["fields"] == session


def test_a_verb_is_a_method_of_its_own(rest: httpx.Client) -> None:
    for verb, method in (("start", "StartSession"), ("logout", "LogoutSession")):
        seen = told(rest.post(f"/api/v1/sessions/S1:{verb}"))

        assert seen["method"] == f"/wagate.v1.Sessions/{method}"
        assert seen["fields"] == {"session": "S1"}


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("GET", ""), ("POST", ":start")])
def test_a_body_cannot_say_what_the_path_says(rest: httpx.Client, method: str, path: str) -> None:
    body = b'{"session": "other", "rest_session": "other", "restSession": "other"}'

    assert told(rest.request(method, f"/api/v1/sessions/S1{path}", content=body))["fields"] == {
        "session": "S1"
    }


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("session=other", {"session": "unknown query parameter"}),
        ("foo=1", {"foo": "unknown query parameter"}),
        ("limit=1", {"limit": "unknown query parameter"}),
        ("run_async=true", {"run_async": "unknown query parameter"}),
        ("async=maybe", {"async": 'invalid value "maybe"'}),
        ("message.text=x", {"message": "unknown query parameter"}),
        ("async.x=1", {"async": "unknown query parameter"}),
        ("rest_session=other", {}),
        ("%72est_session=other", {}),
        ("async=true&rest_body.data=e30=", {}),
    ],
)
def test_a_query_says_only_what_the_operation_knows(
    rest: httpx.Client, query: str, details: dict[str, str]
) -> None:
    answer = rest.post(f"{SEND}?{query}", content=b"{}")

    refused(answer, 400, "validation_error", details)


def test_headers_reach_the_node_except_those_of_grpc_itself(rest: httpx.Client) -> None:
    seen = told(
        rest.get(
            "/api/v1/sessions",
            headers={
                "authorization": "Bearer wa_x",
                "idempotency-key": "k",
                "x-api-key": "wa_y",
                "grpc-timeout": "nonsense",
                "grpc-encoding": "gzip",
                "trace-bin": "%%%",
                "x!#$%&'*+^`|~y": "a name that HTTP allows and gRPC does not",
            },
        )
    )["metadata"]

    assert (seen["authorization"], seen["idempotency-key"], seen["x-api-key"]) == ("Bearer wa_x", "k", "wa_y")
    assert "trace-bin" not in seen
    assert seen["x-envoy-original-path"] == "/api/v1/sessions"
