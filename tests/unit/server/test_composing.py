"""From a caller's draft to what can be sent."""

import pytest

from server.errors import Code, WagateError
from server.messages.composing import TEXT_LENGTH, Draft, compose
from server.whatsapp.content import Text
from server.whatsapp.jid import Jid

ADA = "628120000001@s.whatsapp.net"


def refused(to: str = ADA, kind: str = "text", text: str = "hello") -> WagateError:
    with pytest.raises(WagateError) as caught:
        compose(Draft(to, kind, text))
    return caught.value


def test_a_text_is_composed() -> None:
    assert compose(Draft(ADA, "text", " שלום 😀\n")) == (
        Jid("628120000001", "s.whatsapp.net"),
        Text(" שלום 😀\n"),
    )


@pytest.mark.parametrize("jid", ["7000@lid", "120363000000000000@g.us", "628120000001:3@s.whatsapp.net"])
def test_people_and_groups_can_be_written_to(jid: str) -> None:
    assert compose(Draft(jid, "text", "x"))[1] == Text("x")


@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        (Draft("", "", ""), {"to", "type"}),
        (Draft("", "text", ""), {"to", "text"}),
        (Draft("62812", "text", "x"), {"to"}),
        (Draft(ADA, "", "x"), {"type"}),
        (Draft(ADA, "text", ""), {"text"}),
        (Draft("nobody", "text", "x" * (TEXT_LENGTH + 1)), {"to", "text"}),
    ],
)
def test_everything_that_is_wrong_is_named_at_once(draft: Draft, fields: set[str]) -> None:
    error = refused(draft.to, draft.type, draft.text)
    assert error.code is Code.VALIDATION_ERROR
    assert set(error.details) == fields


def test_the_longest_text_is_taken() -> None:
    assert compose(Draft(ADA, "text", "😀" * TEXT_LENGTH))[1] == Text("😀" * TEXT_LENGTH)


@pytest.mark.parametrize(
    "kind", ["poll", "location", "contact", "image", "video", "audio", "document", "sticker"]
)
def test_what_is_not_built_says_so_before_anything_else(kind: str) -> None:
    error = refused("nobody", kind, "")
    assert error.code is Code.NOT_IMPLEMENTED
    assert error.details == {"type": kind}
