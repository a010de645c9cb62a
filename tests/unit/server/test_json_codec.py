"""The REST API's JSON, both ways."""

import json
from typing import Any

import pytest
from google.protobuf import struct_pb2
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from wagate.v1 import chats_pb2, messages_pb2, sessions_pb2, webhooks_pb2

from server.errors import Code, WagateError
from server.rpc.json_codec import decode, encode, enum_words
from server.rpc.status import envelope

INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(st.characters(codec="utf-8"))


def read(text: str | bytes, into: Message | None = None) -> Any:
    message = into if into is not None else messages_pb2.OutgoingMessage()
    decode(text if isinstance(text, bytes) else text.encode(), message)
    return message


def refused(text: str | bytes, into: Message | None = None) -> WagateError:
    with pytest.raises(WagateError) as caught:
        read(text, into)
    assert caught.value.code is Code.VALIDATION_ERROR
    # Whatever is refused, the refusal itself can be written.
    assert json.loads(envelope(caught.value))["error"]["code"] == "validation_error"
    return caught.value


SESSIONS = st.builds(
    sessions_pb2.Session,
    created_at=INT64,
    rate_per_min=INT32,
    label=TEXT,
    auto_read=st.booleans(),
    wa_jid=st.none() | TEXT,
    last_connected_at=st.none() | INT64,
    status=st.sampled_from(sorted(set(sessions_pb2.SessionStatus.values()) - {0})),
)


@given(SESSIONS)
def test_what_is_written_is_read_back(session: sessions_pb2.Session) -> None:
    assert read(encode(session), sessions_pb2.Session()) == session


@given(
    mentions=st.lists(TEXT),
    latitude=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    selectable=INT64,
)
def test_lists_and_doubles_are_read_back(
    mentions: list[str], latitude: float | None, selectable: int
) -> None:
    message = messages_pb2.OutgoingMessage(
        mentions=mentions,
        latitude=latitude,
        selectable_count=selectable,
        type=messages_pb2.MESSAGE_TYPE_TEXT,
    )
    # The printer writes every field; a contact is written as an object only where there is one.
    written = json.loads(encode(message))
    assert written.pop("contact") is None
    assert written.pop("media") is None
    assert read(json.dumps(written)) == message


def test_every_field_is_written_with_the_documented_names_and_types() -> None:
    chat = chats_pb2.Chat(id=2**53 + 1, jid="62811@s.whatsapp.net", type=chats_pb2.CHAT_TYPE_DM)
    assert json.loads(encode(chat)) == {
        "archived": False,
        "id": 2**53 + 1,
        "jid": "62811@s.whatsapp.net",
        "lastMessageAt": None,
        "mutedUntil": None,
        "name": "",
        "pinned": False,
        "sessionId": "",
        "type": "dm",
        "unreadCount": 0,
    }


def test_lists_of_objects_and_a_list_end_are_written() -> None:
    page = chats_pb2.ListChatMessagesResponse(
        data=[
            chats_pb2.Message(type=messages_pb2.MESSAGE_TYPE_TEXT, direction=chats_pb2.MESSAGE_DIRECTION_IN)
        ]
    )
    page.data[0].reactions.add(emoji="❤", sender_jid="a", timestamp=5)
    written = json.loads(encode(page))
    assert written["nextCursor"] is None
    assert written["data"][0]["direction"] == "in"
    assert written["data"][0]["quotedId"] is None
    assert written["data"][0]["mentions"] == []
    assert written["data"][0]["reactions"] == [{"emoji": "❤", "senderJid": "a", "timestamp": 5}]


def test_text_is_written_as_utf_8() -> None:
    assert "שלום 😀".encode() in encode(chats_pb2.Chat(name="שלום 😀", type=chats_pb2.CHAT_TYPE_DM))


@pytest.mark.parametrize("text", ["", "  \n", "{}"])
def test_an_empty_body_is_an_empty_object(text: str) -> None:
    assert read(text) == messages_pb2.OutgoingMessage()


def test_null_means_absent() -> None:
    message = read('{"to": null, "type": null, "mentions": null, "latitude": null, "contact": null}')
    assert message == messages_pb2.OutgoingMessage()


@pytest.mark.parametrize("text", ["null", "[]", '"x"', "3", "true"])
def test_only_an_object_is_a_body(text: str) -> None:
    assert "object" in refused(text).message


@pytest.mark.parametrize(
    "text",
    ["{", '{"to": }', "{'to': 1}", '{"to": "a",}', "{}{}", b'{"to": "\xff"}', '{"to": "a\nb"}', "\ufeff{}"],
)
def test_malformed_json_says_so(text: str | bytes) -> None:
    assert "malformed" in refused(text).message


def test_malformed_json_is_located() -> None:
    assert "line 2, column 8" in refused('{\n "to": }').message


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_words_that_are_no_json_numbers_are_refused(word: str) -> None:
    refused(f'{{"latitude": {word}}}')


def test_nesting_has_an_end() -> None:
    assert "deep" in refused('{"contact": ' + "[" * 200_000 + "]" * 200_000 + "}").message


@pytest.mark.parametrize("depth", [40, 200, 500, 800])
def test_a_value_nested_deeper_than_usable_is_refused(depth: int) -> None:
    error = refused('{"contact": ' + "[" * depth + "]" * depth + "}")
    assert "contact" in error.details or "deep" in error.message


def test_a_field_given_twice_is_refused() -> None:
    assert "twice" in refused('{"to": "a", "to": "a"}').message


def test_unknown_fields_are_named_wherever_they_stand() -> None:
    assert refused('{"too": 1, "replyto": 2}').details == {"too": "unknown field", "replyto": "unknown field"}
    nested = refused('{"message": {"x": 1}, "y": 2}', messages_pb2.SendMessageRequest())
    assert set(nested.details) == {"message.x", "y"}


def test_fields_that_the_path_gives_are_unknown_in_the_body() -> None:
    with pytest.raises(WagateError) as caught:
        decode(b'{"session": "x"}', sessions_pb2.GetSessionRequest(), without=frozenset({"session"}))
    assert caught.value.details == {"session": "unknown field"}


def test_proto_names_are_not_json_names() -> None:
    assert refused('{"reply_to": "x"}').details == {"reply_to": "unknown field"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", 1),
        ("to", True),
        ("to", {}),
        ("to", ["a"]),
        ("type", 1),
        ("type", "Text"),
        ("type", "unspecified"),
        ("type", "telegram"),
        ("mentions", "a"),
        ("mentions", [1]),
        ("mentions", [None]),
        ("mentions", {}),
        ("selectableCount", "1"),
        ("selectableCount", 1.5),
        ("selectableCount", True),
        ("selectableCount", 2**63),
        ("selectableCount", -(2**63) - 1),
        ("selectableCount", 10**400),
        ("latitude", "1"),
        ("latitude", False),
        ("latitude", 10**400),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_named(field: str, value: object) -> None:
    error = refused(json.dumps({field: value}))
    assert set(error.details) == {field}


def test_every_field_that_does_not_fit_is_named_at_once() -> None:
    assert set(refused('{"to": 1, "text": 2, "nope": 3}').details) == {"to", "text", "nope"}


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_numbers_beyond_a_double_are_refused(number: str) -> None:
    assert set(refused(f'{{"latitude": {number}}}').details) == {"latitude"}
    assert set(refused(f'{{"selectableCount": {number}}}').details) == {"selectableCount"}


@pytest.mark.parametrize(
    "value", ["1e400", "1" + "0" * 400, '"\\ud800"', '{"\\ud800": 1}', '[{"a": "\\udfff"}]']
)
def test_values_that_no_json_reader_could_take_are_refused(value: str) -> None:
    assert set(refused(f'{{"contact": {value}}}').details) == {"contact"}


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    refused('{"selectableCount": ' + "1" * 5000 + "}")


@pytest.mark.parametrize(
    ("written", "meant"), [("7", 7), ("7.0", 7), ("1e3", 1000), ("9007199254740993", 2**53 + 1)]
)
def test_whole_numbers_are_read_exactly(written: str, meant: int) -> None:
    assert read(f'{{"selectableCount": {written}}}').selectable_count == meant


def test_32_bit_fields_keep_their_range() -> None:
    assert read('{"limit": 2147483647}', sessions_pb2.ListSessionsRequest()).limit == 2**31 - 1
    assert "limit" in refused('{"limit": 2147483648}', sessions_pb2.ListSessionsRequest()).details


def test_half_a_surrogate_pair_is_refused_as_a_value() -> None:
    assert set(refused('{"text": "\\ud83d"}').details) == {"text"}


def test_half_a_surrogate_pair_is_refused_as_a_name() -> None:
    assert "unknown field" in refused('{"\\ud83d": 1}').message


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert read('{"text": "\\ud83d\\ude00"}').text == "😀"


def test_a_value_field_takes_any_json() -> None:
    message = read('{"contact": {"name": "Ada", "phone": "62811", "tags": [1, null, true]}}')
    assert message.contact.struct_value["name"] == "Ada"
    assert read('{"contact": "BEGIN:VCARD"}').contact == struct_pb2.Value(string_value="BEGIN:VCARD")


def test_a_refusal_stays_small_however_wrong_the_body_is() -> None:
    error = refused(json.dumps({f"x{n}": n for n in range(50_000)}))
    assert len(envelope(error)) < 10_000
    error = refused(json.dumps({"x" * 1_000_000: 1}))
    assert len(envelope(error)) < 10_000


def never_a_defect(body: bytes) -> None:
    """Either the body is taken, or it is refused in words that can be written."""
    outcome: WagateError | None = None
    try:
        read(body)
    except WagateError as error:
        outcome = error
    if outcome is not None:
        assert outcome.code is Code.VALIDATION_ERROR
        assert json.loads(envelope(outcome))


@given(st.binary(max_size=200) | TEXT.map(str.encode))
def test_no_body_is_a_defect(body: bytes) -> None:
    never_a_defect(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
NAMES = st.sampled_from([field.json_name for field in messages_pb2.OutgoingMessage.DESCRIPTOR.fields])


@given(st.dictionaries(NAMES | st.text(max_size=3), JSON, max_size=4))
def test_no_object_is_a_defect(body: dict[str, object]) -> None:
    never_a_defect(json.dumps(body).encode())


def test_enum_words_are_the_documented_ones() -> None:
    assert set(enum_words(sessions_pb2.SessionStatus.DESCRIPTOR)) == {
        "unspecified",
        "stopped",
        "starting",
        "scan_qr_code",
        "working",
        "failed",
        "logged_out",
    }


@given(st.dictionaries(TEXT, TEXT))
def test_a_map_is_written_as_an_object_and_a_struct_is_read_from_one(headers: dict[str, str]) -> None:
    written = json.loads(encode(webhooks_pb2.Webhook(custom_headers=headers)))["customHeaders"]
    assert written == headers
    request = read(json.dumps({"customHeaders": written}), webhooks_pb2.UpdateWebhookRequest())
    assert dict(request.custom_headers) == headers
    assert request.HasField("custom_headers")


@pytest.mark.parametrize("value", ["[]", "5", '"x"', "true", '{"x":1e999}'])
def test_a_struct_is_nothing_but_an_object(value: str) -> None:
    error = refused(f'{{"customHeaders":{value}}}', webhooks_pb2.UpdateWebhookRequest())
    assert set(error.details) == {"customHeaders"}


def test_null_means_the_empty_text_where_the_contract_says_so() -> None:
    request = read('{"secret":null,"sessionId":null,"url":null}', webhooks_pb2.UpdateWebhookRequest())
    assert (request.HasField("secret"), request.HasField("session_id")) == (True, True)
    assert (request.secret, request.session_id) == ("", "")
    assert not request.HasField("url")


def test_a_list_that_must_not_be_empty_may_be_absent() -> None:
    assert read('{"events":null}', webhooks_pb2.UpdateWebhookRequest()) == webhooks_pb2.UpdateWebhookRequest()
    error = refused('{"events":[]}', webhooks_pb2.UpdateWebhookRequest())
    assert set(error.details) == {"events"}
    # what another type of message needs is ignored, whatever it says
    assert read('{"type":"text","options":[]}').type == messages_pb2.MESSAGE_TYPE_TEXT
