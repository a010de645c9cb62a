"""What the audit keeps of calls: every change, every refused attempt, and no content."""

import asyncio
import re
from typing import Any

import pytest
from google.api import annotations_pb2
from wagate.v1 import operation_pb2

from server.auth.principal import Capability, Principal
from server.auth.user_tokens import WutsPrincipal
from server.errors import Code, WagateError
from server.rpc.auditing import TARGET_LENGTH, kept
from server.rpc.endpoint import endpoint
from server.store.audit import AuditRepository
from server.store.records import AuditLine
from tests.support.caller import METHODS
from tests.support.waiting import until, until_async
from tests.unit.server.office import ADA, ADA_JID, NOBODY, NUMBER, Office, refused, text_to

SECRET_TEXT = "nobody else may read this"


async def lines_of(office: Office) -> list[AuditLine]:
    """What the API's callers did, without what made them callers."""
    page = await AuditRepository(office.node.database).page(
        after=0, since=0, organization_id=None, limit=1000
    )
    return [line for line in page if line.actor_kind != "cli"]


async def audited(office: Office, count: int) -> list[AuditLine]:
    """Waits until so many lines are durable."""

    async def all_there() -> bool:
        return len(await lines_of(office)) >= count

    await until_async(all_there, f"{count} lines are durable")
    found = await lines_of(office)
    assert len(found) == count
    return found


def told(line: AuditLine) -> tuple[str, str, str]:
    return line.operation, line.target, line.outcome


async def test_a_change_is_durable_before_its_answer(office: Office) -> None:
    made = await office.owner.rest("CreateSession", {"label": "x"})
    (line,) = await lines_of(office)
    assert told(line) == ("createSession", made.json["id"], "ok")
    assert line.organization_id == made.json["organizationId"]
    assert (line.actor, line.actor_kind) == (made.json["createdByUserId"], "key")
    assert re.fullmatch("[0-9A-Z]{26}", line.request_id)


async def test_a_send_is_audited_without_what_it_says(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "server")
    session = await office.node.working(NUMBER)
    sent = await office.owner.rest("SendMessage", text_to(ADA_JID, SECRET_TEXT), session=session.id)
    assert sent.status == 200
    (line,) = await audited(office, 1)
    assert told(line) == ("sendMessage", session.id, "ok")
    for trace in (repr(line), caplog.text):
        assert SECRET_TEXT not in trace
        assert office.owner.token not in trace
        assert ADA not in trace
    # Kept, and so not said: a log line for every send would cost more than it tells.
    assert "sendMessage" not in caplog.text


async def test_a_send_that_cannot_be_audited_is_in_the_log_at_least(
    office: Office, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_full(*_: object) -> None:
        raise OSError("the disk is full")

    session = await office.node.working(NUMBER)
    monkeypatch.setattr(AuditRepository, "append", is_full)
    assert (await office.owner.rest("SendMessage", text_to(ADA_JID), session=session.id)).status == 200
    await until(lambda: "the log has them" in caplog.text, "the failure is told")
    assert '"operation": "sendMessage"' in caplog.text
    assert session.id in caplog.text


async def test_reads_are_not_audited(office: Office) -> None:
    session = await office.node.working(NUMBER)
    await office.owner.rest("ListSessions")
    for method in ("GetSession", "SessionQR", "ListChats"):
        await office.owner.rest(method, session=session.id)
    await office.stranger.rest("GetSession", session=session.id)
    await office.owner.rest("StopSession", session=session.id)
    assert [told(line) for line in await audited(office, 1)] == [("stopSession", session.id, "ok")]


async def test_refused_attempts_are_audited_with_the_reason(office: Office) -> None:
    session = await office.node.create()
    reader = await office.with_only(Capability.READ)
    image = {"to": ADA_JID, "type": "image"}
    attempts: list[tuple[Any, str]] = [
        (reader.rest("DeleteSession", session=session.id), "forbidden"),
        (office.stranger.rest("DeleteSession", session=session.id), "not_found"),
        (office.owner.rest("SendMessage", {"to": SECRET_TEXT}, session=session.id), "validation_error"),
        (office.owner.rest("SendMessage", b"{", session=session.id), "validation_error"),
        (office.owner.rest("SendMessage", text_to(ADA_JID), session=session.id), "conflict"),
        (office.owner.rest("SendMessage", image, session=session.id), "not_implemented"),
    ]
    for attempt, _ in attempts:
        assert (await attempt).status >= 400
    found = await audited(office, len(attempts))
    assert [line.outcome for line in found] == [outcome for _, outcome in attempts]
    assert {line.target for line in found} == {session.id}
    # each in the organization of who tried, so that nobody learns of another's
    assert found[0].organization_id == office.node.principal.organization_id
    assert found[1].organization_id != office.node.principal.organization_id
    assert SECRET_TEXT not in repr(found)


async def test_who_has_no_token_leaves_no_line(office: Office) -> None:
    await office.with_token("").rest("CreateSession", {})
    await office.with_token("wa_wrong").rest("CreateSession", {})
    await office.owner.rest("CreateSession", {})
    assert [line.outcome for line in await audited(office, 1)] == ["ok"]


async def test_native_calls_are_audited_too(office: Office) -> None:
    await refused(office.owner.native("StopSession", session=NOBODY))
    assert [told(line) for line in await audited(office, 1)] == [("stopSession", NOBODY, "not_found")]


async def test_a_defect_is_audited(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(*_: object) -> None:
        raise RuntimeError("secret thing")

    monkeypatch.setattr(office.node.repository, "find", break_down)
    assert (await office.owner.rest("StopSession", session=NOBODY)).status == 500
    assert [told(line) for line in await audited(office, 1)] == [("stopSession", NOBODY, "internal")]


async def test_a_caller_who_goes_away_is_audited(office: Office) -> None:
    session = await office.node.working(NUMBER)
    held = office.network.hold_next(NUMBER)
    call = asyncio.create_task(office.owner.rest("SendMessage", text_to(ADA_JID), session=session.id))
    await held.reached.wait()
    call.cancel()
    await asyncio.wait({call})
    assert [told(line) for line in await audited(office, 1)] == [("sendMessage", session.id, "cancelled")]
    held.accept()


@pytest.mark.parametrize(
    ("session", "target"),
    [
        ("x" * 5000, "x" * TARGET_LENGTH),
        ("a\nERROR forged", "a\\nERROR forged"),
        ("a\0b", "a\\x00b"),
        ("\u202e", "\\u202e"),
        ("\U0001f600" * 400, "\U0001f600" * TARGET_LENGTH),
    ],
)
async def test_ids_that_callers_make_up_do_no_harm(office: Office, session: str, target: str) -> None:
    assert (await office.owner.rest("StopSession", session=session)).status == 404
    assert [line.target for line in await audited(office, 1)] == [target]


async def test_a_path_that_is_no_text_is_audited_without_a_target(office: Office) -> None:
    assert (await office.owner.rest_bytes("StopSession", b"\x0a\x02\xff\xfe")).status == 400
    reader = await office.with_only(Capability.READ)
    assert (await reader.rest_bytes("StopSession", b"\x0a\x02\xff\xfe")).status == 403
    assert [told(line) for line in await audited(office, 2)] == [
        ("stopSession", "", "validation_error"),
        ("stopSession", "", "forbidden"),
    ]


async def test_a_user_of_another_api_is_audited_the_same_way(office: Office) -> None:
    ada = WutsPrincipal("acme", "ada", "s1").as_principal()

    async def deleted() -> str:
        return "done"

    async def too_late() -> str:
        raise WagateError(Code.VALIDATION_ERROR, SECRET_TEXT)

    metadata = {"x-request-id": "r-1"}
    audit = office.node.audit
    answer = await kept(audit, ada, "deleteMessage", metadata, target=lambda _: "s1/M1", serve=deleted)
    assert answer == "done"
    with pytest.raises(WagateError):
        await kept(audit, ada, "deleteMessage", metadata, target=lambda _: "s1/M2", serve=too_late)
    found = await audited(office, 2)
    assert [told(line) for line in found] == [
        ("deleteMessage", "s1/M1", "ok"),
        ("deleteMessage", "s1/M2", "validation_error"),
    ]
    assert {(line.actor, line.actor_kind, line.request_id) for line in found} == {("ada", "token", "r-1")}
    assert SECRET_TEXT not in repr(found)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "é", '"}'])
async def test_a_request_id_that_is_none_is_replaced(office: Office, given: str) -> None:
    async def done() -> None:
        return None

    boss = Principal("acme", "boss", frozenset())
    await kept(
        office.node.audit, boss, "x", {"x-request-id": given}, target=lambda _: "", serve=done, durable=True
    )
    (line,) = await lines_of(office)
    assert re.fullmatch("[0-9A-Z]{26}", line.request_id)


async def nothing(*_: object) -> Any:
    raise AssertionError


@pytest.mark.parametrize("method", sorted(METHODS))
def test_what_is_audited_follows_from_the_contract(method: str) -> None:
    target = endpoint(METHODS[method], nothing)
    options = METHODS[method].GetOptions()
    reads = options.Extensions[operation_pb2.operation].capability == operation_pb2.CAPABILITY_READ
    gets = options.Extensions[annotations_pb2.http].HasField("get")
    assert target.is_change == (not reads and not gets)
    assert target.operation[0].islower()
    assert target.operation[1:] == method[1:]
    assert set(target.path_order) == target.path_fields
