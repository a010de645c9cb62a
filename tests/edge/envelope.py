"""The error envelope, checked to the letter."""

import httpx


def refused(answer: httpx.Response, status: int, code: str, details: dict[str, str] | None = None) -> str:
    """Asserts that an answer is an error in the API's envelope; returns its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    message = body["error"]["message"]
    assert body == {"error": {"code": code, "details": details or {}, "message": message}}
    assert message
    for inner in ("wagate.v1", "TYPE_", "upstream", "envoy", "rest_session", "grpc"):
        assert inner not in message, "the message speaks of what no caller knows"
    assert not [name for name in answer.headers if name.startswith(("grpc-", "x-envoy-", "x-http-"))]
    return str(message)
