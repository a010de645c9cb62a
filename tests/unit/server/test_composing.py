"""From a caller's draft to what can be sent."""

from dataclasses import replace

import pytest

from server.errors import Code, WagateError
from server.messages.composing import TEXT_LENGTH, Draft, compose
from server.whatsapp.content import Contact, Location, Poll, Quote, Text
from server.whatsapp.jid import Jid, parse_jid

ADA = "628120000001@s.whatsapp.net"


def refused(to: str = ADA, kind: str = "text", text: str = "hello") -> WagateError:
    with pytest.raises(WagateError) as caught:
        compose(Draft(to, kind, text))
    return caught.value


def test_a_text_is_composed() -> None:
    composed = compose(Draft(ADA, "text", " שלום 😀\n"))
    assert composed.to == Jid("628120000001", "s.whatsapp.net")
    assert composed.content == Text(" שלום 😀\n")


@pytest.mark.parametrize("jid", ["7000@lid", "120363000000000000@g.us", "628120000001:3@s.whatsapp.net"])
def test_people_and_groups_can_be_written_to(jid: str) -> None:
    assert compose(Draft(jid, "text", "x")).content == Text("x")


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
    assert compose(Draft(ADA, "text", "😀" * TEXT_LENGTH)).content == Text("😀" * TEXT_LENGTH)


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_what_is_not_built_says_so_before_anything_else(kind: str) -> None:
    error = refused("nobody", kind, "")
    assert error.code is Code.NOT_IMPLEMENTED
    assert error.details == {"type": kind}


def test_a_type_that_only_incoming_messages_have_is_refused() -> None:
    assert set(refused(ADA, "unknown").details) == {"type"}


def test_a_text_answers_and_mentions() -> None:
    composed = compose(Draft(ADA, "text", "@7000 yes", reply_to="3EB0", mentions=["7000@lid", ADA]))
    assert composed.reply_to == "3EB0"
    assert composed.content == Text("@7000 yes", None, (Jid("7000", "lid"), parse_jid(ADA)))
    quote = Quote("3EB0", parse_jid(ADA), b"")
    assert composed.quoting(quote) == replace(composed.content, quote=quote)


def test_a_poll_is_composed() -> None:
    draft = Draft(ADA, "poll", name="Lunch?", options=["soup", "bread"], selectable_count=1)
    assert compose(draft).content == Poll("Lunch?", ("soup", "bread"), 1)


def test_a_place_is_composed() -> None:
    draft = Draft(ADA, "location", latitude=-6.2, longitude=106.8)
    assert compose(draft).content == Location(-6.2, 106.8, "")


def test_a_contact_is_composed_from_name_and_phone() -> None:
    contact = {"name": "Ada; Lovelace", "phone": "+62 812-000 (1)"}
    made = compose(Draft(ADA, "contact", contact=contact)).content
    assert isinstance(made, Contact)
    assert made.name == "Ada; Lovelace"
    assert "FN:Ada\\; Lovelace" in made.vcard.splitlines()
    assert "TEL;type=CELL;waid=628120001:+628120001" in made.vcard.splitlines()


def test_a_contact_is_composed_from_a_vcard_as_it_is() -> None:
    vcard = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN;CHARSET=UTF-8:Ada\\, Countess\r\nEND:VCARD\r\n"
    assert compose(Draft(ADA, "contact", contact=vcard)).content == Contact("Ada, Countess", vcard)


@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        (Draft(ADA, "text", "x", mentions=["ada"]), {"mentions[0]"}),
        (Draft(ADA, "text", "x", mentions=[ADA] * 2000), {"mentions"}),
        (Draft(ADA, "poll"), {"name", "options"}),
        (Draft(ADA, "poll", name="?", options=["one"]), {"options"}),
        (Draft(ADA, "poll", name="?", options=["a"] * 13), {"options"}),
        (Draft(ADA, "poll", name="?", options=["a", "a"]), {"options"}),
        (Draft(ADA, "poll", name="?", options=["a", " "]), {"options[1]"}),
        (Draft(ADA, "poll", name="?", options=["a", "b" * 101]), {"options[1]"}),
        (Draft(ADA, "poll", name="?" * 256, options=["a", "b"]), {"name"}),
        (Draft(ADA, "poll", name="?", options=["a", "b"], selectable_count=3), {"selectableCount"}),
        (Draft(ADA, "poll", name="?", options=["a", "b"], selectable_count=-1), {"selectableCount"}),
        (Draft(ADA, "location"), {"latitude", "longitude"}),
        (Draft(ADA, "location", latitude=90.1, longitude=180.1), {"latitude", "longitude"}),
        (Draft(ADA, "location", latitude=float("nan"), longitude=0), {"latitude"}),
        (Draft(ADA, "location", latitude=0, longitude=0, name="x" * 1001), {"name"}),
        (Draft(ADA, "contact"), {"contact"}),
        (Draft(ADA, "contact", contact=7), {"contact"}),
        (Draft(ADA, "contact", contact="Ada"), {"contact"}),
        (Draft(ADA, "contact", contact="BEGIN:VCARD\nEND:VCARD"), {"contact"}),
        (Draft(ADA, "contact", contact="BEGIN:VCARD\nFN:" + "x" * 20_000 + "\nEND:VCARD"), {"contact"}),
        (Draft(ADA, "contact", contact={"name": "Ada"}), {"contact.phone"}),
        (Draft(ADA, "contact", contact={"name": " ", "phone": "628120000"}), {"contact.name"}),
        (Draft(ADA, "contact", contact={"name": "Ada", "phone": "none"}), {"contact.phone"}),
        (Draft(ADA, "contact", contact={"name": "Ada", "phone": "62812000", "x": 1}), {"contact"}),
    ],
)
def test_every_type_names_what_is_wrong_with_it(draft: Draft, fields: set[str]) -> None:
    with pytest.raises(WagateError) as caught:
        compose(draft)
    assert caught.value.code is Code.VALIDATION_ERROR
    assert set(caught.value.details) == fields
