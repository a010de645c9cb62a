"""What an account's phone does when it scans a code: it reads the code and signs the new device."""

import base64
import binascii
import hmac
import secrets
import time
from typing import NamedTuple, Self

from sandbox.curve import KeyPair
from sandbox.wire_protos import (
    ADVDeviceIdentity,
    ADVEncryptionType,
    ADVSignedDeviceIdentity,
    ADVSignedDeviceIdentityHMAC,
)

__all__ = ["ACCOUNT_SIGNATURE_PREFIX", "DEVICE_SIGNATURE_PREFIX", "QrCode", "sign_device"]

ACCOUNT_SIGNATURE_PREFIX = b"\x06\x00"
DEVICE_SIGNATURE_PREFIX = b"\x06\x01"
_KEY_SIZE = 32


class QrCode(NamedTuple):
    """What a client shows to be linked.

    Attributes:
        ref: The reference that the server gave to the client.
        noise: The client's static Noise key.
        identity: The client's Signal identity key.
        secret: The secret under which the phone authenticates its answer.
        platform: What the client says it is.
    """

    ref: str
    noise: bytes
    identity: bytes
    secret: bytes
    platform: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the string behind a code.

        Args:
            text: ``REF,NOISE,IDENTITY,SECRET[,PLATFORM]``, the keys in base64; what precedes a ``#`` is a
                link for cameras and is skipped.

        Raises:
            ValueError: The string is no such code.
        """
        parts = text.strip().rpartition("#")[2].split(",")
        if len(parts) not in {4, 5}:
            raise ValueError(f"a code has 4 or 5 parts between commas, this one has {len(parts)}")
        return cls(
            ref=parts[0],
            noise=_key("Noise key", parts[1]),
            identity=_key("identity key", parts[2]),
            secret=_key("secret", parts[3]),
            platform=parts[4] if len(parts) == 5 else "",
        )

    def seal(self, identity: ADVSignedDeviceIdentity) -> bytes:
        """Authenticates a signed device under the code's secret, serialized for the client."""
        details = identity.SerializeToString()
        return ADVSignedDeviceIdentityHMAC(
            details=details, HMAC=hmac.digest(self.secret, details, "sha256")
        ).SerializeToString()


def sign_device(account: KeyPair, identity: bytes, key_index: int) -> ADVSignedDeviceIdentity:
    """Lets the phone vouch for a device.

    Args:
        account: The phone's identity.
        identity: The device's identity key (32 bytes).
        key_index: The device's place among all that the account ever linked.
    """
    details = ADVDeviceIdentity(
        rawID=secrets.randbits(31),
        timestamp=int(time.time()),
        keyIndex=key_index,
        accountType=ADVEncryptionType.E2EE,
        deviceType=ADVEncryptionType.E2EE,
    ).SerializeToString()
    return ADVSignedDeviceIdentity(
        details=details,
        accountSignatureKey=account.public,
        accountSignature=account.sign(ACCOUNT_SIGNATURE_PREFIX + details + identity),
    )


def _key(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the {name} in the code is no base64") from error
    if len(key) != _KEY_SIZE:
        raise ValueError(f"the {name} in the code has {len(key)} bytes instead of {_KEY_SIZE}")
    return key
