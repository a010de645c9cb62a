"""Where a session can stand, and who must act there."""

from enum import StrEnum

from server.store.records import Session
from server.whatsapp.port import Ending


class Status(StrEnum):
    """The documented statuses of a session."""

    STOPPED = "stopped"
    """Nothing runs, by request or because nobody scanned. The user starts it."""
    STARTING = "starting"
    """Pairing begins, or the connection is being made or made again. The gateway acts."""
    SCAN_QR_CODE = "scan_qr_code"
    """A code waits. A person scans it."""
    WORKING = "working"
    """Connected and logged in. Nobody needs to act."""
    FAILED = "failed"
    """It ended and trying again would not help (`Session.ending` says why). An operator acts."""
    LOGGED_OUT = "logged_out"
    """The account unlinked the device. A person pairs it again."""


class Phase(StrEnum):
    """What the node is doing for a session right now."""

    IDLE = "idle"
    PAIRING = "pairing"
    SHOWING_CODE = "showing_code"
    CONNECTING = "connecting"
    LIVE = "live"


def status_of(session: Session, phase: Phase) -> Status:
    """The status that callers see."""
    match phase:
        case Phase.PAIRING | Phase.CONNECTING:
            return Status.STARTING
        case Phase.SHOWING_CODE:
            return Status.SCAN_QR_CODE
        case Phase.LIVE:
            return Status.WORKING
        case Phase.IDLE:
            if session.wanted and session.wa_jid is not None:
                return Status.STARTING  # by whichever node takes it next
            if session.ending == Ending.LOGGED_OUT:
                return Status.LOGGED_OUT
            return Status.STOPPED if session.ending is None else Status.FAILED
