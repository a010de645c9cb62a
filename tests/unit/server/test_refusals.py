"""The library's words for what went wrong with a send."""

import pytest

from server.whatsapp.refusals import Refusal, refusal_of


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("server returned error 463", Refusal.REACH_OUT_TIMELOCK),
        ("server returned error 479", Refusal.INVALID_MESSAGE),
        ("server returned error 400", Refusal.INVALID_MESSAGE),
        ("server returned error 406", Refusal.INVALID_MESSAGE),
        ("server returned error 401", Refusal.NOT_ALLOWED),
        ("server returned error 403", Refusal.NOT_ALLOWED),
        ("server returned error 405", Refusal.NOT_ALLOWED),
        ("server returned error 404", Refusal.NOT_ON_WHATSAPP),
        ("server returned error 429", Refusal.OVER_LIMIT),
        ("server returned error 599", Refusal.OTHER),
        ("no LID found for 62811@s.whatsapp.net from server", Refusal.NOT_ON_WHATSAPP),
        ("failed to get group members: you're not participating in that group", Refusal.GROUP_NOT_FOUND),
        ("failed to get group members: that group does not exist", Refusal.GROUP_NOT_FOUND),
        ("the store doesn't contain a device JID", Refusal.NOT_CONNECTED),
        (
            "failed to get device list: failed to send usync query: websocket not connected",
            Refusal.NOT_CONNECTED,
        ),
        (
            "failed to get device list: websocket disconnected before info query returned response",
            Refusal.NOT_CONNECTED,
        ),
        ("something that nobody has seen before", Refusal.OTHER),
        ("", Refusal.OTHER),
    ],
)
def test_a_refusal_is_recognised(text: str, refusal: Refusal) -> None:
    assert refusal_of(text) is refusal


@pytest.mark.parametrize(
    "text",
    [
        "timed out waiting for message send response",
        "websocket disconnected before message send returned response",
        "websocket not connected",
        "failed to send message node: write tcp 127.0.0.1: broken pipe",
        "context canceled",
    ],
)
def test_an_unknown_outcome_is_never_called_a_refusal(text: str) -> None:
    assert refusal_of(text) is None


def test_every_refusal_is_documented_once() -> None:
    assert len({refusal.value for refusal in Refusal}) == len(Refusal)
