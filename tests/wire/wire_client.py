"""A client of the sandbox written in Python, for what a real client would never do, or never show.

It shares the stanza codec with the sandbox and nothing else: the handshake is the tests' own.
"""

import asyncio
import base64
import hmac
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Self

import aiohttp
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sandbox.binary_xml import Codec
from sandbox.curve import KEY_TYPE, KeyPair, verify
from sandbox.jid import JID
from sandbox.stanza import Node, Value
from sandbox.wire_protos import (
    ADVSignedDeviceIdentity,
    ADVSignedDeviceIdentityHMAC,
    ClientPayload,
)
from tests.unit.sandbox.dictionary import installed_dictionary
from tests.unit.sandbox.initiator import HEADER, Channel, Initiator
from tests.wire.sandbox_process import SandboxProcess

SERVER = JID("", "s.whatsapp.net")
DEADLINE = 15.0

codec = Codec(installed_dictionary())


class ClosedError(Exception):
    """The network closed the connection."""


@dataclass
class Identity:
    """What makes a device: its keys and, once linked, its addresses."""

    noise: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    signal: KeyPair = field(default_factory=KeyPair.generate)
    signed: KeyPair = field(default_factory=KeyPair.generate)
    secret: bytes = bytes(range(32))
    pn: JID = SERVER
    lid: JID = SERVER

    def registration(self) -> ClientPayload:
        public = self.signed.public
        return ClientPayload(
            devicePairingData=ClientPayload.DevicePairingRegistrationData(
                eRegid=bytes((0, 0, 1, 1)),
                eKeytype=KEY_TYPE,
                eIdent=self.signal.public,
                eSkeyID=bytes((0, 0, 1)),
                eSkeyVal=public,
                eSkeySig=self.signal.sign(KEY_TYPE + public),
            )
        )

    def login(self) -> ClientPayload:
        return ClientPayload(username=int(self.pn.user), device=self.pn.device)

    def code(self, ref: str) -> str:
        keys = (self.noise.public_key().public_bytes_raw(), self.signal.public, self.secret)
        return ",".join(["https://wa.me/x#" + ref, *(base64.b64encode(key).decode() for key in keys), "test"])


class WireClient:
    """One connection to the sandbox.

    Attributes:
        identity: Whose connection it is.
        unread: Stanzas that came while another one was waited for.
    """

    def __init__(self, sandbox: SandboxProcess, identity: Identity) -> None:
        self._sandbox = sandbox
        self.identity = identity
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._channel: Channel | None = None
        self._received = bytearray()
        self.unread: list[Node] = []
        self._ids = count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def connect(self, payload: ClientPayload) -> None:
        """Opens the tunnel, upgrades, shakes hands."""
        wire = self._sandbox.wire
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(
            "wss://web.whatsapp.com/ws/chat",
            proxy=wire["proxy"],
            ssl=ssl.create_default_context(cafile=wire["caFile"]),
            max_msg_size=0,
        )
        initiator = Initiator(self.identity.noise)
        hello = initiator.hello()
        await self._socket.send_bytes(HEADER + _framed(hello))
        finish = initiator.finish(await self._frame(), payload.SerializeToString())
        await self._socket.send_bytes(_framed(finish))
        self._channel = initiator.channel()

    async def log_in(self) -> Node:
        """Logs in; returns the network's greeting or refusal."""
        await self.connect(self.identity.login())
        return await self.expect(lambda node: node.tag in {"success", "failure"})

    async def activate(self) -> None:
        """Asks for what waits, and for everything new."""
        await self.query("passive", "set", [Node("active")])

    async def pair(self, number: str) -> None:
        """Gets linked by an account's phone; the network closes the connection afterwards."""
        ref = await self.show_code()
        scanning = asyncio.create_task(
            self._sandbox.ok("POST", f"/phones/{number}/scan", {"qr": self.identity.code(ref)})
        )
        await self.confirm()
        answer = await scanning
        assert answer == {
            "jid": str(self.identity.pn),
            "lid": str(self.identity.lid),
            "device": self.identity.pn.device,
        }
        error = await self.expect(lambda node: node.tag == "stream:error")
        assert error.attrs == {"code": "515"}

    async def show_code(self) -> str:
        """Connects unlinked; returns the first reference."""
        await self.connect(self.identity.registration())
        node = await self.expect(lambda node: node.child("pair-device") is not None)
        # A real client ignores the stanza unless it comes from the server as an address with an empty user.
        assert node.attrs["from"] == SERVER
        await self.send(Node("iq", {"to": SERVER, "id": node.text("id"), "type": "result"}))
        refs = [child.data.decode() for device in node.children for child in device.children]
        assert len(set(refs)) == 6
        return refs[0]

    async def confirm(self) -> None:
        """Checks what the phone signed, and signs it."""
        node = await self.expect(lambda node: node.child("pair-success") is not None)
        success = node.children[0]
        sealed_node, device = success.child("device-identity"), success.child("device")
        assert sealed_node is not None
        assert device is not None
        pn, lid = device.jid("jid"), device.jid("lid")
        assert pn is not None
        assert lid is not None
        self.identity.pn, self.identity.lid = pn, lid
        sealed = ADVSignedDeviceIdentityHMAC.FromString(sealed_node.data)
        assert hmac.digest(self.identity.secret, sealed.details, "sha256") == sealed.HMAC
        signed = ADVSignedDeviceIdentity.FromString(sealed.details)
        public = self.identity.signal.public
        assert verify(
            signed.accountSignatureKey, b"\x06\x00" + signed.details + public, signed.accountSignature
        )
        mine = b"\x06\x01" + signed.details + public + signed.accountSignatureKey
        signed.deviceSignature = self.identity.signal.sign(mine)
        signed.ClearField("accountSignatureKey")
        answer = Node("pair-device-sign", {}, [Node("device-identity", {}, signed.SerializeToString())])
        await self.send(Node("iq", {"to": SERVER, "id": node.text("id"), "type": "result"}, [answer]))

    async def send(self, node: Node) -> None:
        """Sends a stanza."""
        await self.send_raw(codec.encode(node))

    async def send_raw(self, plaintext: bytes) -> None:
        """Sends anything, encrypted."""
        assert self._channel is not None
        await self.send_frame(self._channel.seal(plaintext))

    async def send_frame(self, body: bytes) -> None:
        """Sends anything as a frame."""
        assert self._socket is not None
        await self._socket.send_bytes(_framed(body))

    async def query(
        self, namespace: str, kind: str, content: list[Node] | None = None, *, to: JID = SERVER
    ) -> Node:
        """Asks the network; returns its answer."""
        number = str(next(self._ids))
        await self.send(Node("iq", {"to": to, "xmlns": namespace, "type": kind, "id": number}, content))
        return await self.expect(lambda node: node.tag == "iq" and node.text("id") == number)

    async def expect(self, wanted: Callable[[Node], bool], within: float = DEADLINE) -> Node:
        """The first stanza that is wanted; others wait for who wants them."""
        for index, node in enumerate(self.unread):
            if wanted(node):
                return self.unread.pop(index)
        async with asyncio.timeout(within):
            while True:
                node = await self.receive()
                if wanted(node):
                    return node
                self.unread.append(node)

    async def receive(self) -> Node:
        """The next stanza."""
        assert self._channel is not None
        return codec.decode(self._channel.open(await self._frame()))

    async def closed(self, within: float = DEADLINE) -> None:
        """Waits until the network closes the connection."""
        async with asyncio.timeout(within):
            try:
                while True:
                    self.unread.append(await self.receive())
            except ClosedError:
                return

    async def _frame(self) -> bytes:
        assert self._socket is not None
        while True:
            end = 3 + int.from_bytes(self._received[:3], "big")
            if len(self._received) >= max(end, 3):
                frame = bytes(self._received[3:end])
                del self._received[:end]
                return frame
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise ClosedError
            self._received += message.data


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + body


async def linked(sandbox: SandboxProcess, number: str) -> Identity:
    """A device that an account's phone has just linked."""
    identity = Identity()
    async with WireClient(sandbox, identity) as client:
        await client.pair(number)
    return identity


async def publish(client: WireClient, identity: Identity, one_time: list[bytes]) -> Node:
    """Publishes the keys with which others write to a device; returns the network's answer."""

    def key(tag: str, number: int, value: bytes, *more: Node) -> Node:
        return Node(tag, {}, [Node("id", {}, number.to_bytes(3, "big")), Node("value", {}, value), *more])

    signed = KeyPair.generate().public
    signature = Node("signature", {}, identity.signal.sign(KEY_TYPE + signed))
    listed = [key("key", number + 1, value) for number, value in enumerate(one_time)]
    return await client.query(
        "encrypt",
        "set",
        [
            Node("registration", {}, b"\0\0\1\1"),
            Node("type", {}, KEY_TYPE),
            Node("identity", {}, identity.signal.public),
            Node("list", {}, listed),
            key("skey", 7, signed, signature),
        ],
    )


class Online:
    """A linked device that is logged in and active, for the length of a ``with``."""

    def __init__(self, sandbox: SandboxProcess, identity: Identity) -> None:
        self._client = WireClient(sandbox, identity)

    async def __aenter__(self) -> WireClient:
        greeting = await self._client.log_in()
        assert greeting.tag == "success", greeting
        await self._client.activate()
        await self._client.expect(lambda node: node.child("offline") is not None)
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)


def text_to(device: Identity, message_id: str, body: bytes = b"ciphertext") -> Node:
    """A message to a phone and one device; the network never looks into the ciphertext."""
    enc = Node("enc", {"v": "2", "type": "msg"}, body)
    to = device.lid.account
    fan_out = [Node("to", {"jid": jid}, [enc]) for jid in (to, device.lid)]
    attrs: dict[str, Value] = {"to": to, "id": message_id, "type": "text"}
    return Node("message", attrs, [Node("participants", {}, fan_out)])


def acknowledges(message_id: str) -> Callable[[Node], bool]:
    """Whether a stanza is the acknowledgement of a message."""
    return lambda node: node.tag == "ack" and node.text("id") == message_id


def carries(message_id: str) -> Callable[[Node], bool]:
    """Whether a stanza is a message."""
    return lambda node: node.tag == "message" and node.text("id") == message_id
