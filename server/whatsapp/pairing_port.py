"""The port to WhatsApp, continued: linking a new device to an account.

Implementations: `server.whatsapp.pairing` (a child process with neonize) and `server.whatsapp.memory`.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from server.whatsapp.jid import Jid


@dataclass(frozen=True, slots=True)
class QRCode:
    """A code to show.

    Attributes:
        code: the string that the QR picture encodes.
        expires_at: epoch milliseconds.
    """

    code: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Paired:
    """The phone linked the device; its keys are in the device folder.

    Attributes:
        jid: the account by phone number.
    """

    jid: Jid


class PairingFailure(StrEnum):
    """Why a pairing attempt ended without a linked device."""

    EXPIRED = "expired"
    """Nobody scanned any of its codes."""
    UNREACHABLE = "unreachable"
    """WhatsApp could not be reached."""
    OUTDATED = "outdated"
    """WhatsApp no longer takes this version of the client."""
    PASSKEY = "passkey"
    """WhatsApp wants a passkey from this account; the client library cannot give one."""
    REFUSED = "refused"
    """WhatsApp or the phone refused; the log has the library's words."""


@dataclass(frozen=True, slots=True)
class PairingFailed:
    """The attempt is over."""

    reason: PairingFailure


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A code to type on the phone instead of scanning.

    Attributes:
        code: eight characters, with a hyphen in the middle.
        expires_at: epoch milliseconds: when the attempt ends.
    """

    code: str
    expires_at: int


PairingEvent = QRCode | Paired | PairingFailed


class PairingAttempt(Protocol):
    """One attempt to link a device: ends with `Paired` or `PairingFailed`."""

    async def next(self) -> PairingEvent:
        """Waits for the next event. Nothing follows `Paired` or `PairingFailed`: do not ask again.

        Cancelling the call loses no event. A call that waits when the attempt is stopped ends with
        `PairingFailed`.
        """
        ...

    async def code_for(self, phone: str) -> PairingCode:
        """Asks for a code that the phone with this number can type. QR codes go on beside it.

        Args:
            phone: with the country code, digits only.

        Raises:
            RefusedError: WhatsApp gives none for this number.
            ConnectError: the attempt is over, or WhatsApp cannot be reached.
        """
        ...

    async def stop(self) -> None:
        """Ends the attempt and everything that it holds. Idempotent."""
        ...


class Pairing(Protocol):
    """Begins pairing attempts."""

    async def begin(self, session_id: str, device: Path) -> PairingAttempt:
        """Begins an attempt whose keys go into an empty folder `device`.

        Raises:
            WagateError: UNAVAILABLE where too many attempts are under way; stopping one frees its place.
        """
        ...
