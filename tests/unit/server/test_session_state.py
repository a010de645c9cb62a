"""From what a node does for a session to the status that callers see."""

from dataclasses import replace

import pytest

from server.sessions.backoff import CAP_SECONDS, FIRST_SECONDS, Backoff
from server.sessions.endings import plain
from server.sessions.state import Phase, Status, status_of
from server.whatsapp.pairing_port import PairingFailure
from server.whatsapp.port import Ending
from tests.support.records import a_session


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        (Phase.PAIRING, Status.STARTING),
        (Phase.CONNECTING, Status.STARTING),
        (Phase.SHOWING_CODE, Status.SCAN_QR_CODE),
        (Phase.LIVE, Status.WORKING),
        (Phase.IDLE, Status.STOPPED),
    ],
)
def test_what_runs_decides(phase: Phase, status: Status) -> None:
    assert status_of(a_session(), phase) is status


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.IDLE])
def test_an_old_ending_does_not_show_while_something_runs(phase: Phase) -> None:
    ended = replace(a_session(), ending=Ending.LOGGED_OUT)
    assert status_of(ended, phase) is status_of(a_session(), phase)


@pytest.mark.parametrize("ending", [*Ending, *PairingFailure])
def test_an_ending_says_who_must_act(ending: str) -> None:
    expected = Status.LOGGED_OUT if ending == Ending.LOGGED_OUT else Status.FAILED
    assert status_of(replace(a_session(), ending=str(ending)), Phase.IDLE) is expected


@pytest.mark.parametrize("ending", [*Ending, *PairingFailure])
def test_an_ending_is_told_in_plain_words(ending: str) -> None:
    # Nobody scanned: that is no ending of a session.
    assert (plain(str(ending)) != str(ending)) == (ending != PairingFailure.EXPIRED)


def test_waits_double_up_to_the_cap_and_never_end() -> None:
    backoff = Backoff()
    full = FIRST_SECONDS
    for _ in range(50):
        assert full / 2 <= backoff.seconds() <= full
        full = min(CAP_SECONDS, full * 2)
    assert full == CAP_SECONDS


def test_a_reset_begins_with_the_shortest_wait() -> None:
    backoff = Backoff()
    for _ in range(10):
        backoff.seconds()
    backoff.reset()
    assert backoff.seconds() <= FIRST_SECONDS


def test_sessions_do_not_come_back_together() -> None:
    assert len({Backoff().seconds() for _ in range(20)}) > 10
