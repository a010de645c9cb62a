"""The OpenAPI document: that of this API, and what the generator makes of a contract made for it."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from openapi_spec_validator import validate
from wagate.v1 import operation_pb2

from server.errors import Code
from server.rpc.json_codec import enum_words
from server.rpc.serving import SERVICES
from server.whatsapp.jid import parse_jid
from tools import gateway, openapi
from tools.rest_descriptor import ContractError

Document = dict[str, Any]

CONTRACT = """
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/protobuf/struct.proto";
import "wagate/v1/operation.proto";
import "wagate/v1/rules.proto";

// Shop sells.
service Shop {
  // Orders a thing. FAILED_PRECONDITION (REST: 409) where there
  // is none.
  //
  // More words.
  rpc OrderThing(OrderThingRequest) returns (Order) {
    option (google.api.http) = {patch: "/v1/{session}/things/{thing_id}" body: "*"};
    option (wagate.v1.operation) = {
      capability: CAPABILITY_SEND success_status: 201 invalid_status: 422 async_status: 202
      errors: [CODE_CONFLICT] headers: [HEADER_IDEMPOTENCY_KEY]};
  }
  rpc FindThings(FindThingsRequest) returns (Nothing) {
    option (google.api.http) = {get: "/v1/things"};
    option (wagate.v1.operation) = {capability: CAPABILITY_READ success_status: 204};
  }
}
// Kind is a sort.
enum Kind {
  // None.
  KIND_UNSPECIFIED = 0;
  // Big.
  KIND_BIG = 1;
  // Small.
  KIND_VERY_SMALL = 2;
  // Not made any more.
  KIND_OLD = 3;
}
message Nothing {}
message Person { string name = 1 [(google.api.field_behavior) = REQUIRED]; }
message OrderThingRequest {
  string session = 1;
  string thing_id = 2;
  // What sort.
  Kind type = 3 [(google.api.field_behavior) = REQUIRED, (wagate.v1.rules) = {answers_only: ["old"]}];
  string colour = 4 [(wagate.v1.rules) = {max_length: 3, required_for: ["very_small"]}];
  optional int64 how_many = 5 [(wagate.v1.rules) = {minimum: 1}];
  repeated string labels = 6;
  repeated string marks = 8 [(wagate.v1.rules) = {
    min_items: 2, max_items: 3, unique: true, pattern: "\\\\S", used_for: ["very_small"]}];
  string to = 9 [(wagate.v1.rules) = {format: FORMAT_JID, may_be_empty: true}];
  google.protobuf.Value for_whom = 7 [(wagate.v1.rules) = {json_types: ["string", "Person"]}];
}
message FindThingsRequest { int32 limit = 1; bool run_async = 2 [json_name = "async"]; }
message Order { Kind kind = 1; optional int64 paid_at = 2; repeated Order parts = 3; }
"""


def generated(folder: Path, source: str = CONTRACT) -> Document:
    for name in ("operation", "rules"):
        target = folder / "wagate" / "v1" / f"{name}.proto"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((gateway.ROOT / "protos" / "wagate" / "v1" / target.name).read_bytes())
    (folder / "shop.proto").write_text(source)
    compiled = gateway.compile_contract(folder, comments=True)
    document: Document = json.loads(openapi.text(compiled, "shop.v1"))
    return document


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return generated(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def api() -> Document:
    document: Document = json.loads((gateway.ROOT / gateway.OPENAPI).read_text())
    return document


def fits(document: Document, name: str, value: object) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    try:
        Draft202012Validator(schema).validate(value)
    except ValidationError:
        return False
    return True


def test_the_documents_are_valid(api: Document, shop: Document) -> None:
    validate(api)
    validate(shop)


def test_every_method_of_the_contract_is_an_operation(api: Document) -> None:
    names = [o["operationId"] for methods in api["paths"].values() for o in methods.values()]
    methods = [m.name for service in SERVICES for m in service.methods]
    assert sorted(names) == sorted(name[0].lower() + name[1:] for name in methods)


def test_the_codes_of_the_contract_are_those_of_the_node() -> None:
    words = {word for word, number in enum_words(operation_pb2.Code.DESCRIPTOR).items() if number}
    assert words == set(Code)


def test_an_operation_names_path_body_statuses_and_capability(shop: Document) -> None:
    operation = shop["paths"]["/v1/{session}/things/{thingId}"]["patch"]

    assert (operation["operationId"], operation["tags"]) == ("orderThing", ["Shop"])
    assert operation["summary"] == "Orders a thing"
    assert (
        operation["description"] == "409 where there is none.\n\nMore words.\n\nNeeds the capability `send`."
    )
    assert [(p["name"], p["in"], p.get("required", False)) for p in operation["parameters"]] == [
        ("session", "path", True),
        ("thingId", "path", True),
        ("Idempotency-Key", "header", False),
    ]
    assert operation["requestBody"]["required"]
    assert set(operation["responses"]) == {
        "201", "202", "400", "401", "403", "404", "409", "413", "422", "503", "504"
    }  # fmt: skip
    name = operation["responses"]["409"]["$ref"].rpartition("/")[2]
    assert shop["components"]["responses"][name]["content"]["application/json"]["schema"] == {
        "allOf": [
            {"$ref": "#/components/schemas/Error"},
            {"properties": {"error": {"properties": {"code": {"const": "conflict"}}}}},
        ]
    }


def test_an_operation_without_body_has_the_rest_as_query(shop: Document) -> None:
    operation = shop["paths"]["/v1/things"]["get"]

    assert [(p["name"], p["in"]) for p in operation["parameters"]] == [("limit", "query"), ("async", "query")]
    assert "requestBody" not in operation
    assert set(operation["responses"]) == {"204", "400", "401", "403", "503", "504"}
    assert "content" not in operation["responses"]["204"]


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ({"type": "big"}, True),
        ({"type": "big", "colour": None, "howMany": None, "labels": None, "forWhom": None}, True),
        ({"type": "big", "colour": "red", "howMany": 2, "labels": ["a"], "forWhom": "Ada"}, True),
        ({"type": "very_small", "colour": "red"}, True),
        ({"type": "big", "forWhom": {"name": "Ada"}}, True),
        ({}, False),
        ({"type": None}, False),
        ({"type": "unspecified"}, False),
        ({"type": "very_small"}, False),
        ({"type": "very_small", "colour": None}, False),
        ({"type": "big", "colour": "blue"}, True),  # ignored, whatever it says
        ({"type": "very_small", "colour": "blue"}, False),
        ({"type": "very_small", "colour": "red", "marks": ["a", "b"]}, True),
        ({"type": "very_small", "colour": "red", "marks": None}, True),
        ({"type": "big", "marks": ["a", "a", " "]}, True),
        ({"type": "very_small", "colour": "red", "marks": ["a"]}, False),
        ({"type": "very_small", "colour": "red", "marks": ["a", "b", "c", "d"]}, False),
        ({"type": "very_small", "colour": "red", "marks": ["a", "a"]}, False),
        ({"type": "very_small", "colour": "red", "marks": ["a", " "]}, False),
        ({"type": "old"}, False),
        ({"type": "big", "to": ""}, True),
        ({"type": "big", "to": "628120000001@s.whatsapp.net"}, True),
        ({"type": "big", "to": "Ada"}, False),
        ({"type": "big", "howMany": 0}, False),
        ({"type": "big", "howMany": "2"}, False),
        ({"type": "big", "labels": [None]}, False),
        ({"type": "big", "forWhom": {"nome": "Ada"}}, False),
        ({"type": "big", "forWhom": 5}, False),
        ({"type": "big", "session": "x"}, False),
        ({"type": "big", "size": 3}, False),
    ],
)
def test_a_request_has_what_it_needs_and_nothing_unknown(shop: Document, body: object, good: bool) -> None:
    assert fits(shop, "OrderThingRequest", body) is good


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ({"kind": "big", "paidAt": None, "parts": []}, True),
        ({"kind": "big", "paidAt": 5, "parts": [{"kind": "big", "paidAt": None, "parts": []}]}, True),
        ({"kind": "big", "parts": []}, False),
        ({"kind": None, "paidAt": None, "parts": []}, False),
        ({"kind": "big", "paidAt": None, "parts": [{}]}, False),
    ],
)
def test_an_answer_has_every_field(shop: Document, body: object, good: bool) -> None:
    assert fits(shop, "Order", body) is good


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("returns (Order)", "returns (OrderThingRequest)", "stands for two different things"),
        ('["very_small"]', '["tiny"]', "has no word tiny"),
        ("int64 paid_at", "fixed32 paid_at", "has a type that the JSON"),
        ('get: "/v1/things"', 'custom: {kind: "HEAD" path: "/v1/things"}', "no path of its own"),
    ],
)
def test_what_cannot_be_told_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    with pytest.raises(ContractError, match=why):
        generated(tmp_path, CONTRACT.replace(old, new))


@pytest.mark.parametrize(
    "text",
    [
        "628123456789@s.whatsapp.net", "628123456789:12@s.whatsapp.net", "1234567890123@lid", "12036@g.us",
        "491701-1600000000@g.us", "0628@s.whatsapp.net", "+62812345@s.whatsapp.net", "a@s.whatsapp.net",
        "628123456789", "628123456789@c.us", "628123456789:x@s.whatsapp.net", "12@lid", "1203634:1@g.us", "",
    ],
)  # fmt: skip
def test_the_form_of_a_jid_is_the_one_that_the_node_reads(api: Document, text: str) -> None:
    to = {**api["components"]["schemas"]["OutgoingMessage"]["properties"]["to"]}
    try:
        parse_jid(text)
        good = True
    except ValueError:
        good = False
    assert Draft202012Validator(to).is_valid(text) is good
