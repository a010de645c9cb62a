import asyncio

import pytest

from tests.wire.sandbox_process import SandboxProcess, eventually
from tests.wire.wire_client import Identity, Online, WireClient, linked


async def test_a_phone_links_a_client(sandbox: SandboxProcess) -> None:
    # When the phone of a number that nobody used yet scans a client's code
    identity = await linked(sandbox, "491700001")
    # Then the account exists, and the client logs in under its new address
    phone = await sandbox.ok("GET", "/phones/491700001")
    assert phone["jid"] == "491700001@s.whatsapp.net"
    assert [device["device"] for device in phone["devices"]] == [1]
    async with Online(sandbox, identity):
        phone = await sandbox.ok("GET", "/phones/491700001")
        assert phone["devices"][0]["online"] is True

    async def offline() -> bool:
        return not (await sandbox.ok("GET", "/phones/491700001"))["devices"][0]["online"]

    await eventually(offline, "the device is offline")


async def test_an_account_has_many_devices_and_no_number_twice(sandbox: SandboxProcess) -> None:
    first, second = await linked(sandbox, "491700002"), await linked(sandbox, "491700002")
    assert (first.pn.device, second.pn.device) == (1, 2)
    assert (await sandbox.request("DELETE", "/phones/491700002/devices/2")).status_code == 204
    assert (await linked(sandbox, "491700002")).pn.device == 3


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("nonsense", "4 or 5 parts"),
        ("ref,???,AAAA,AAAA", "no base64"),
        ("ref,AAAA,AAAA,AAAA", "3 bytes instead of 32"),
    ],
)
async def test_a_malformed_code_is_refused(sandbox: SandboxProcess, code: str, told: str) -> None:
    response = await sandbox.request("POST", "/phones/491700003/scan", {"qr": code})
    assert response.status_code == 400
    assert told in response.json()["error"]["message"]
    # A phone that has linked nothing yet is not on the network
    assert (await sandbox.request("GET", "/phones/491700003")).status_code == 404


async def test_a_code_of_a_client_that_left_is_refused(sandbox: SandboxProcess) -> None:
    identity = Identity()
    async with WireClient(sandbox, identity) as client:
        ref = await client.show_code()

    async def refused() -> bool:
        response = await sandbox.request("POST", "/phones/491700004/scan", {"qr": identity.code(ref)})
        return response.status_code == 400 and "expired" in response.json()["error"]["message"]

    await eventually(refused, "the code is refused")


async def test_a_code_is_good_once(sandbox: SandboxProcess) -> None:
    identity = Identity()
    async with WireClient(sandbox, identity) as client:
        ref = await client.show_code()
        path, body = "/phones/491700005/scan", {"qr": identity.code(ref)}
        first = asyncio.create_task(sandbox.request("POST", path, body))
        await client.confirm()
        assert (await first).status_code == 200
        assert (await sandbox.request("POST", path, body)).status_code == 400


async def test_a_code_with_anothers_keys_is_refused(sandbox: SandboxProcess) -> None:
    async with WireClient(sandbox, Identity()) as client:
        ref = await client.show_code()
        response = await sandbox.request("POST", "/phones/491700006/scan", {"qr": Identity().code(ref)})
        assert response.status_code == 400
        assert "keys in the code" in response.json()["error"]["message"]


async def test_a_device_with_another_key_does_not_get_in(sandbox: SandboxProcess) -> None:
    # Given a linked device, and somebody who knows its address but not its key
    identity = await linked(sandbox, "491700007")
    async with WireClient(sandbox, Identity(pn=identity.pn, lid=identity.lid)) as intruder:
        refusal = await intruder.log_in()
    assert (refusal.tag, refusal.text("reason")) == ("failure", "401")


async def test_an_unlinked_device_is_thrown_out_and_stays_out(sandbox: SandboxProcess) -> None:
    identity = await linked(sandbox, "491700008")
    async with Online(sandbox, identity) as client:
        assert (await sandbox.request("DELETE", "/phones/491700008/devices/1")).status_code == 204
        error = await client.expect(lambda node: node.tag == "stream:error")
        assert error.text("code") == "401"
        assert error.children[0].attrs == {"type": "device_removed"}
        await client.closed()
    async with WireClient(sandbox, identity) as client:
        refusal = await client.log_in()
        assert (refusal.tag, refusal.text("reason")) == ("failure", "401")
        await client.closed()


async def test_unlinking_what_is_not_linked_is_told(sandbox: SandboxProcess) -> None:
    await linked(sandbox, "491700009")
    for path in ("/phones/491700009/devices/9", "/phones/491700009/devices/x", "/phones/49170/devices/1"):
        assert (await sandbox.request("DELETE", path)).status_code == 404
