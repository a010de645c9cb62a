"""`wagate doctor` finds and names each planted fault, and names none where there is none."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import planting
from tests.cli.planting import Garden, Plant
from tests.cli.shell import Done
from tests.support.stack import Stack, running

FAULTS: dict[str, tuple[Plant, str, str]] = {
    # what is planted: by what, the check that finds it, words of the finding
    "a stranger on a port": (planting.port_taken_by_a_stranger, "ports", f"process {os.getpid()}"),
    "another wagate on a port": (planting.port_taken_by_another_wagate, "ports", "another wagate"),
    "one port for two": (planting.one_port_twice, "ports", "WAGATE_HTTP_PORT"),
    "a database that is away": (planting.database_unreachable, "database", "cannot be used"),
    "a database of a later release": (planting.database_of_a_later_release, "database", "9999"),
    "a damaged database": (planting.database_damaged, "database", "not a database"),
    "a data folder that is read-only": (planting.data_folder_unwritable, "storage", "cannot be written"),
    "a data folder that is a file": (planting.data_folder_is_a_file, "storage", "is no folder"),
    "no Envoy": (planting.envoy_missing, "envoy", "is not there"),
    "a damaged configuration of Envoy": (planting.envoy_configuration_damaged, "envoy", "route_confusion"),
    "no libmagic": (planting.libmagic_missing, "client library", "libmagic"),
    "another client library": (planting.client_library_of_another_version, "python", "9.9.9"),
    "a clock that is an hour ahead": (planting.clock_skewed, "whatsapp", "s ahead"),
    "no way to WhatsApp": (planting.whatsapp_unreachable, "whatsapp", "cannot be reached"),
    "a WhatsApp that does not answer": (planting.whatsapp_silent, "whatsapp", "within 5 s"),
    "half of a stand-in's settings": (planting.stand_in_half_set, "settings", "must be set together"),
    "a misspelt setting": (planting.setting_misspelt, "settings", "WAGATE_HTTP_PORT"),
    "an impossible setting": (planting.setting_impossible, "settings", "WAGATE_HTTP_PORT"),
    "private webhooks for everybody": (
        planting.private_webhooks_for_everybody,
        "settings",
        "WAGATE_WEBHOOK_ALLOW_PRIVATE",
    ),
    "a key that others can read": (planting.key_readable_by_others, "storage", "up.key"),
    "a wrong key": (planting.key_wrong, "sessions", "api-key"),
    "a session that was logged out": (planting.session_logged_out, "sessions", "628310000077"),
    "a node that hangs": (planting.node_frozen, "node", "does not answer"),
}
ONLY_UNSAFE = {"a misspelt setting", "private webhooks for everybody", "a key that others can read"}
"""They do not break anything: exit code 0."""
FOLLOWS = {"a node that hangs": {"edge"}}
"""Checks that find the same fault from their side."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product of this file's own: its node is frozen."""
    with running(tmp_path_factory.mktemp("doctor") / "data") as product:
        product.paired("628310000001")
        yield product


@pytest.fixture
def garden(own: Stack, tmp_path: Path) -> Garden:
    return Garden(own, tmp_path)


def wrong(done: Done) -> list[dict[str, Any]]:
    return [f for f in done.json["findings"] if f["level"] in {"warning", "broken"}]


def test_where_all_is_well_nothing_is_named(garden: Garden) -> None:
    for shell in (garden.beside, garden.at_rest):
        done = shell.well("doctor", "--json")
        assert wrong(done) == []
        assert done.json["ok"] is True
        assert {f["check"] for f in done.json["findings"]} >= {
            "settings", "python", "client library", "envoy", "storage", "database", "ports", "node", "edge",
            "whatsapp", "sessions",
        }  # fmt: skip
    shown = garden.beside.well("doctor").out
    assert "Nothing is broken." in shown
    assert "1 of 1 work" in shown
    assert "the sandbox, in WhatsApp's place" in shown


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(garden: Garden, fault: str) -> None:
    plant, check, words = FAULTS[fault]
    with plant(garden) as shell:
        begun = time.monotonic()
        done = shell.run("doctor", "--json")
        took = time.monotonic() - begun
    found = wrong(done)
    assert any(
        f["check"] == check and words in f"{f['where']}: {f['message']} {f['advice']}" and f["advice"]
        for f in found
    ), found
    # It says nothing else is wrong, and tells no secret.
    assert {f["check"] for f in found} <= {check} | FOLLOWS.get(fault, set())
    assert "s3cret" not in done.out + done.err
    assert done.code == (0 if fault in ONLY_UNSAFE else 1)
    assert took < 60


def test_one_fault_hides_no_other(garden: Garden) -> None:
    """Three at once: all are named, each with what to do, as people read it."""
    with planting.database_unreachable(garden) as first, planting.whatsapp_unreachable(garden) as second:
        both = first.but(
            WAGATE_WIRE_PROXY=second.environment["WAGATE_WIRE_PROXY"],
            WAGATE_GRPC_PORT=garden.stack.environment["WAGATE_GRPC_PORT"],
        )
        shown = both.run("doctor")
    assert shown.code == 1
    for words in ("the database cannot be used", "cannot be reached", "another wagate holds it"):
        assert words in shown.out
    assert shown.out.count("->") >= 3
    assert "s3cret" not in shown.out
