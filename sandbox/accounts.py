"""Who exists on the network: accounts, their phones, their linked devices and the keys these published."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sandbox.curve import KEY_TYPE, KeyPair
from sandbox.jid import JID, LID_SERVER, PN_SERVER, lid_jid, pn_jid
from sandbox.mailbox import Mailbox, StanzaKey
from sandbox.state import State

if TYPE_CHECKING:
    from sandbox.session import Session

__all__ = ["Account", "Accounts", "Device", "Kind", "PreKey", "SignedPreKey"]

Kind = Literal["account", "person", "sink"]
"""An account is a user's own; a person is a contact that reads and writes; a sink one that only receives."""

LID_DIGITS = 15
MAX_DEVICE = 255


@dataclass(slots=True, frozen=True)
class PreKey:
    """A one-time key: id (3 bytes, big-endian) and public half (32 bytes)."""

    id: bytes
    value: bytes


@dataclass(slots=True, frozen=True)
class SignedPreKey:
    """A key that is used until replaced: id, public half, and the owner's signature (64 bytes)."""

    id: bytes
    value: bytes
    signature: bytes


@dataclass(slots=True, eq=False)
class Device:
    """A linked device: a client that was paired by its account's phone.

    Attributes:
        account: Whose device it is.
        number: 1-255, never used twice by an account.
        noise: Static public key (32 bytes) that the client proves at each login.
        platform: What the client said it is when it was paired.
        device_identity: The phone's and the device's signatures on each other, as the device sent it back.
        registration: Signal registration id (4 bytes, big-endian).
        identity: Signal identity key (32 bytes).
        signed_prekey: The current one.
        prekeys: One-time keys that are left, oldest first, by id.
        mailbox: What waits for the device.
        session: Its connection while it is logged in.
    """

    account: "Account"
    number: int
    noise: bytes
    platform: str
    device_identity: bytes
    registration: bytes
    identity: bytes
    signed_prekey: SignedPreKey
    mailbox: Mailbox
    prekeys: dict[bytes, bytes] = field(default_factory=dict)
    session: "Session | None" = None

    @property
    def pn(self) -> JID:
        """The device's phone-number JID."""
        return pn_jid(self.account.number, self.number)

    @property
    def lid(self) -> JID:
        """The device's LID."""
        return lid_jid(self.account.lid, self.number)


@dataclass(slots=True, eq=False)
class Account:
    """An account and its phone, which is device 0.

    Attributes:
        number: The phone number, digits only.
        lid: The user part of its LID.
        name: The push name that others see; may be empty.
        kind: What stands behind it.
        identity: The phone's Signal identity, which also signs linked devices.
        signed_prekey: The phone's signed prekey; its id is always 1.
        registration: The phone's Signal registration id.
        last_device: The highest device number ever given.
        devices: Linked devices by number.
    """

    number: str
    lid: str
    name: str
    kind: Kind
    identity: KeyPair
    signed_prekey: KeyPair
    registration: int
    last_device: int = 0
    devices: dict[int, Device] = field(default_factory=dict)

    @property
    def pn_jid(self) -> JID:
        """The account's phone-number JID."""
        return pn_jid(self.number)

    @property
    def lid_jid(self) -> JID:
        """The account's LID."""
        return lid_jid(self.lid)

    def device_numbers(self) -> list[int]:
        """All devices, the phone first."""
        return [0, *self.devices]

    def phone_prekey(self) -> SignedPreKey:
        """The phone's signed prekey in its published form."""
        public = self.signed_prekey.public
        return SignedPreKey((1).to_bytes(3, "big"), public, self.identity.sign(KEY_TYPE + public))


class Accounts:
    """All accounts, in memory and in the state.

    Args:
        state: Where they are kept.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._by_number: dict[str, Account] = {}
        self._by_lid: dict[str, Account] = {}
        self._load()

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_number.values())

    def get(self, number: str) -> Account | None:
        """The account of a phone number (digits only)."""
        return self._by_number.get(number)

    def find(self, jid: JID) -> Account | None:
        """The account that an address of either kind belongs to."""
        if jid.server == LID_SERVER:
            return self._by_lid.get(jid.user)
        return self._by_number.get(jid.user) if jid.server == PN_SERVER else None

    def devices(self) -> Iterator[Device]:
        """All linked devices of all accounts."""
        for account in self:
            yield from account.devices.values()

    def create(self, number: str, name: str, kind: Kind) -> Account:
        """Makes an account with a phone.

        Args:
            number: Digits only; not yet on the network.
            name: Its push name.
            kind: What stands behind it.
        """
        lid = ""
        while not lid or lid in self._by_lid:
            lid = str(secrets.randbelow(9 * 10 ** (LID_DIGITS - 1)) + 10 ** (LID_DIGITS - 1))
        account = Account(
            number, lid, name, kind, KeyPair.generate(), KeyPair.generate(), secrets.randbelow(2**14) + 1
        )
        self._add(account)
        self._state.write(
            "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                lid,
                name,
                kind,
                account.identity.private,
                account.signed_prekey.private,
                account.registration,
                0,
            ),
        )
        return account

    def own(self, number: str) -> Account:
        """A user's own account, made on first use."""
        return self.get(number) or self.create(number, f"User {number[-4:]}", "account")

    def rename(self, account: Account, name: str) -> None:
        """Changes an account's push name."""
        if account.name != name:
            account.name = name
            self._state.write("UPDATE accounts SET name = ? WHERE number = ?", (name, account.number))

    def reserve_device(self, account: Account) -> int:
        """The number for the account's next device.

        Raises:
            ValueError: The account has used up all device numbers.
        """
        if account.last_device == MAX_DEVICE:
            raise ValueError(
                f"{account.number} has linked {MAX_DEVICE} devices in its life; no number is left"
            )
        account.last_device += 1
        self._state.write(
            "UPDATE accounts SET last_device = ? WHERE number = ?", (account.last_device, account.number)
        )
        return account.last_device

    def add_device(
        self,
        account: Account,
        number: int,
        *,
        noise: bytes,
        platform: str,
        device_identity: bytes,
        registration: bytes,
        identity: bytes,
        signed_prekey: SignedPreKey,
    ) -> Device:
        """Registers a device that was just paired; see ``Device`` for the arguments."""
        device = Device(
            account=account,
            number=number,
            noise=noise,
            platform=platform,
            device_identity=device_identity,
            registration=registration,
            identity=identity,
            signed_prekey=signed_prekey,
            mailbox=Mailbox(self._state, account.number, number),
        )
        account.devices[number] = device
        self._state.write(
            "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                account.number,
                number,
                noise,
                platform,
                device_identity,
                registration,
                identity,
                signed_prekey.id,
                signed_prekey.value,
                signed_prekey.signature,
            ),
        )
        return device

    def remove_device(self, device: Device) -> None:
        """Forgets a device, its keys and what waits for it."""
        number = device.account.number
        device.account.devices.pop(device.number, None)
        for table in ("devices", "prekeys", "mail", "app_state_shared", "histories_given"):
            self._state.write(
                f"DELETE FROM {table} WHERE number = ? AND device = ?",  # noqa: S608 - a fixed table name
                (number, device.number),
            )

    def publish_keys(
        self,
        device: Device,
        registration: bytes,
        identity: bytes,
        signed_prekey: SignedPreKey,
        prekeys: Iterable[PreKey],
    ) -> None:
        """Takes over the keys that a device uploaded; one-time keys add to those that are left."""
        device.registration, device.identity, device.signed_prekey = registration, identity, signed_prekey
        number = device.account.number
        self._state.write(
            "UPDATE devices SET registration = ?, identity = ?, signed_id = ?, signed_value = ?,"
            " signed_signature = ? WHERE number = ? AND device = ?",
            (
                registration,
                identity,
                signed_prekey.id,
                signed_prekey.value,
                signed_prekey.signature,
                number,
                device.number,
            ),
        )
        for key in prekeys:
            device.prekeys[key.id] = key.value
            self._state.write(
                "INSERT OR REPLACE INTO prekeys VALUES (?, ?, ?, ?)",
                (number, device.number, key.id, key.value),
            )

    def take_prekey(self, device: Device) -> PreKey | None:
        """Takes a one-time key of a device, so that nobody gets it again; None when none is left."""
        if not device.prekeys:
            return None
        key_id = next(iter(device.prekeys))
        value = device.prekeys.pop(key_id)
        self._state.write(
            "DELETE FROM prekeys WHERE number = ? AND device = ? AND id = ?",
            (device.account.number, device.number, key_id),
        )
        return PreKey(key_id, value)

    def _add(self, account: Account) -> None:
        self._by_number[account.number] = account
        self._by_lid[account.lid] = account

    def _load(self) -> None:
        for number, lid, name, kind, identity, signed, registration, last in self._state.load(
            "SELECT number, lid, name, kind, identity, signed_prekey, registration, last_device FROM accounts"
        ):
            keys = KeyPair.from_private(identity), KeyPair.from_private(signed)
            self._add(Account(number, lid, name, kind, *keys, registration, last))
        for (
            number,
            device,
            noise,
            platform,
            device_identity,
            registration,
            identity,
            *signed,
        ) in self._state.load(
            "SELECT number, device, noise, platform, device_identity, registration, identity,"
            " signed_id, signed_value, signed_signature FROM devices ORDER BY number, device"
        ):
            account = self._by_number[number]
            account.devices[device] = Device(
                account=account,
                number=device,
                noise=noise,
                platform=platform,
                device_identity=device_identity,
                registration=registration,
                identity=identity,
                signed_prekey=SignedPreKey(*signed),
                mailbox=Mailbox(self._state, number, device),
            )
        for number, device, key_id, value in self._state.load(
            "SELECT number, device, id, value FROM prekeys ORDER BY number, device, id"
        ):
            self._by_number[number].devices[device].prekeys[key_id] = value
        for seq, number, device, tag, stanza_id, kind, sender, stanza in self._state.load(
            "SELECT seq, number, device, tag, id, type, sender, stanza FROM mail ORDER BY seq"
        ):
            key = StanzaKey(tag, stanza_id, kind, sender)
            self._by_number[number].devices[device].mailbox.restore(seq, key, stanza)
