"""Whatever a client sends, only its own connection suffers, and the log says why."""

import asyncio
import ssl

import pytest

from sandbox.stanza import Node
from sandbox.wire_protos import ClientPayload
from tests.wire.sandbox_process import SandboxProcess
from tests.wire.wire_client import Identity, Online, WireClient, codec, linked


async def raw(sandbox: SandboxProcess, data: bytes) -> bytes:
    """Sends bytes to the port; returns all that comes back until it is closed."""
    port = int(sandbox.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    async with asyncio.timeout(15):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0", id="no stanza"),
        pytest.param(b"\0" + bytes(range(256)), id="bytes"),
        pytest.param(b"\2not zlib", id="not compressed"),
        pytest.param(b"\0\xf8\x05\x19", id="cut"),
        pytest.param(codec.encode(Node("iq", {"id": "1"})) + b"!", id="too long"),
        pytest.param(
            codec.encode(Node("iq", {"xmlns": "encrypt", "type": "set", "id": "1"}, [Node("list")])),
            id="keys without keys",
        ),
        # <iq to=12345:263@s.whatsapp.net id=12 type=get/>: its answer has no address, a device is a byte.
        pytest.param(
            bytes.fromhex("00f8071911f5ff8312345f0107000003" + "08ff0112" + "0429"),
            id="no form for the answer",
        ),
    ],
)
async def test_a_malformed_stanza_closes_its_connection_only(
    sandbox: SandboxProcess, plaintext: bytes
) -> None:
    ann, bob = await linked(sandbox, "491730001"), await linked(sandbox, "491730002")
    async with Online(sandbox, bob) as other:
        async with Online(sandbox, ann) as client:
            await client.send_raw(plaintext)
            await client.closed()
        assert (await other.query("w:p", "get")).text("type") == "result"
    assert "a client's connection was closed" in sandbox.log


async def test_a_frame_that_does_not_decrypt_closes_the_connection(sandbox: SandboxProcess) -> None:
    ann = await linked(sandbox, "491730003")
    async with Online(sandbox, ann) as client:
        await client.send_frame(bytes(100))
        await client.closed()
    assert "a frame does not decrypt" in sandbox.log


async def test_a_client_without_keys_is_not_paired(sandbox: SandboxProcess) -> None:
    payload = ClientPayload(devicePairingData=ClientPayload.DevicePairingRegistrationData(eIdent=b"short"))
    async with WireClient(sandbox, Identity()) as client:
        await client.connect(payload)
        await client.closed()
    assert "eRegid of a client that wants to be linked" in sandbox.log


async def test_a_number_that_was_never_linked_is_logged_out(sandbox: SandboxProcess) -> None:
    async with WireClient(sandbox, Identity()) as client:
        await client.connect(ClientPayload())
        refusal = await client.receive()
        assert (refusal.tag, refusal.text("reason")) == ("failure", "401")


async def test_other_hosts_are_not_reached(sandbox: SandboxProcess) -> None:
    for target in (b"example.com:443", b"web.whatsapp.com:80", b"web.whatsapp.com.example.com:443", b"x"):
        answer = await raw(sandbox, b"CONNECT " + target + b" HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert b"not part of this sandbox; it serves web.whatsapp.com" in answer


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3", id="TLS without a tunnel"),
        pytest.param(b"\0" * 100, id="zeros"),
        pytest.param(b"CONNECT " + b"x" * 20_000, id="an endless head"),
        pytest.param(b"CONNECT\r\n\r\n", id="no target"),
        pytest.param(b"CONNECT web.whatsapp.com:443 HTTP/1.1\r\n\r\nhello", id="data too early"),
    ],
)
async def test_garbage_instead_of_http_is_refused(sandbox: SandboxProcess, garbage: bytes) -> None:
    answer = await raw(sandbox, garbage)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 502"))
    assert (await sandbox.request("GET", "/stats")).status_code == 200


async def test_a_client_that_does_not_trust_the_network_gets_no_further(sandbox: SandboxProcess) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"CONNECT web.whatsapp.com:443 HTTP/1.1\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection Established\r\n\r\n"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await writer.start_tls(ssl.create_default_context(), server_hostname="web.whatsapp.com")
    writer.close()
    assert (await sandbox.request("GET", "/stats")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("PATCH", "/faults", None, 405),
        ("GET", "/phones/12", None, 400),
        ("GET", "/phones/491739999", None, 404),
        ("POST", "/phones/491739999/scan", [], 400),
        ("POST", "/phones/491739999/scan", {}, 400),
        ("POST", "/phones/491739999/scan", {"qr": 5}, 400),
        ("POST", "/phones/491739999/scan", {"code": "x"}, 400),
        ("PUT", "/contacts/491739999", {"kind": "robot"}, 400),
        ("PUT", "/contacts/491739999", {"name": "Ann"}, 400),
        ("PUT", "/contacts/x", {"kind": "sink"}, 400),
        ("GET", "/contacts/491739999", None, 404),
        ("GET", "/contacts/491739999/messages", None, 404),
        ("POST", "/contacts/491739999/messages", {"to": "4917", "text": "x"}, 404),
        ("POST", "/faults", {"kind": "flood"}, 400),
    ],
)
async def test_a_bad_control_request_is_told(
    sandbox: SandboxProcess, method: str, path: str, body: object, status: int
) -> None:
    response = await sandbox.request(method, path, body)
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]


async def test_a_body_that_is_no_json_is_told(sandbox: SandboxProcess) -> None:
    body = b"{oops"
    request = b"POST /faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    answer = await raw(sandbox, request % (len(body), body))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"the body is no JSON" in answer
