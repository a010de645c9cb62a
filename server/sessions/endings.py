"""Why sessions end, in plain words, and who does what about it."""

from collections.abc import Mapping
from typing import Final

from server.sessions.state import Status
from server.whatsapp.pairing_port import PairingFailure
from server.whatsapp.port import Ending

_PLAIN: Final[Mapping[str, str]] = {
    Ending.LOGGED_OUT: "the account unlinked this device; pair the session again",
    Ending.REPLACED: (
        "somebody else connected with this device's keys; find out who has a copy of them, then start the "
        "session again"
    ),
    Ending.BANNED: "WhatsApp banned the account for a while; its owner waits, or appeals on the phone",
    Ending.OUTDATED: (
        "WhatsApp no longer takes this version of the client; the operator updates the gateway"
    ),
    Ending.REFUSED: "WhatsApp refused the login; the operator finds its words in the gateway's log",
    PairingFailure.UNREACHABLE: "WhatsApp could not be reached for pairing; try again",
    PairingFailure.PASSKEY: (
        "WhatsApp asks this account for a passkey when a device is linked, and the client library cannot "
        "give one; the account cannot be linked until it can, or until the owner removes the passkey"
    ),
}
"""By `Session.ending`. Two words are used for logins and pairings alike, and mean the same for both."""

_WAITING: Final = "a code waits: the account's owner scans it, or types the pairing code, on the phone"


def plain(ending: str) -> str:
    """What happened and what to do, for a word that is stored as a session's ending."""
    return _PLAIN.get(ending, ending)


def explained(status: Status, ending: str | None) -> tuple[str | None, str | None]:
    """Why a session stands where it stands.

    Args:
        status: where.
        ending: as stored.

    Returns:
        The word for why it ended, None where it did not; and what happened and who must act, in plain words,
        None where nobody must.
    """
    if status in {Status.FAILED, Status.LOGGED_OUT} and ending is not None:
        return ending, plain(ending)
    return None, _WAITING if status is Status.SCAN_QR_CODE else None
