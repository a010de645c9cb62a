"""The library's words for what went wrong with a send."""

import pytest

from server.whatsapp.refusals import (
    Refusal,
    action_refusal_of,
    pairing_refusal_of,
    refusal_of,
    refuses_invite,
)


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
        ("failed to encrypt poll vote: original message secret key not found", Refusal.KEY_MISSING),
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


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("info query returned status 400: bad-request", Refusal.INVALID_MESSAGE),
        ("info query returned status 401: not-authorized", Refusal.NOT_ALLOWED),
        ("info query returned status 403: forbidden", Refusal.NOT_ALLOWED),
        ("info query returned status 404: item-not-found", Refusal.GROUP_NOT_FOUND),
        ("info query returned status 419: resource-limit", Refusal.NOT_ALLOWED),
        ("info query returned status 429: rate-overlimit", Refusal.OVER_LIMIT),
        ("info query returned status 503: service-unavailable", Refusal.OTHER),
        ("websocket not connected", Refusal.NOT_CONNECTED),
        ("the store doesn't contain a device JID", Refusal.NOT_CONNECTED),
        ("something that nobody has seen before", Refusal.OTHER),
    ],
)
def test_a_refused_action_is_recognised(text: str, refusal: Refusal) -> None:
    assert action_refusal_of(text) is refusal


@pytest.mark.parametrize(
    "text",
    [
        "info query timed out",
        "websocket disconnected before info query returned response",
        "websocket disconnected before info query (retry) returned response",
    ],
)
def test_an_action_without_an_answer_is_never_called_refused(text: str) -> None:
    assert action_refusal_of(text) is None


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("that group invite link is not valid", True),
        ("that group invite link has been revoked", True),
        ("info query returned status 404: item-not-found", True),
        ("info query returned status 400: bad-request", True),
        ("info query returned status 401: not-authorized", False),
        ("info query returned status 419: resource-limit", False),
        ("info query timed out", False),
        ("websocket not connected", False),
    ],
)
def test_an_invite_that_is_no_good_is_told_from_a_closed_door(text: str, *, refused: bool) -> None:
    assert refuses_invite(text) is refused


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("phone number too short", Refusal.NOT_ON_WHATSAPP),
        ("international phone number required (must not start with 0)", Refusal.NOT_ON_WHATSAPP),
        ("info query returned status 400: bad-request", Refusal.NOT_ON_WHATSAPP),
        ("info query returned status 429: rate-overlimit", Refusal.OVER_LIMIT),
        ("info query timed out", None),
        ("websocket not connected", None),
    ],
)
def test_a_refused_pairing_code_is_told_from_no_answer(text: str, refusal: Refusal | None) -> None:
    assert pairing_refusal_of(text) is refusal
