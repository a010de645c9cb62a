"""Linking a new client: it shows codes, an account's phone scans one, both sign each other."""

import asyncio
import secrets
import time

from google.protobuf.message import DecodeError

from sandbox.accounts import Account, Device, SignedPreKey
from sandbox.code_pairing import CodePairing
from sandbox.connection import Connection
from sandbox.curve import verify
from sandbox.device_lists import announce
from sandbox.jid import SERVER_JID, lid_jid, pn_jid
from sandbox.link_code import WrongCodeError, normalized
from sandbox.network import Network
from sandbox.passkeys import passkey_request
from sandbox.phone import DEVICE_SIGNATURE_PREFIX, QrCode, sign_device
from sandbox.query import QueryError
from sandbox.stanza import Node, Value
from sandbox.wire_protos import ADVSignedDeviceIdentity, ClientPayload

__all__ = ["Pairing", "PairingError", "PasskeyDemandedError", "scan", "type_code"]

_CODES = 6
_FIRST_CODE_SECONDS = 60
_NEXT_CODE_SECONDS = 20
_SCAN_GRACE_SECONDS = 5
_CONFIRM_SECONDS = 20
_SIZES = {"eRegid": 4, "eIdent": 32, "eSkeyID": 3, "eSkeyVal": 32, "eSkeySig": 64}


class PairingError(ValueError):
    """A code cannot be used, or the client refused."""


class PasskeyDemandedError(PairingError):
    """The account links no device without a passkey."""


class Pairing:
    """A client that is connected and not linked to any account.

    The client gets six references at once and shows each in a code: the first for 60 s, the others for 20 s
    each. A reference is good until its code is replaced, and a little longer for a slow camera.

    Args:
        network: The network.
        connection: The client's connection.
        noise: The static key that it proved.
        payload: What it said about itself.

    Raises:
        PairingError: The client's keys are incomplete.
    """

    def __init__(
        self, network: Network, connection: Connection, noise: bytes, payload: ClientPayload
    ) -> None:
        data = payload.devicePairingData
        for name, size in _SIZES.items():
            if len(getattr(data, name)) != size:
                raise PairingError(f"{name} of a client that wants to be linked has not {size} bytes")
        self.network = network
        self._connection = connection
        self._noise = noise
        self._data = data
        self._started = time.monotonic()
        self._refs = [f"2@{secrets.token_urlsafe(48)}" for _ in range(_CODES)]
        self._confirmation: asyncio.Future[Node] | None = None
        self._confirmation_id = ""
        self._by_code: CodePairing | None = None

    def start(self) -> None:
        """Gives the client its references."""
        refs = [Node("ref", content=ref.encode()) for ref in self._refs]
        self._connection.send(
            Node(
                "iq",
                {"from": SERVER_JID, "type": "set", "xmlns": "md", "id": _new_id()},
                [Node("pair-device", content=refs)],
            )
        )
        self.network.pairings.update(dict.fromkeys(self._refs, self))

    def end(self) -> None:
        """Forgets the references; the client went away."""
        for ref in self._refs:
            self.network.pairings.pop(ref, None)
        self._forget_code()
        if self._confirmation is not None and not self._confirmation.done():
            self._confirmation.set_exception(PairingError("the client went away before it confirmed"))

    def handle(self, node: Node) -> None:
        """Takes a stanza of the client."""
        waiting = self._confirmation
        if node.tag == "iq" and node.text("id") == self._confirmation_id and waiting and not waiting.done():
            waiting.set_result(node)
        elif node.tag == "iq" and node.text("type") in {"get", "set"}:
            attrs: dict[str, Value] = {"from": SERVER_JID, "id": node.text("id")}
            try:
                content = self._answer(node)
            except QueryError as error:
                self._connection.send(Node("iq", {**attrs, "type": "error"}, [error.node()]))
            else:
                self._connection.send(Node("iq", {**attrs, "type": "result"}, content or None))

    def expires_in(self, ref: str) -> float:
        """Seconds for which a reference can still be scanned; negative when it is too late."""
        shown = _FIRST_CODE_SECONDS + self._refs.index(ref) * _NEXT_CODE_SECONDS
        return self._started + shown + _SCAN_GRACE_SECONDS - time.monotonic()

    def demand_passkey(self) -> None:
        """Tells the client that the account links no device without a passkey."""
        self._connection.send(passkey_request())

    async def link_by_code(self, account: Account, code: str) -> Device:
        """Links the client to an account whose phone was told the code that the client shows.

        Args:
            account: Whose phone it is.
            code: The code as it was typed, normalized.

        Returns:
            The device, which is stored.

        Raises:
            PairingError: The code is wrong or has expired, or the client did not confirm.
        """
        offer = self._by_code
        if offer is None or offer.expired:
            raise PairingError("the code has expired; ask the client for a new one")
        if offer.busy:
            raise PairingError("the code was typed just now; wait for what comes of it")
        try:
            identity, secret = await offer.type(account, code)
        except (WrongCodeError, TimeoutError) as error:
            raise PairingError(str(error) or "the client did not answer") from error
        ref = offer.ref.decode()
        return await self.link(account, QrCode(ref, self._noise, identity, secret, offer.platform))

    async def link(self, account: Account, code: QrCode) -> Device:
        """Links the client to an account.

        Args:
            account: Whose phone scanned the code.
            code: The code.

        Returns:
            The device, which is stored.

        Raises:
            PairingError: The code is not this client's, or the client did not confirm.
        """
        if self._confirmation is not None:
            raise PairingError("this client is being linked already")
        if (code.noise, code.identity) != (self._noise, self._data.eIdent):
            raise PairingError("the keys in the code are not those of the client that shows it")
        accounts = self.network.accounts
        try:
            number = accounts.reserve_device(account)
        except ValueError as error:
            raise PairingError(str(error)) from error
        signed = sign_device(account.identity, code.identity, number)
        self._confirmation = asyncio.get_running_loop().create_future()
        self._confirmation_id = _new_id()
        self._connection.send(
            Node(
                "iq",
                {"from": SERVER_JID, "type": "set", "id": self._confirmation_id, "t": str(int(time.time()))},
                [
                    Node(
                        "pair-success",
                        content=[
                            Node("device-identity", content=code.seal(signed)),
                            Node(
                                "device",
                                {"jid": pn_jid(account.number, number), "lid": lid_jid(account.lid, number)},
                            ),
                            Node("platform", {"name": "android"}),
                        ],
                    )
                ],
            )
        )
        try:
            async with asyncio.timeout(_CONFIRM_SECONDS):
                answer = await self._confirmation
        except TimeoutError as error:
            raise PairingError(f"the client did not confirm within {_CONFIRM_SECONDS} s") from error
        identity = self._confirmed(answer, signed)
        data = self._data
        device = accounts.add_device(
            account,
            number,
            noise=self._noise,
            platform=code.platform,
            device_identity=identity.SerializeToString(),
            registration=data.eRegid,
            identity=data.eIdent,
            signed_prekey=SignedPreKey(data.eSkeyID, data.eSkeyVal, data.eSkeySig),
        )
        if len(account.devices) > 1:
            announce(self.network, account)
        await self.network.state.stored()
        self._connection.send(Node("stream:error", {"code": "515"}))
        self._connection.close()
        return device

    def _answer(self, iq: Node) -> list[Node]:
        request = iq.child("link_code_companion_reg")
        if request is None:
            return []
        if request.text("stage") == "companion_finish" and self._by_code is not None:
            return self._by_code.finish(request)
        if request.text("stage") != "companion_hello":
            raise QueryError(400, "bad-request")
        self._forget_code()
        self._by_code = CodePairing(self._connection.send, self._noise, request)
        # A phone has one code to type: that of the client that asked last.
        self.network.code_pairings[self._by_code.number] = self
        return self._by_code.accepted()

    def _forget_code(self) -> None:
        offer, self._by_code = self._by_code, None
        if offer is None:
            return
        offer.end()
        if self.network.code_pairings.get(offer.number) is self:
            del self.network.code_pairings[offer.number]

    def _confirmed(self, answer: Node, signed: ADVSignedDeviceIdentity) -> ADVSignedDeviceIdentity:
        if answer.text("type") != "result":
            error = answer.child("error")
            reason = f"{error.text('code')} {error.text('text')}" if error else "no reason given"
            raise PairingError(f"the client refused to be linked: {reason}")
        signature = answer.child("pair-device-sign")
        content = signature.child("device-identity") if signature else None
        try:
            identity = ADVSignedDeviceIdentity.FromString(content.data if content else b"")
        except DecodeError as error:
            raise PairingError("the client's confirmation is no protobuf") from error
        message = DEVICE_SIGNATURE_PREFIX + signed.details + self._data.eIdent + signed.accountSignatureKey
        if not verify(self._data.eIdent, message, identity.deviceSignature):
            raise PairingError("the client's signature under the link is wrong")
        identity.accountSignatureKey = signed.accountSignatureKey
        return identity


async def scan(network: Network, number: str, text: str) -> Device:
    """Lets an account's phone scan a code; the account is made on first use.

    Args:
        network: The network.
        number: The phone's number, digits only.
        text: The whole string that the client shows.

    Returns:
        The linked device.

    Raises:
        PairingError: The code is malformed, unknown or expired, or the client refused.
    """
    try:
        code = QrCode.parse(text)
    except ValueError as error:
        raise PairingError(str(error)) from error
    pairing = network.pairings.get(code.ref)
    if pairing is None:
        raise PairingError("no client that is connected shows this code; it was used, or has expired")
    if pairing.expires_in(code.ref) < 0 or network.faults.take("codes_expired", number):
        raise PairingError("this code has expired; the client shows a newer one")
    return await pairing.link(_account(pairing, number), code)


async def type_code(network: Network, number: str, text: str) -> Device:
    """Lets an account's phone type a pairing code; the account is made on first use.

    Args:
        network: The network.
        number: The phone's number, digits only.
        text: The code that the client shows, with or without its dash.

    Returns:
        The linked device.

    Raises:
        PairingError: The code is malformed, wrong or expired, or no client waits for one of this phone.
    """
    try:
        code = normalized(text)
    except ValueError as error:
        raise PairingError(str(error)) from error
    pairing = network.code_pairings.get(number)
    if pairing is None:
        raise PairingError(f"no client that is connected asks {number} for a code")
    if network.faults.take("codes_expired", number):
        raise PairingError("the code has expired; ask the client for a new one")
    return await pairing.link_by_code(_account(pairing, number), code)


def _account(pairing: Pairing, number: str) -> Account:
    """The account that a client is to be linked to, unless it demands a passkey."""
    network = pairing.network
    if network.faults.take("passkey", number):
        pairing.demand_passkey()
        raise PasskeyDemandedError(f"{number} links no device without a passkey; the client was told so")
    return network.accounts.own(number)


def _new_id() -> str:
    return str(secrets.randbelow(10**10))
