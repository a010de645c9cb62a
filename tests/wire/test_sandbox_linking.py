"""Linking the real client: by a code that is typed on the phone, and what can come in between."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.jid import JID
from sandbox.stanza import Node
from tests.wire.real_client import RealClient, real_client
from tests.wire.sandbox_process import SandboxProcess
from tests.wire.wire_client import Identity, WireClient


async def shown(client: RealClient, phone: str) -> str:
    """The code that a client shows for a phone, once it is connected."""
    await client.ask("connect")
    await client.expect("qr")
    code: str = await client.ask("pairing_code", phone=phone)
    return code


async def typed(sandbox: SandboxProcess, number: str, code: str) -> tuple[int, dict[str, Any]]:
    response = await sandbox.request("POST", f"/phones/{number}/code", {"code": code})
    return response.status_code, response.json()


async def test_a_code_that_is_typed_links_the_client(sandbox: SandboxProcess, tmp_path: Path) -> None:
    number = "491770001"
    async with real_client(sandbox, tmp_path / "device.db") as client:
        code = await shown(client, number)
        assert await typed(sandbox, number, code.replace("-", " -").lower().replace(" ", "")) == (
            200,
            {
                "jid": f"{number}:1@s.whatsapp.net",
                "lid": (await sandbox.ok("GET", f"/phones/{number}"))["devices"][0]["lid"],
                "device": 1,
            },
        )
        await client.expect("connected")
    # And the device is one like any other
    async with real_client(sandbox, tmp_path / "device.db") as again:
        await again.ask("connect")
        await again.expect("connected")


async def test_a_wrong_code_is_refused_and_the_right_one_taken_after_it(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    number = "491770002"
    async with real_client(sandbox, tmp_path / "device.db") as client:
        code = await shown(client, number)
        status, answer = await typed(sandbox, number, code[:-1] + ("A" if code[-1] != "A" else "B"))
        assert status == 400
        assert "the code is wrong" in answer["error"]["message"]
        assert (await sandbox.ok("GET", f"/phones/{number}"))["devices"] == []
        # Another phone has no part in it
        assert (await typed(sandbox, "491770003", code))[0] == 400
        assert (await typed(sandbox, number, code))[0] == 200
        await client.expect("connected")


async def test_a_code_that_has_expired_is_refused(sandbox: SandboxProcess, tmp_path: Path) -> None:
    number = "491770004"
    async with real_client(sandbox, tmp_path / "device.db") as client:
        code = await shown(client, number)
        await sandbox.fault(kind="codes_expired", number=number, count=1)
        status, answer = await typed(sandbox, number, code)
        assert status == 400
        assert "expired" in answer["error"]["message"]


@pytest.mark.parametrize("code", ["", "ABCD-123", "ABCD-123O", "ABCD-1230", "ABCDE-1234"])
async def test_what_is_no_code_is_refused(sandbox: SandboxProcess, code: str) -> None:
    assert (await typed(sandbox, "491770005", code))[0] == 400


async def test_a_newer_client_is_the_one_that_is_linked(sandbox: SandboxProcess, tmp_path: Path) -> None:
    number = "491770006"
    async with (
        real_client(sandbox, tmp_path / "older.db") as older,
        real_client(sandbox, tmp_path / "newer.db") as newer,
    ):
        old = await shown(older, number)
        new = await shown(newer, number)
        assert (await typed(sandbox, number, old))[0] == 400
        assert (await typed(sandbox, number, new))[0] == 200
        await newer.expect("connected")


async def test_an_account_may_demand_a_passkey(sandbox: SandboxProcess, tmp_path: Path) -> None:
    number = "491770007"
    await sandbox.fault(kind="passkey", number=number, count=2)
    # Whether a code is scanned
    async with real_client(sandbox, tmp_path / "scanned.db") as client:
        await client.ask("connect")
        code = (await client.expect("qr"))["code"]
        response = await sandbox.request("POST", f"/phones/{number}/scan", {"qr": code})
        assert response.status_code == 409
        assert "passkey" in response.json()["error"]["message"]
        assert (await client.expect("login"))["word"] == "passkey-request"
    # Or typed
    async with real_client(sandbox, tmp_path / "typed.db") as client:
        assert (await typed(sandbox, number, await shown(client, number)))[0] == 409
        assert (await client.expect("login"))["word"] == "passkey-request"
    assert (await sandbox.request("GET", f"/phones/{number}")).status_code == 404


@pytest.mark.parametrize(("code", "word"), [(405, "err-client-outdated"), (403, "err-unexpected-state")])
async def test_a_client_that_is_not_welcome_is_told_before_it_shows_a_code(
    sandbox: SandboxProcess, tmp_path: Path, code: int, word: str
) -> None:
    await sandbox.fault(kind="connect_failure", code=code, count=1)
    async with real_client(sandbox, tmp_path / "device.db") as client:
        await client.ask("connect")
        assert (await client.expect("login"))["word"] == word


@pytest.mark.parametrize(
    ("wrong", "content"),
    [
        ("link_code_pairing_wrapped_companion_ephemeral_pub", bytes(79)),
        ("companion_server_auth_key_pub", bytes(32)),
        ("companion_platform_display", b"a browser"),
    ],
)
async def test_a_malformed_offer_is_refused(sandbox: SandboxProcess, wrong: str, content: bytes) -> None:
    identity = Identity()
    async with WireClient(sandbox, identity) as client:
        await client.show_code()
        offer = hello(identity, "491770008")
        for child in offer.children:
            if child.tag == wrong:
                child.content = content
        answer = await client.query("md", "set", [offer])
        assert (answer.text("type"), answer.children[0].text("code")) == ("error", "400")
        # And so is a last word to what was never begun
        finish = Node("link_code_companion_reg", {"stage": "companion_finish"})
        assert (await client.query("md", "set", [finish])).text("type") == "error"
        # While the client can still begin anew
        answer = await client.query("md", "set", [hello(identity, "491770008")])
        assert answer.children[0].child("link_code_pairing_ref") is not None


def hello(identity: Identity, number: str) -> Node:
    """The offer of a client to be linked by a code."""
    return Node(
        "link_code_companion_reg",
        {"stage": "companion_hello", "jid": JID(number, "s.whatsapp.net")},
        [
            Node("link_code_pairing_wrapped_companion_ephemeral_pub", {}, bytes(80)),
            Node("companion_server_auth_key_pub", {}, identity.noise.public_key().public_bytes_raw()),
            Node("companion_platform_id", {}, b"1"),
            Node("companion_platform_display", {}, b"Chrome (Linux)"),
            Node("link_code_pairing_nonce", {}, b"\0"),
        ],
    )
